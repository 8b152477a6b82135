/** Merkle trees over a log's entries: RFC 6962, 2.1 (hashes, proofs); RFC 9162, 2.1.3.2 and 2.1.4.2 (checking proofs). */
import { hash as digest } from 'node:crypto';

const HASH_BYTES = 32;

/** Hash of a leaf's content: SHA-256(0x00 ‖ content). An entry's hash is one already. */
export function leafHash(content: Uint8Array): Buffer {
  return digest('sha256', Buffer.concat([Buffer.of(0), content]), 'buffer');
}

const joined = Buffer.alloc(1 + 2 * HASH_BYTES, 1);

/** SHA-256(0x01 ‖ left ‖ right). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  joined.set(left, 1);
  joined.set(right, 1 + HASH_BYTES);
  return digest('sha256', joined, 'buffer');
}

/**
 * A tree that grows at its right edge and remembers only the roots of its perfect subtrees, largest first: a million
 * leaves are at most twenty hashes.
 */
export class CompactRange {
  private constructor(
    private count: number,
    private readonly subtrees: Buffer[],
  ) {}

  static empty(): CompactRange {
    return new CompactRange(0, []);
  }

  /** @param roots of the perfect subtrees, as `roots()` gave them. @throws RangeError where their number is wrong */
  static from(size: number, roots: readonly Buffer[]): CompactRange {
    if (onesOf(size) !== roots.length || roots.some(({ length }) => length !== HASH_BYTES)) {
      throw new RangeError(`a tree of ${size} leaves has ${onesOf(size)} perfect subtrees, not ${roots.length}`);
    }
    return new CompactRange(size, [...roots]);
  }

  get size(): number {
    return this.count;
  }

  roots(): Buffer[] {
    return [...this.subtrees];
  }

  push(leaf: Buffer): void {
    let hash = leaf;
    for (let size = this.count; size % 2 === 1; size = (size - 1) / 2) {
      const left = this.subtrees.pop();
      if (left) hash = nodeHash(left, hash);
    }
    this.subtrees.push(hash);
    this.count += 1;
  }

  root(): Buffer {
    if (this.subtrees.length === 0) return digest('sha256', '', 'buffer');
    return this.subtrees.reduceRight((right, left) => nodeHash(left, right));
  }
}

function onesOf(size: number): number {
  return [...size.toString(2)].filter((digit) => digit === '1').length;
}

/** Root of the tree over leaf hashes. */
export function rootOf(leaves: Iterable<Buffer>): Buffer {
  const range = CompactRange.empty();
  for (const leaf of leaves) range.push(leaf);
  return range.root();
}

/** Leaves `from` to below `to`: a subtree whose root is a part of a proof. */
export interface Subtree {
  from: number;
  to: number;
}

/** The subtrees whose roots prove that leaf `index` is in a tree of `size` leaves, in the order of the proof. */
export function inclusionPath(index: number, size: number): Subtree[] {
  const path: Subtree[] = [];
  let [from, to] = [0, size];
  while (to - from > 1) {
    const split = from + splitOf(to - from);
    if (index < split) {
      path.unshift({ from: split, to });
      to = split;
    } else {
      path.unshift({ from, to: split });
      from = split;
    }
  }
  return path;
}

/** The subtrees whose roots prove that the tree of the first `old` leaves precedes that of `size`; 0 < old ≤ size. */
export function consistencyPath(old: number, size: number): Subtree[] {
  const path: Subtree[] = [];
  let [from, to] = [0, size];
  while (to !== old) {
    const split = from + splitOf(to - from);
    if (old <= split) {
      path.unshift({ from: split, to });
      to = split;
    } else {
      path.unshift({ from, to: split });
      from = split;
    }
  }
  // Where it is the whole old tree, its root is known to whoever asks.
  return from === 0 ? path : [{ from, to }, ...path];
}

/** The largest power of two below `size`. */
function splitOf(size: number): number {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}

/** Collects the roots of some disjoint subtrees in one pass over the leaves. */
export class SubtreeRoots {
  private readonly ranges: CompactRange[];
  private at = 0;

  constructor(private readonly path: readonly Subtree[]) {
    this.ranges = path.map(() => CompactRange.empty());
  }

  push(leaf: Buffer): void {
    for (const [index, { from, to }] of this.path.entries()) {
      if (this.at >= from && this.at < to) this.ranges[index]?.push(leaf);
    }
    this.at += 1;
  }

  /** In the order of the path. */
  roots(): Buffer[] {
    return this.ranges.map((range) => range.root());
  }
}

/** Whether a proof shows that `leaf` is number `index` of the tree with this size and root. */
export function checkInclusion(
  index: number,
  size: number,
  leaf: Buffer,
  proof: readonly Buffer[],
  root: Buffer,
): boolean {
  if (!Number.isSafeInteger(index) || index < 0 || index >= size) return false;
  let [at, last] = [index, size - 1];
  let hash = leaf;
  for (const part of proof) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      hash = nodeHash(part, hash);
      while (at % 2 === 0 && at !== 0) [at, last] = [at / 2, half(last)];
    } else {
      hash = nodeHash(hash, part);
    }
    [at, last] = [half(at), half(last)];
  }
  return last === 0 && hash.equals(root);
}

/** Whether a proof shows that the tree of `old` leaves is the beginning of that of `size` leaves; 0 < old ≤ size. */
export function checkConsistency(
  old: number,
  size: number,
  oldRoot: Buffer,
  root: Buffer,
  proof: readonly Buffer[],
): boolean {
  if (!Number.isSafeInteger(old) || old < 1 || old > size) return false;
  if (old === size) return proof.length === 0 && oldRoot.equals(root);
  const isPerfect = onesOf(old) === 1;
  const [first, ...rest] = isPerfect ? [oldRoot, ...proof] : proof;
  if (first === undefined) return false;
  let [at, last] = [old - 1, size - 1];
  while (at % 2 === 1) [at, last] = [half(at), half(last)];
  let before = first;
  let after = first;
  for (const part of rest) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      before = nodeHash(part, before);
      after = nodeHash(part, after);
      while (at % 2 === 0 && at !== 0) [at, last] = [at / 2, half(last)];
    } else {
      after = nodeHash(after, part);
    }
    [at, last] = [half(at), half(last)];
  }
  return last === 0 && before.equals(oldRoot) && after.equals(root);
}

function half(value: number): number {
  return Math.floor(value / 2);
}
