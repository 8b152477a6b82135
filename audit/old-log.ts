/** Looks at a log that is to be replaced: what of it can be kept, and where it is not what it should be. */
import type { DataCheck } from './entry';
import { couldBeTorn, isFault, parseLine } from './entry';
import type { PlacedFault } from './errors';
import { type Piece, readLines } from './forward';
import { isLocal } from './local';
import { type LogPaths, segmentsOf } from './log-files';
import type { Entry } from './types';

/** A fault as a repair tells of it: the two texts are cut, so that they fit into an entry. */
export type ToldFault = Omit<PlacedFault, 'at' | 'what'> & { what: string };

const TOLD_LENGTH = 512;

export function told({ what, segment, offset, seq, expected, actual }: ToldFault): ToldFault {
  const cut = (text: string): string => text.slice(0, TOLD_LENGTH).toWellFormed();
  return { what, segment, offset, seq, expected: cut(expected), actual: cut(actual) };
}

/** A line with its place. */
export interface OldLine extends Piece {
  segment: string;
}

/** One by one; those of a repair are few enough for it. */
export async function* oldLines(paths: LogPaths): AsyncGenerator<OldLine> {
  for await (const { segment, pieces } of readLines(paths.folder, segmentsOf(paths))) {
    for (const piece of pieces) yield { ...piece, segment };
  }
}

/** The entries of our own that are whole in themselves, by number. Whether they chain is for the rebuild to see. */
export async function localLinesOf(
  paths: LogPaths,
  checkData: DataCheck,
): Promise<Map<number, { bytes: Buffer; entry: Entry }>> {
  const found = new Map<number, { bytes: Buffer; entry: Entry }>();
  for await (const { bytes, isWhole } of oldLines(paths)) {
    if (!isWhole) continue;
    const entry = parseLine(bytes, checkData);
    if (isFault(entry) || !isLocal(entry.body.event) || found.has(entry.body.seq)) continue;
    found.set(entry.body.seq, { bytes: Buffer.from(bytes), entry });
  }
  return found;
}

/** Compares an old log with the new one as that is written. */
export class Comparison {
  fault: ToldFault | null = null;
  /** The old one ends first, and is the beginning of the new one. */
  isShort = false;

  constructor(private readonly old: AsyncGenerator<OldLine>) {}

  /** @param seq of the new line */
  async take(line: Buffer, seq: number): Promise<void> {
    if (this.fault || this.isShort) return;
    const { value, done } = await this.old.next();
    const wasTorn = !done && !value.isWhole && line.subarray(0, value.bytes.length).equals(value.bytes);
    if (done || wasTorn) this.isShort = true;
    else if (!value.isWhole || !value.bytes.equals(line)) this.differs(value, seq, line);
  }

  /** @param size of the new log */
  async end(size: number): Promise<void> {
    if (!this.fault && !this.isShort) {
      const { value, done } = await this.old.next();
      if (!done && !value.isWhole && couldBeTorn(value.bytes)) this.isShort = true;
      else if (!done) this.differs(value, size, null);
    }
  }

  async close(): Promise<void> {
    await this.old.return(undefined);
  }

  private differs({ bytes, segment, offset }: OldLine, seq: number, line: Buffer | null): void {
    let at = 0;
    while (line && at < bytes.length && line[at] === bytes[at]) at += 1;
    const expected = line?.toString('utf8') ?? 'no further entry';
    const actual = bytes.toString('utf8');
    this.fault = told({ what: 'history', segment, offset: offset + at, seq, expected, actual });
  }
}
