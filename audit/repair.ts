/**
 * Repairs a log: never in place, never by making an entry valid that is not. What was there is copied first; what
 * replaces it comes from the event history, or is the part that held.
 */
import type { Actor } from '../plan/facts';
import type { WorkspaceLayout } from '../store/layout';
import { withLockInTurn } from '../store/lock-queue';
import type { LogId } from './append';
import { EMPTY, headAfter, linkFault, nextLine } from './chain';
import type { DataCheck } from './entry';
import { unwritable } from './errors';
import { readLines } from './forward';
import { publicKey } from './key';
import { type BreakData, checkLocalData, type RepairedData } from './local';
import { type LogPaths, logPaths, makeFolder, SEGMENT_BYTES, segmentsOf } from './log-files';
import { verifierKey } from './note';
import { Comparison, localLinesOf, oldLines, type ToldFault, told } from './old-log';
import { putAside } from './quarantine';
import { replaceLog } from './replace-log';
import type { SegmentWriter } from './segment-writer';
import { signHead } from './signer';
import { Structure } from './structure';
import type { Head, ProjectedEntry } from './types';
import { readWitness } from './witness';

export interface RepairOptions {
  /** Who repairs: the local entry says so. */
  actor: Actor;
  /** ISO 8601 with milliseconds. */
  at: string;
  /** The user's state directory, for key and witness; null: the repaired log is not signed. */
  state: string | null;
  /**
   * Sign also what does not go on from what was signed before; the old checkpoint is kept in the witness. A person must
   * have said so: it takes back what the witness says.
   */
  supersede?: boolean;
  segmentBytes?: number;
  lockTimeoutMs?: number;
  checkData?: DataCheck;
}

export interface Repaired extends Head {
  /** `whole`: nothing was wrong. `completed`: only entries at the end were missing, or all. */
  outcome: 'whole' | 'completed' | 'repaired' | 'broken';
  /** Folder with the old bytes, relative to the log's; null where there were none. */
  quarantine: string | null;
  /** The first place that was not what was written. */
  fault: ToldFault | null;
  /** Entries that the witness knows and the log has no more. */
  lost: number | null;
}

/**
 * Rebuilds a log from the whole event history. Entries of our own keep their places where they chain there. A log that
 * only lacks entries at its end becomes what it would have been, byte for byte; for any other, the entry
 * `audit.repaired` tells what was found.
 *
 * @throws CheckpointRefused where the rebuilt log is on disk but does not go on from what was signed
 * @throws UnwritableLog · LockBusyError as `appendEntries`
 */
export function repairFromHistory(
  layout: WorkspaceLayout,
  { plan, log }: LogId,
  history: AsyncIterable<ProjectedEntry>,
  options: RepairOptions,
): Promise<Repaired> {
  return repairing(layout, plan, log, options, async (paths, writer) => {
    const comparison = new Comparison(oldLines(paths));
    let head = await rebuild(writer, paths, log, history, comparison).finally(() => comparison.close());
    const { fault, isShort } = comparison;
    if (!fault && !isShort) return { ...head, outcome: 'whole', quarantine: null, fault, lost: null };
    const aside = segmentsOf(paths).length > 0 ? await putAside(paths, options.at) : null;
    if (fault && aside) {
      const data: RepairedData = { sha256: aside.sha256, bytes: aside.bytes, fault, quarantine: aside.folder };
      head = await addOwn(writer, head, log, 'audit.repaired', data, options);
    }
    return { ...head, outcome: fault ? 'repaired' : 'completed', quarantine: aside?.folder ?? null, fault, lost: null };
  });
}

/**
 * Where no history can be had: keeps the longest valid beginning and declares the break in an entry that verification
 * tells of for ever. What stands behind the break is in the quarantine, and nowhere made valid.
 */
