/** Reads a log from its beginning, in constant memory. */
import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { openOwn } from './log-files';

const CHUNK = 256 * 1024;
/** A piece without a newline that is longer than this is given as it is: no line is that long. */
const LONGEST_PIECE = 4 * CHUNK;
const NEWLINE = 0x0a;

/** One line, without its newline. Its bytes are valid until the next batch is read. */
export interface Piece {
  bytes: Buffer;
  /** From the start of the segment. */
  offset: number;
  /** False for what stands behind the last newline. */
  isWhole: boolean;
}

export interface Batch {
  segment: string;
  /** No other segment follows. */
  isLast: boolean;
  pieces: Piece[];
}

/** The lines of all segments, some hundred at a time: one promise for each line would cost more than checking it. */
export async function* readLines(folder: string, segments: readonly string[]): AsyncGenerator<Batch> {
  for (const [index, segment] of segments.entries()) {
    const handle = await openOwn(join(folder, segment), constants.O_RDONLY);
    try {
      for await (const pieces of piecesOf(handle)) yield { segment, isLast: index === segments.length - 1, pieces };
    } finally {
      await handle.close();
    }
  }
}

async function* piecesOf(handle: FileHandle): AsyncGenerator<Piece[]> {
  let rest = Buffer.alloc(0);
  let offset = 0;
  for (;;) {
    const chunk = Buffer.allocUnsafe(rest.length + CHUNK);
    rest.copy(chunk);
    const { bytesRead } = await handle.read(chunk, rest.length, CHUNK, offset + rest.length);
    const held = chunk.subarray(0, rest.length + bytesRead);
    const pieces: Piece[] = [];
    let start = 0;
    for (let end = held.indexOf(NEWLINE); end >= 0; end = held.indexOf(NEWLINE, start)) {
      pieces.push({ bytes: held.subarray(start, end), offset: offset + start, isWhole: true });
      start = end + 1;
    }
    rest = held.subarray(start);
    offset += start;
    if (rest.length > 0 && (bytesRead === 0 || rest.length > LONGEST_PIECE)) {
      pieces.push({ bytes: rest, offset, isWhole: false });
      yield pieces;
      return;
    }
    if (pieces.length > 0) yield pieces;
    if (bytesRead === 0) return;
  }
}

/** The bytes of an open file, in pieces; each is valid until the next is read. */
export async function* chunksOf(handle: FileHandle): AsyncGenerator<Buffer> {
  const chunk = Buffer.allocUnsafe(CHUNK);
  for (let position = 0; ; ) {
    const { bytesRead } = await handle.read(chunk, 0, CHUNK, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield chunk.subarray(0, bytesRead);
  }
}
