/** Checkpoints as C2SP tlog-checkpoint describes them: a log's name, its size, and the root of its tree, signed. */
import type { KeyObject } from 'node:crypto';
import { openNote, signNote } from './note';

export interface Checkpoint {
  /** The log's name; also the name of the key that signs. */
  origin: string;
  size: number;
  root: Buffer;
}

export function signCheckpoint({ origin, size, root }: Checkpoint, key: KeyObject): string {
  return signNote(`${origin}\n${size}\n${root.toString('base64')}\n`, origin, key);
}

/**
 * Reads a checkpoint and checks its signature.
 *
 * @param verifier as `verifierKey` spells it
 * @returns what is wrong with it, where it is none of this log, or not signed by this key
 */
export function openCheckpoint(note: string, origin: string, verifier: string): Checkpoint | string {
  const text = openNote(note, verifier);
  if (text === null) return 'it is not signed by the key that signs here';
  const [name, digits = '', root = '', ...more] = text.split('\n').slice(0, -1);
  if (name !== origin) return `it is of the log ${name}`;
  const size = Number(digits);
  const bytes = Buffer.from(root, 'base64');
  const isSpelt = /^(0|[1-9]\d{0,14})$/.test(digits) && bytes.length === 32 && bytes.toString('base64') === root;
  if (!isSpelt || more.some((line) => line === '')) return 'it has not the form of a checkpoint';
  return { origin, size, root: bytes };
}
