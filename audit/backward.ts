/** Reads a log from its end, so that what an append costs does not depend on how long the log is. */
import { constants, fstatSync, readSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { isFault, MAX_LINE, parseLine } from './entry';
import { CorruptLog } from './errors';
import { openOwn } from './log-files';
import type { Entry } from './types';

/** How much is read at a time, and usually all that is. */
export const BLOCK = 64 * 1024;

const NEWLINE = 0x0a;

/** A segment that is open. */
export interface OpenEnd {
  handle: FileHandle;
  /** Bytes of its whole lines. */
  size: number;
}

/** One entry found from the end on. */
export interface Found {
  entry: Entry;
  /** Bytes from the end of the log's whole lines to the start of this one. */
  distance: number;
}

/**
 * Bytes of a file up to the end of its last whole line, and what lies behind: what a killed writer left of a line.
 * @param size of the file
 */
export function wholeLines(handle: FileHandle, size: number): { size: number; torn: Buffer } {
  if (size === 0 || readAt(handle, size - 1, size)[0] === NEWLINE) return { size, torn: Buffer.alloc(0) };
  const pieces: Buffer[] = [];
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - BLOCK);
    const block = readAt(handle, start, end);
    const newline = block.lastIndexOf(NEWLINE);
    if (newline >= 0) {
      pieces.unshift(block.subarray(newline + 1));
      return { size: start + newline + 1, torn: Buffer.concat(pieces) };
    }
    pieces.unshift(block);
    end = start;
  }
  return { size: 0, torn: Buffer.concat(pieces) };
}

/**
 * The log's entries from the last to the first, each checked in itself and against the one after it.
 *
 * @param folder of the log
 * @param segments names, in order
 * @param log the name that every entry must have; null takes any
 * @param end the last segment where it is open already, with the bytes of its whole lines; it is not closed
 * @throws CorruptLog at the first line that is not what we wrote
 */
export async function* entriesBackward(
  folder: string,
  segments: readonly string[],
  log: string | null,
  end?: OpenEnd,
): AsyncGenerator<Found> {
  let distance = 0;
  let after: Entry | null = null;
  for (const [index, segment] of [...segments.entries()].reverse()) {
    const given = index === segments.length - 1 ? end : undefined;
    const handle = given?.handle ?? (await openOwn(join(folder, segment), constants.O_RDONLY));
    try {
      const { size, torn } = given ? { size: given.size, torn: [] } : wholeLines(handle, fstatSync(handle.fd).size);
      if (torn.length > 0 && index < segments.length - 1) {
        throw new CorruptLog(`The audit log's segment ${segment} does not end with a whole line, and another follows.`);
      }
      for (const { line, offset } of linesBackward(handle, size)) {
        const entry = parseLine(line);
        if (isFault(entry)) throw corrupt(folder, segment, offset, entry.expected, entry.actual);
        checkBefore(entry, after, log, (expected, actual) => corrupt(folder, segment, offset, expected, actual));
        distance += line.length + 1;
        after = entry;
        yield { entry, distance };
      }
    } finally {
      if (!given) await handle.close();
    }
  }
  if (after !== null && after.body.seq !== 0) {
    throw new CorruptLog(`The audit log in ${folder} begins with entry ${after.body.seq}; those before it are gone.`);
  }
}

function checkBefore({ body, hash }: Entry, after: Entry | null, log: string | null, wrong: Wrong): void {
  if (log !== null && body.log !== log) throw wrong(`an entry of ${log}`, `one of ${body.log}`);
  if (after === null) return;
  if (after.body.seq !== body.seq + 1) throw wrong(`entry ${after.body.seq - 1}`, `entry ${body.seq}`);
  if (after.body.prev !== hash) throw wrong(`an entry with hash ${after.body.prev}`, hash);
}
type Wrong = (expected: string, actual: string) => CorruptLog;

function corrupt(folder: string, segment: string, offset: number, expected: string, actual: string): CorruptLog {
  const where = `The audit log ${join(folder, segment)} is not what was written, in the line at byte ${offset}`;
  return new CorruptLog(`${where}: expected ${expected}, found ${actual}.`);
}

/** Lines without their newline, from the last to the first. @param end just behind a newline, or 0 */
function* linesBackward(handle: FileHandle, end: number): Generator<{ line: Buffer; offset: number }> {
  let held = Buffer.alloc(0);
  for (let start = end; start > 0; ) {
    const from = Math.max(0, start - BLOCK);
    held = Buffer.concat([readAt(handle, from, start), held]);
    start = from;
    // All but the first piece are whole lines; it is one only where nothing precedes it.
    for (let close = held.length - 1; close >= 0; ) {
      const newline = close === 0 ? -1 : held.lastIndexOf(NEWLINE, close - 1);
      if (newline < 0 && start > 0) {
        held = held.subarray(0, close + 1);
        // Whoever finds it too long says so; what matters here is not to collect a whole segment.
        if (held.length > MAX_LINE + 1) yield { line: held, offset: start };
        break;
      }
      yield { line: held.subarray(newline + 1, close), offset: start + newline + 1 };
      close = newline;
    }
  }
}

/** At once: a block from the end of a log that was just written is in memory. */
export function readAt(handle: FileHandle, start: number, end: number): Buffer {
  const block = Buffer.alloc(end - start);
  let got = 0;
  while (got < block.length) {
    const bytesRead = readSync(handle.fd, block, got, block.length - got, start + got);
    if (bytesRead === 0) break;
    got += bytesRead;
  }
  return block.subarray(0, got);
}
