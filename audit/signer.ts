/** Signs the end of a log, where it goes on from what was signed before. */

import { createPublicKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AuditEvent } from '../plan/facts';
import { replaceFile } from '../store/durable';
import { withLock } from '../store/lock';
import { entriesBackward } from './backward';
import { openCheckpoint, signCheckpoint } from './checkpoint';
import { CheckpointRefused } from './errors';
import { readLines } from './forward';
import { signingKey } from './key';
import { type LogPaths, segmentsOf } from './log-files';
import type { CompactRange } from './merkle';
import { verifierKey } from './note';
import { Structure } from './structure';
import type { Head } from './types';
import { readWitness, type Witness, witnessPath, writeWitness } from './witness';

/** So many entries are at most without a checkpoint, once a log has them. */
export const CHECKPOINT_EVERY = 64;

/** A checkpoint follows these: gates, and ends. */
const SIGNED: ReadonlySet<AuditEvent> = new Set<AuditEvent>([
  'gate.opened',
  'gate.decided',
  'gate.passed',
  'gate.expired',
  'run.finished',
  'undo.finished',
  'plan.failed',
  'plan.deleted',
]);

export function isSigned(event: AuditEvent): boolean {
  return SIGNED.has(event);
}

/** A tree, and its last leaf apart from those before it. */
interface Grown {
  before: Buffer[];
  tree: CompactRange;
}

/** Size up to which a log is signed; 0 where it is not. Not checked: it only says whether to look. */
export async function signedSize(state: string, log: string): Promise<number> {
  const text = await readFile(witnessPath(state, log), 'utf8').catch(() => '');
  return Number(/\\n(\d{1,15})\\n/.exec(text)?.[1] ?? 0);
}

/**
 * Signs the log up to `head`, writes its checkpoint and the witness. The caller holds the log's lock.
 *
 * @param state the user's state directory
 * @param supersede a repair says so: what was signed before is kept in the witness, and not built on
 * @throws CheckpointRefused where the log does not begin with what was signed last
 */
export async function signHead(
  paths: LogPaths,
  log: string,
  { size, hash }: Head,
  { state, supersede = false }: { state: string; supersede?: boolean },
): Promise<void> {
  if (hash === null) return;
  const key = await signingKey(state);
  const verifier = verifierKey(log, createPublicKey(key));
  const lock = join(state, 'witness', '.locks', witnessPath('', log).slice(-64));
  await withLock(lock, { timeoutMs: 30_000 }, async () => {
    const witness = await readWitness(state, log, verifier);
    if (typeof witness === 'string' && !supersede) {
      throw new CheckpointRefused(`The witness of ${log} cannot be used: ${witness}.`);
    }
    const seen = supersede || typeof witness === 'string' ? null : witness;
    const { before, tree } = seen
      ? await grow(paths, log, seen, size)
      : await grownFromStart(paths, log, size, verifier, supersede);
    const note = signCheckpoint({ origin: log, size, root: tree.root() }, key);
    await replaceFile(paths.checkpoint, note);
    const old = typeof witness === 'string' || witness === null ? [] : witness.superseded;
    const left = supersede && witness !== null && typeof witness !== 'string' ? [witness.note] : [];
    await writeWitness(state, log, { note, head: hash, before, superseded: [...old, ...left] });
  });
}

/** From what the witness saw: the entries behind it are read back to the very one that it saw last. */
async function grow(paths: LogPaths, log: string, witness: Witness, size: number): Promise<Grown> {
  if (witness.size > size) {
    throw new CheckpointRefused(`The audit log ${log} has ${size} entries, and ${witness.size} were signed already.`);
  }
  const added: Buffer[] = [];
  for await (const { entry } of entriesBackward(paths.folder, segmentsOf(paths), log)) {
    if (entry.body.seq >= size) continue;
    if (entry.body.seq === witness.size - 1 && entry.hash !== witness.head) {
      throw new CheckpointRefused(
        `Entry ${entry.body.seq} of the audit log ${log} is not the one that was signed: expected ${witness.head}, found ${entry.hash}.`,
      );
    }
    if (entry.body.seq < witness.size) break;
    added.push(Buffer.from(entry.hash, 'hex'));
  }
  const tree = witness.range();
  let before = witness.before;
  for (const leaf of added.reverse()) {
    before = tree.roots();
    tree.push(leaf);
  }
  return { before, tree };
}

/** Nothing was witnessed yet: the whole log is checked, also against a checkpoint that lies beside it. */
async function grownFromStart(
  paths: LogPaths,
  log: string,
  size: number,
  verifier: string,
  supersede: boolean,
): Promise<Grown> {
  const note = supersede ? null : await readFile(paths.checkpoint, 'utf8').catch(() => null);
  const earlier = note === null ? null : openCheckpoint(note, log, verifier);
  const structure = new Structure(log);
  let before: Buffer[] = [];
  for await (const batch of readLines(paths.folder, segmentsOf(paths))) {
    for (const piece of batch.pieces) {
      if (structure.head.size === size) break;
      before = structure.tree.roots();
      if (structure.take(batch, piece) === null) break;
      if (earlier === null || typeof earlier === 'string' || earlier.size !== structure.head.size) continue;
      if (!earlier.root.equals(structure.tree.root())) {
        throw new CheckpointRefused(
          `The audit log ${log} is not the one whose first ${earlier.size} entries were signed.`,
        );
      }
    }
  }
  if (structure.head.size < size || (earlier !== null && typeof earlier !== 'string' && earlier.size > size)) {
    throw new CheckpointRefused(`The audit log ${log} is not whole: ${structure.head.size} valid entries were found.`);
  }
  return { before, tree: structure.tree };
}
