import {
  CompactRange,
  checkConsistency,
  checkInclusion,
  consistencyPath,
  inclusionPath,
  leafHash,
  nodeHash,
  rootOf,
  type Subtree,
  SubtreeRoots,
} from '../../audit/merkle';

/** The eight inputs and roots that implementations of RFC 6962 test with. */
const INPUTS = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'].map(
  (hex) => leafHash(Buffer.from(hex, 'hex')),
);
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

const leaves = Array.from({ length: 40 }, (_, index) => leafHash(Buffer.from(`leaf ${index}`)));

/** By the definition, without anything of ours: MTH(D[n]). */
function byDefinition(of: readonly Buffer[]): Buffer {
  if (of.length === 1) return of[0] ?? Buffer.alloc(0);
  let split = 1;
  while (split * 2 < of.length) split *= 2;
  return nodeHash(byDefinition(of.slice(0, split)), byDefinition(of.slice(split)));
}

function proof(path: readonly Subtree[], size: number): Buffer[] {
  const roots = new SubtreeRoots(path);
  for (const leaf of leaves.slice(0, size)) roots.push(leaf);
  return roots.roots();
}

const leafAt = (index: number): Buffer => leaves[index] ?? Buffer.alloc(0);

/** Proofs that must not hold where this one does. */
function spoilt(parts: readonly Buffer[]): Buffer[][] {
  const flipped = parts.map((_, at) =>
    parts.map((part, index) => (index === at ? Buffer.from(part.map((byte, i) => (i === 7 ? byte ^ 1 : byte))) : part)),
  );
  return [...flipped, parts.slice(1), parts.slice(0, -1), [...parts, leafAt(0)], [leafAt(1), ...parts]].filter(
    (one) => one.length !== parts.length || !one.every((part, index) => part.equals(parts[index] ?? leafAt(39))),
  );
}

it('the roots are those that RFC 6962 is tested with', () => {
  expect(rootOf([]).toString('hex')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  expect(ROOTS).toEqual(INPUTS.map((_, index) => rootOf(INPUTS.slice(0, index + 1)).toString('hex')));
});

it('a tree that grows has the root of its definition at every size, also after it was put away', () => {
  let tree = CompactRange.empty();
  for (let size = 1; size <= 40; size += 1) {
    tree = CompactRange.from(tree.size, tree.roots());
    tree.push(leafAt(size - 1));
    expect(tree.root()).toEqual(byDefinition(leaves.slice(0, size)));
  }
  expect(() => CompactRange.from(3, [leafAt(0)])).toThrow(RangeError);
});

it('every leaf of every tree up to 40 is proven to be in it, and no spoilt proof proves it', () => {
  for (let size = 1; size <= 40; size += 1) {
    const root = rootOf(leaves.slice(0, size));
    for (let index = 0; index < size; index += 1) {
      const parts = proof(inclusionPath(index, size), size);
      expect(checkInclusion(index, size, leafAt(index), parts, root)).toBe(true);
      for (const bad of spoilt(parts)) expect(checkInclusion(index, size, leafAt(index), bad, root)).toBe(false);
      expect(checkInclusion(index, size, leafAt((index + 1) % 40), parts, root)).toBe(false);
      if (size > 1) expect(checkInclusion((index + 1) % size, size, leafAt(index), parts, root)).toBe(false);
      expect(checkInclusion(index, size, leafAt(index), parts, leafAt(39))).toBe(false);
      expect(checkInclusion(size, size, leafAt(index), parts, root)).toBe(false);
      expect(checkInclusion(-1, size, leafAt(index), parts, root)).toBe(false);
    }
  }
});

it('every tree up to 40 is proven to begin with every smaller one, and no spoilt proof proves it', () => {
  for (let size = 1; size <= 40; size += 1) {
    const root = rootOf(leaves.slice(0, size));
    for (let old = 1; old <= size; old += 1) {
      const oldRoot = rootOf(leaves.slice(0, old));
      const parts = proof(consistencyPath(old, size), size);
      expect(checkConsistency(old, size, oldRoot, root, parts)).toBe(true);
      for (const bad of spoilt(parts)) expect(checkConsistency(old, size, oldRoot, root, bad)).toBe(false);
      expect(checkConsistency(old, size, leafAt(39), root, parts)).toBe(false);
      expect(checkConsistency(old, size, oldRoot, leafAt(39), parts)).toBe(false);
      expect(checkConsistency(0, size, oldRoot, root, parts)).toBe(false);
      expect(checkConsistency(size + 1, size, oldRoot, root, parts)).toBe(false);
    }
  }
});