export function declareBreak(layout: WorkspaceLayout, { plan, log }: LogId, options: RepairOptions): Promise<Repaired> {
  return repairing(layout, plan, log, options, async (paths, writer) => {
    const structure = new Structure(
      log,
      (event, data) => checkLocalData(event, data) ?? options.checkData?.(event, data) ?? null,
    );
    for await (const batch of readLines(paths.folder, segmentsOf(paths))) {
      for (const piece of batch.pieces) if (structure.take(batch, piece)) await writer.write(piece.bytes);
    }
    const { head } = structure;
    const fault = structure.fault && told(structure.fault);
    const lost = await lostAfter(head, log, options.state);
    if (!fault && !lost) return { ...head, outcome: 'whole', quarantine: null, fault, lost: null };
    const aside = await putAside(paths, options.at);
    const data: BreakData = { sha256: aside.sha256, bytes: aside.bytes, fault, quarantine: aside.folder, lost };
    const after = await addOwn(writer, head, log, 'audit.break', data, options);
    return { ...after, outcome: 'broken', quarantine: aside.folder, fault, lost };
  });
}

/** Writes the log as the history gives it, with the entries of our own that chain there. @returns its end */
async function rebuild(
  writer: SegmentWriter,
  paths: LogPaths,
  log: string,
  history: AsyncIterable<ProjectedEntry>,
  comparison: Comparison,
): Promise<Head> {
  const kept = await localLinesOf(paths, checkLocalData);
  let head = EMPTY;
  const add = async (line: Buffer, after: Head): Promise<void> => {
    await comparison.take(line, head.size);
    await writer.write(line);
    head = after;
  };
  const addKept = async (): Promise<void> => {
    for (let own = kept.get(head.size); own && !linkFault(head, log, own.entry); own = kept.get(head.size)) {
      await add(own.bytes, headAfter(own.entry));
    }
  };
  for await (const projected of history) {
    await addKept();
    const { bytes, entry } = nextLine(head, log, projected);
    await add(bytes, headAfter(entry));
  }
  await addKept();
  await comparison.end(head.size);
  return head;
}

/** How many entries the witness knows beyond this head; null where there is no witness. */
async function lostAfter({ size }: Head, log: string, state: string | null): Promise<number | null> {
  if (state === null) return null;
  const key = await publicKey(state);
  const witness = await readWitness(state, log, key ? verifierKey(log, key) : '');
  return witness === null || typeof witness === 'string' ? null : Math.max(0, witness.size - size);
}

/** A break that somebody declared takes back what the witness knew of the entries that it lost, and of no others. */
async function sign(
  paths: LogPaths,
  log: string,
  repaired: Repaired,
  { state, supersede }: RepairOptions,
): Promise<void> {
  if (state === null) return;
  const isLoss = repaired.outcome === 'broken' && (repaired.lost ?? 0) > 0;
  await signHead(paths, log, repaired, { state, supersede: supersede || isLoss });
}

async function addOwn(
  writer: SegmentWriter,
  head: Head,
  log: string,
  event: 'audit.repaired' | 'audit.break',
  data: RepairedData | BreakData,
  { actor, at }: RepairOptions,
): Promise<Head> {
  const { bytes, entry } = nextLine(head, log, {
    run: null,
    eventId: null,
    at,
    event,
    actor,
    data: { ...data, fault: data.fault && { ...data.fault } },
  });
  await writer.write(bytes);
  return headAfter(entry);
}

async function repairing(
  layout: WorkspaceLayout,
  plan: string,
  log: string,
  options: RepairOptions,
  write: (paths: LogPaths, writer: SegmentWriter) => Promise<Repaired>,
): Promise<Repaired> {
  const paths = logPaths(layout, plan);
  const { segmentBytes = SEGMENT_BYTES, lockTimeoutMs = 30_000 } = options;
  try {
    await makeFolder(layout, paths);
    return await withLockInTurn(paths.lock, { timeoutMs: lockTimeoutMs }, async () => {
      let repaired: Repaired | null = null;
      await replaceLog(paths, segmentBytes, async (writer) => {
        repaired = await write(paths, writer);
        return repaired.outcome !== 'whole';
      });
      if (repaired === null) throw new Error('a repair without an outcome');
      await sign(paths, log, repaired, options);
      return repaired;
    });
  } catch (error) {
    throw unwritable(paths.folder, error);
  }
}
