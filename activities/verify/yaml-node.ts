import { type Document, isMap, isScalar, isSeq } from 'yaml';

/** The node at a path, or the nearest above it; of a mapping's last key the key itself, where a finding about it belongs. */
export function nodeOf(document: Document, path: readonly (string | number)[]): unknown {
  let node: unknown = document.contents;
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && key.value === part);
      if (!pair) return node;
      if (part === path.at(-1)) return pair.key;
      node = pair.value;
    } else if (isSeq(node)) node = node.get(Number(part), true) ?? node;
    else return node;
  }
  return node;
}
