/** The mirror's write: entries of the event history, appended durably and once, by however many processes. */
import { constants, fstatSync, writeSync } from 'node:fs';
import { basename, join } from 'node:path';
import { replaceFile, syncDirectory } from '../store/durable';
import type { WorkspaceLayout } from '../store/layout';
import { type Tenure, withLockInTurn } from '../store/lock-queue';
import { BLOCK, entriesBackward, wholeLines } from './backward';
import { chain, nextLine } from './chain';
import type { Line } from './entry';
import { ForkedLog, unwritable } from './errors';
import { type End, keepEnd, noteWritten, takeEnd } from './kept-end';
import {
  hasFolder,
  type LogPaths,
  logPaths,
  makeFolder,
  makeQuarantine,
  openOwn,
  SEGMENT_BYTES,
  segmentName,
  segmentsOf,
} from './log-files';
import { keyOf, unseenOf } from './overlap';
import { CHECKPOINT_EVERY, isSigned, signedSize, signHead } from './signer';
import { keepTorn } from './torn';
import type { Entry, Head, ProjectedEntry } from './types';

/** Which log: `log` is `planwright/<namespace>/<plan>`. */
export interface LogId {
  plan: string;
  log: string;
}

export interface AppendOptions {
  /** How long to wait for another process, in milliseconds. */
  lockTimeoutMs?: number;
  /** Most bytes of a segment; smaller for tests. */
  segmentBytes?: number;
  /** The user's state directory: checkpoints are signed with the key there, and witnessed. Without it, none are. */
  state?: string;
  /** Sign also where none is due by the number of entries or by what they are. */
  sign?: boolean;
}

const LOCK_TIMEOUT_MS = 30_000;
const NEWLINE = Buffer.of(0x0a);
/** Most bytes of one write: a rebuild of a long log is not held in memory twice. */
const WRITE_BYTES = 8 * 1024 * 1024;

/** The last entry of a log that comes from a history, and where. */
export interface Mirrored {
  run: string;
  eventId: number;
  seq: number;
}

/**
 * Where the mirror goes on: it projects the history from this event on, including it.
 *
 * @returns null where the log has no entry of a history
 * @throws CorruptLog where the log's end is not what we wrote
 */
export async function lastMirrored(layout: WorkspaceLayout, plan: string): Promise<Mirrored | null> {
  const paths = logPaths(layout, plan);
  if (!hasFolder(layout, paths)) return null;
  for await (const { entry } of entriesBackward(paths.folder, segmentsOf(paths), null)) {
    const { run, eventId, seq } = entry.body;
    if (run !== null && eventId !== null) return { run, eventId, seq };
  }
  return null;
}

/**
 * Appends what the log does not hold yet of a projection of the history. When it returns, all of `from` is on disk. The
 * same entries twice are one; several processes at once are as good as one.
 *
 * @param from in order, each event with all its entries, from the event of `lastMirrored` or an earlier one
 * @returns the log's new end, and how many entries were new
 * @throws ForkedLog where the log holds something else than the history: both are in quarantine
 * @throws LogGap where `from` begins after the log's end · CorruptLog · UnfitEntry
 * @throws UnwritableLog where the system refuses: nothing was appended
 * @throws CheckpointRefused where all is on disk, and the log does not begin with what was signed last
 * @throws LockBusyError where another process keeps the log for longer than `lockTimeoutMs`
 */
export async function appendEntries(
  layout: WorkspaceLayout,
  id: LogId,
  from: readonly ProjectedEntry[],
  options: AppendOptions = {},
): Promise<Head & { appended: number }> {
  const paths = logPaths(layout, id.plan);
  try {
    await makeFolder(layout, paths);
    const timeoutMs = options.lockTimeoutMs ?? LOCK_TIMEOUT_MS;
    return await withLockInTurn(paths.lock, { timeoutMs }, (tenure) =>
      appendLocked(tenure, paths, id.log, from, options),
    );
  } catch (error) {
    throw unwritable(paths.folder, error);
  }
}

async function appendLocked(
  tenure: Tenure,
  paths: LogPaths,
  log: string,
  from: readonly ProjectedEntry[],
  options: AppendOptions,
): Promise<Head & { appended: number }> {
  const { end, head, unseen } = (await takeEnd(tenure, paths, log, from)) ?? (await readEnd(paths, log, from));
  let isKept = false;
  try {
    const { lines, head: after } = chain(head, log, unseen);
    await writeLines(paths, end, lines, options.segmentBytes ?? SEGMENT_BYTES);
    if (
      options.state &&
      (await isSigningDue(log, after.size, from, lines.length, { ...options, state: options.state }))
    ) {
      await signHead(paths, log, after, { state: options.state });
    }
    await keepEnd(tenure, end);
    isKept = true;
    return { ...after, appended: lines.length };
  } finally {
    if (!isKept) await end.handle.close();
  }
}

