/**
 * The end of a log between two appends under one holding of its lock: the segment stays open, and the lines that this
 * process wrote last are known. It may only make an append cheaper. Before each use it is compared with the disk, and
 * where anything is not as it was left, or the entries do not simply go on, it is let go and the log is read anew.
 */
import { fstatSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import type { Tenure } from '../store/lock-queue';
import { BLOCK, type OpenEnd, readAt } from './backward';
import { headAfter } from './chain';
import type { Line } from './entry';
import { type LogPaths, segmentName, segmentsOf } from './log-files';
import { isSame, keyOf } from './overlap';
import type { Head, ProjectedEntry } from './types';

/** The segment that is written to. */
export interface End extends OpenEnd {
  number: number;
  /** Its name is not durable yet. */
  isNew: boolean;
  /** The last lines of it that this process wrote under this holding, up to its end; none where it wrote none. */
  written: Line[];
  /** The event of the entry before those, by `keyOf`. */
  follows: string;
}

/** What a file is, and when it was last changed: the kernel sets that time at every change, and nobody else can. */
interface Mark {
  dev: bigint;
  ino: bigint;
  ctimeNs: bigint;
}

interface Kept {
  end: End;
  mark: Mark;
}

const kept = new WeakMap<Tenure, Kept | null>();

/** Keeps an end whose every byte is synced, until it is taken again or the lock is given back; closes one that nobody wrote to. */
export async function keepEnd(tenure: Tenure, end: End): Promise<void> {
  if (end.written.length === 0) return end.handle.close();
  if (!kept.has(tenure)) tenure.ending(() => dropEnd(tenure));
  kept.set(tenure, { end, mark: fstatSync(end.handle.fd, { bigint: true }) });
}

async function dropEnd(tenure: Tenure): Promise<void> {
  const left = kept.get(tenure);
  if (!left) return;
  kept.set(tenure, null);
  await left.end.handle.close();
}

/**
 * The kept end, which from now on is the caller's to close or to keep, and how many of `from` stand there already.
 *
 * @returns null where there is none, or it cannot say that the log simply goes on: then the log must be read
 */
export async function takeEnd(
  tenure: Tenure,
  paths: LogPaths,
  log: string,
  from: readonly ProjectedEntry[],
): Promise<{ end: End; head: Head; unseen: readonly ProjectedEntry[] } | null> {
  const found = kept.get(tenure);
  const last = found?.end.written.at(-1);
  if (!found || !last) return null;
  try {
    const seen = isAsLeft(paths, found) ? seenOf(found.end, log, from) : null;
    if (seen !== null) {
      kept.set(tenure, null);
      return { end: found.end, head: headAfter(last.entry), unseen: from.slice(seen) };
    }
  } catch {
    // Whatever it is, whoever opens the log anew meets it too and says so.
  }
  await dropEnd(tenure);
  return null;
}

/** Whether the open file is the log's last segment still, with one name, and nobody has changed it. */
function isAsLeft(paths: LogPaths, { end, mark }: Kept): boolean {
  const name = segmentName(end.number);
  if (segmentsOf(paths).at(-1) !== name) return false;
  const open = fstatSync(end.handle.fd, { bigint: true });
  if (open.size !== BigInt(end.size) || open.nlink !== 1n || open.ctimeNs !== mark.ctimeNs) return false;
  const named = lstatSync(join(paths.folder, name), { bigint: true });
  return named.dev === mark.dev && named.ino === mark.ino;
}

/**
 * How many of `from` the log holds, where its end is within them and all that can be compared is the same: the whole last
 * event, and everything before it. Null where the lines that are known do not reach so far, or anything differs.
 */
function seenOf(end: End, log: string, from: readonly ProjectedEntry[]): number | null {
  const { written } = end;
  // Nothing to compare with: only a reading can say that the log's end is in order.
  if (from.length === 0) return null;
  const event = keyOf(written.at(-1)?.entry.body);
  const before = written.findLastIndex(({ entry }) => keyOf(entry.body) !== event);
  // It began further back, where nothing is known.
  if (before < 0 && end.follows === event) return null;
  const first = from.findIndex((one) => keyOf(one) === event);
  const seen = first + written.length - 1 - before;
  if (first < 0 || seen > from.length || seen > written.length) return null;
  const shared = written.slice(written.length - seen);
  const isWhole = shared.every(({ entry }, index) => entry.body.run !== null && isSame(entry, from[index], log));
  return isWhole && isOnDisk(end, shared) ? seen : null;
}

function isOnDisk(end: End, lines: readonly Line[]): boolean {
  const length = lines.reduce((sum, { bytes }) => sum + bytes.length + 1, 0);
  const found = readAt(end.handle, end.size - length, end.size);
  let at = 0;
  for (const { bytes } of lines) {
    if (found.compare(bytes, 0, bytes.length, at, at + bytes.length) !== 0) return false;
    at += bytes.length + 1;
    if (found[at - 1] !== 0x0a) return false;
  }
  return true;
}

/** Notes what was written to an end, and forgets what lies further back than a block of it. */
export function noteWritten(end: End, lines: readonly Line[]): void {
  end.written.push(...lines);
  let length = 0;
  for (let index = end.written.length - 1; index > 0; index -= 1) {
    length += (end.written[index]?.bytes.length ?? 0) + 1;
    if (length <= BLOCK) continue;
    end.follows = keyOf(end.written.splice(0, index).at(-1)?.entry.body);
    return;
  }
}
