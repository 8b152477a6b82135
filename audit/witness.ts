/**
 * What this user has seen of a log, outside the workspace: its latest checkpoint, which only moves forward, and with it
 * what it takes to show that a longer log begins with the one seen.
 */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { sha256 } from '../plan/digest';
import { replaceFile } from '../store/durable';
import { type Checkpoint, openCheckpoint } from './checkpoint';
import { CompactRange } from './merkle';

const hex = z.string().regex(/^[0-9a-f]{64}$/);

const shape = z.strictObject({
  schema: z.literal('planwright.witness/1'),
  /** The signed note. */
  checkpoint: z.string(),
  /** Hash of the last entry that it covers. */
  head: hex,
  /** Roots of the perfect subtrees before that entry: together they give the signed root. */
  before: z.array(hex),
  /** Notes that a repair without a history left behind, oldest first. */
  superseded: z.array(z.string()),
});

export interface Witness extends Pick<Checkpoint, 'size' | 'root'> {
  head: string;
  note: string;
  superseded: string[];
  /** Roots of the perfect subtrees before the last entry. */
  before: Buffer[];
  /** The tree that was seen; a copy that may grow. */
  range(): CompactRange;
}

export function witnessPath(state: string, origin: string): string {
  return join(state, 'witness', sha256(origin));
}

/**
 * @param state the user's state directory
 * @param verifier the key that must have signed
 * @returns null where this log was never witnessed; a string, what is wrong with the file, where nothing can be built on it
 */
export async function readWitness(state: string, origin: string, verifier: string): Promise<Witness | string | null> {
  const text = await readFile(witnessPath(state, origin), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return null;
  const parsed = shape.safeParse(parseJson(text));
  if (!parsed.success) return 'it is damaged';
  const { checkpoint, head, superseded } = parsed.data;
  const before = parsed.data.before.map((one) => Buffer.from(one, 'hex'));
  const seen = openCheckpoint(checkpoint, origin, verifier);
  if (typeof seen === 'string') return seen;
  const { size, root } = seen;
  const range = (): CompactRange => {
    const tree = CompactRange.from(size - 1, before);
    tree.push(Buffer.from(head, 'hex'));
    return tree;
  };
  try {
    if (!range().root().equals(root)) return 'its tree has not the signed root';
  } catch {
    return 'its tree has not the signed size';
  }
  return { size, root, head, note: checkpoint, superseded, before, range };
}

/** Writes it, durably. That it moves forward is for the signer to see. */
export async function writeWitness(
  state: string,
  origin: string,
  { note, head, before, superseded }: { note: string; head: string; before: Buffer[]; superseded: string[] },
): Promise<void> {
  const witness: z.input<typeof shape> = {
    schema: 'planwright.witness/1',
    checkpoint: note,
    head,
    before: before.map((root) => root.toString('hex')),
    superseded,
  };
  await replaceFile(witnessPath(state, origin), `${JSON.stringify(witness, null, 2)}\n`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