/** Opens the log's end and reads back as far as it and `from` overlap. */
async function readEnd(
  paths: LogPaths,
  log: string,
  from: readonly ProjectedEntry[],
): Promise<{ end: End; head: Head; unseen: readonly ProjectedEntry[] }> {
  const end = await openEnd(paths);
  try {
    const overlap = await unseenOf(entriesBackward(paths.folder, end.segments, log, end), log, from);
    if ('differs' in overlap) throw await forked(paths, log, overlap.differs, overlap.expected);
    end.follows = keyOf(overlap.newest?.body);
    return { end, head: overlap.head, unseen: overlap.unseen };
  } catch (error) {
    await end.handle.close();
    throw error;
  }
}

/**
 * Whether the log should be signed now. A writer that was killed between append and checkpoint left a gate or an end
 * unsigned: so entries count that were there before.
 */
async function isSigningDue(
  log: string,
  size: number,
  from: readonly ProjectedEntry[],
  appended: number,
  { state, sign = false }: AppendOptions & { state: string },
): Promise<boolean> {
  const isCrossed = Math.floor(size / CHECKPOINT_EVERY) > Math.floor((size - appended) / CHECKPOINT_EVERY);
  const last = from.findLastIndex(({ event }) => isSigned(event));
  if (!sign && !isCrossed && last < 0) return false;
  const signed = await signedSize(state, log);
  return sign || size - signed >= CHECKPOINT_EVERY || (last >= 0 && size - from.length + last >= signed);
}

/** Opens the last segment; what a killed writer left of a line is kept as evidence and cut. */
async function openEnd(paths: LogPaths): Promise<End & { segments: string[] }> {
  const there = segmentsOf(paths);
  const name = there.at(-1) ?? segmentName(1);
  const end = await openSegment(paths, Number.parseInt(name, 10));
  try {
    const { size, torn } = wholeLines(end.handle, end.size);
    if (torn.length > 0) {
      await keepTorn(paths, { segment: name, offset: size, bytes: torn });
      await end.handle.truncate(size);
      await end.handle.sync();
    }
    return { ...end, size, segments: there.length > 0 ? there : [name] };
  } catch (error) {
    await end.handle.close();
    throw error;
  }
}

async function openSegment(paths: LogPaths, number: number): Promise<End> {
  const handle = await openOwn(join(paths.folder, segmentName(number)), constants.O_RDWR | constants.O_CREAT);
  try {
    const { size } = fstatSync(handle.fd);
    // An empty one may have been made by a writer that was killed before it synced the folder.
    return { number, handle, size, isNew: size === 0, written: [], follows: '' };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Writes and syncs. Syncs also where there is nothing to write: what stands there may be a killed writer's. */
async function writeLines(paths: LogPaths, end: End, lines: readonly Line[], segmentBytes: number): Promise<void> {
  let pending: Line[] = [];
  let length = 0;
  const flush = async (): Promise<void> => {
    await writeDurably(end, Buffer.concat(pending.flatMap(({ bytes }) => [bytes, NEWLINE])));
    if (end.isNew) await syncDirectory(paths.folder);
    end.isNew = false;
    noteWritten(end, pending);
    pending = [];
    length = 0;
  };
  for (const line of lines) {
    const { bytes } = line;
    const isFull = end.size + length > 0 && end.size + length + bytes.length + 1 > segmentBytes;
    if (isFull || length > WRITE_BYTES) await flush();
    if (isFull) {
      await end.handle.close();
      const follows = end.written.length > 0 ? keyOf(end.written.at(-1)?.entry.body) : end.follows;
      Object.assign(end, await openSegment(paths, end.number + 1), { follows });
    }
    pending.push(line);
    length += bytes.length + 1;
  }
  await flush();
}

/** All of it, or nothing: after a failure the file is as long as before, and nobody takes a part for written. */
async function writeDurably(end: End, bytes: Buffer): Promise<void> {
  try {
    for (let done = 0; done < bytes.length; ) {
      const left = bytes.length - done;
      // A few lines go into memory only, at once: a turn through the pool of threads would cost more than that. The sync waits.
      done +=
        left <= BLOCK
          ? writeSync(end.handle.fd, bytes, done, left, end.size + done)
          : (await end.handle.write(bytes, done, left, end.size + done)).bytesWritten;
    }
    await end.handle.datasync();
    end.size += bytes.length;
  } catch (error) {
    // What cannot be cut off now is found, compared or cut by whoever appends next.
    await end.handle.truncate(end.size).catch(() => undefined);
    throw error;
  }
}

async function forked(paths: LogPaths, log: string, entry: Entry, expected: ProjectedEntry | null): Promise<ForkedLog> {
  const { seq, prev } = entry.body;
  const head = { size: seq, hash: seq === 0 ? null : prev };
  const ours = expected && nextLine(head, log, expected).entry;
  const name = `fork-${seq}-${entry.hash.slice(0, 16)}-${ours?.hash.slice(0, 16) ?? 'none'}.json`;
  const evidence = join(paths.quarantine, name);
  await makeQuarantine(paths);
  await replaceFile(evidence, `${JSON.stringify({ schema: 'planwright.audit-fork/1', log: entry, history: ours })}\n`);
  return new ForkedLog(seq, join(basename(paths.folder), 'quarantine', name));
}
