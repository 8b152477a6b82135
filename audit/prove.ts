/** A document that shows, without the log, that an entry is in it: the entry, its path in the tree, the signed root. */

import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { UnreachableError, UsageError } from '../plan/errors';
import type { WorkspaceLayout } from '../store/layout';
import type { LogId } from './append';
import { openCheckpoint } from './checkpoint';
import { isFault, parseLine } from './entry';
import { CorruptLog } from './errors';
import { readLines } from './forward';
import { publicKey } from './key';
import { logPaths, segmentsOf } from './log-files';
import { checkInclusion, inclusionPath, SubtreeRoots } from './merkle';
import { verifierKey } from './note';
import { Structure } from './structure';
import type { Entry } from './types';

const shape = z.strictObject({
  schema: z.literal('planwright.audit-proof/1'),
  log: z.string(),
  /** The whole line, as it stands in the log. */
  line: z.string(),
  /** Roots of the subtrees beside the entry's way to the root, hex (RFC 6962, 2.1.1). */
  path: z.array(z.string().regex(/^[0-9a-f]{64}$/)),
  /** The signed note. */
  checkpoint: z.string(),
  /** Whose signature it is; whoever checks decides whether to trust it. */
  key: z.string(),
});

export type Proof = z.infer<typeof shape>;

/**
 * Proves that an entry is in the log, by its latest checkpoint.
 *
 * @param state the user's state directory
 * @throws UsageError where the log has no such entry · CorruptLog where it is not whole up to the checkpoint
 * @throws UnreachableError where no checkpoint covers the entry
 */
export async function proveEntry(
  layout: WorkspaceLayout,
  { plan, log }: LogId,
  seq: number,
  state: string,
): Promise<Proof> {
  const paths = logPaths(layout, plan);
  const key = await publicKey(state);
  const note = await readFile(paths.checkpoint, 'utf8').catch(() => null);
  if (key === null || note === null) throw uncovered(`The audit log ${log} has no checkpoint.`);
  const verifier = verifierKey(log, key);
  const checkpoint = openCheckpoint(note, log, verifier);
  if (typeof checkpoint === 'string') throw new CorruptLog(`The checkpoint of ${log} cannot be used: ${checkpoint}.`);
  const { size, root } = checkpoint;
  if (seq >= size) throw uncovered(`The checkpoint of ${log} covers ${size} entries; entry ${seq} is not among them.`);

  const structure = new Structure(log);
  const roots = new SubtreeRoots(inclusionPath(seq, size));
  let line: string | null = null;
  for await (const batch of readLines(paths.folder, segmentsOf(paths))) {
    for (const piece of batch.pieces) {
      if (structure.head.size === size) break;
      const entry = structure.take(batch, piece);
      if (entry === null)
        throw new CorruptLog(`The audit log ${log} is not whole at entry ${structure.head.size}.`, structure.fault);
      roots.push(Buffer.from(entry.hash, 'hex'));
      if (entry.body.seq === seq) line = piece.bytes.toString('utf8');
    }
    if (structure.head.size === size) break;
  }
  if (line === null || !structure.tree.root().equals(root)) {
    throw new CorruptLog(`The audit log ${log} is not the one whose first ${size} entries were signed.`);
  }
  const path = roots.roots().map((one) => one.toString('hex'));
  return { schema: 'planwright.audit-proof/1', log, line, path, checkpoint: note, key: verifier };
}

/** What a proof shows. */
export interface Shown {
  entry: Entry;
  /** Of the log, when it was signed. */
  size: number;
  /** Whose signature it rests on. */
  key: string;
}

/**
 * Checks a proof, with nothing but the document itself.
 *
 * @param document parsed JSON
 * @param trusted the key that must have signed, as `verifierKey` spells it; null takes the document's own, and then it
 * shows only that the holder of that key signed
 * @returns what it shows, or in words why it shows nothing
 */
export function checkProof(document: unknown, trusted: string | null): Shown | string {
  const parsed = shape.safeParse(document);
  if (!parsed.success) return 'the document is no proof of an entry';
  const { log, line, path, checkpoint: note, key } = parsed.data;
  if (trusted !== null && key !== trusted) return `it rests on the key ${key}, and not on ${trusted}`;
  const checkpoint = openCheckpoint(note, log, key);
  if (typeof checkpoint === 'string') return `its checkpoint does not hold: ${checkpoint}`;
  const entry = parseLine(Buffer.from(line));
  if (isFault(entry)) return `its entry does not hold: expected ${entry.expected}, found ${entry.actual}`;
  if (entry.body.log !== log) return `its entry is of the log ${entry.body.log}`;
  const hashes = path.map((one) => Buffer.from(one, 'hex'));
  const leaf = Buffer.from(entry.hash, 'hex');
  if (!checkInclusion(entry.body.seq, checkpoint.size, leaf, hashes, checkpoint.root)) {
    return `entry ${entry.body.seq} is not in the tree that was signed`;
  }
  return { entry, size: checkpoint.size, key };
}

/** @param text of an argument. @throws UsageError where it is no number of an entry */
export function entryNumber(text: string): number {
  if (/^(0|[1-9]\d{0,14})$/.test(text)) return Number(text);
  throw new UsageError(
    `"${text}" is no number of an entry.`,
    'Entries are numbered from 0; `planwright history audit` shows them.',
  );
}

function uncovered(message: string): UnreachableError {
  return new UnreachableError(message, 'A checkpoint follows every 64 entries, every gate and the end of a run.');
}
