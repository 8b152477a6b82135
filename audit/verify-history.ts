import { nextLine } from './chain';
import { broken, held, type Level, missing } from './report';
import type { Head, ProjectedEntry } from './types';

/** Where a line stands. */
export interface Place {
  segment: string;
  offset: number;
}

/** How much of a plan's past the history tells of. */
export interface HistoryRange {
  /**
   * The first execution that can be had, where those before it cannot: Temporal has forgotten them, or had lost the plan
   * and it was taken up. What stands before it in the log is not compared. Null: it tells of all.
   */
  startsAt: string | null;
  /** It was exported while the plan went on: a log that goes further is none. */
  mayEnd: boolean;
  /** What has not been mirrored yet: nothing, what is as new as this (ISO 8601), or whatever it is. */
  mayLead: false | { since: string } | true;
}

export const WHOLE_HISTORY: HistoryRange = { startsAt: null, mayEnd: false, mayLead: false };

/**
 * Compares a log with the projection of the event history, line by line, byte by byte. Entries of our own (repairs,
 * declared breaks) are in no history; they take part only as what the next entry follows.
 */
export class HistoryComparison {
  private readonly history: AsyncIterator<ProjectedEntry>;
  private level: Level | null = null;
  private compared = 0;
  /** Entries before the first that the history tells of. */
  private skipped = 0;
  private isSkipping: boolean;
  /** Entries behind the last that the history tells of. */
  private further = 0;

  constructor(
    history: AsyncIterable<ProjectedEntry>,
    private readonly log: string,
    private readonly range: HistoryRange = WHOLE_HISTORY,
  ) {
    this.history = history[Symbol.asyncIterator]();
    this.isSkipping = range.startsAt !== null;
  }

  /**
   * @param head before this line
   * @param bytes the line as it stands in the log
   * @param run the execution that it names; null where it is no entry
   */
  async take(head: Head, bytes: Buffer, { segment, offset }: Place, run: string | null): Promise<void> {
    if (this.level) return;
    if (this.isSkipping && run !== this.range.startsAt) {
      this.skipped += 1;
      return;
    }
    this.isSkipping = false;
    if (this.further > 0) {
      this.further += 1;
      return;
    }
    const { value, done } = await this.history.next();
    if (done && this.range.mayEnd) {
      this.further = 1;
      return;
    }
    const expected = done ? null : nextLine(head, this.log, value).bytes;
    if (expected?.equals(bytes)) {
      this.compared += 1;
      return;
    }
    this.level = broken({
      what: 'the entry that the event history gives',
      seq: head.size,
      segment,
      offset: offset + (expected ? firstDifference(expected, bytes) : 0),
      expected: expected?.toString('utf8') ?? 'no further entry: the history ends before it',
      actual: bytes.toString('utf8'),
    });
  }

  /** @param head of the log's valid part */
  async end(head: Head): Promise<Level> {
    if (this.level) return this.level;
    const { value, done } = await this.history.next();
    if (done) return this.covered();
    const { mayLead } = this.range;
    // Of a log that is gone altogether, nothing tells that it was only late.
    const isYoung = mayLead === true || (mayLead !== false && head.size > 0 && value.at >= mayLead.since);
    if (isYoung) return this.covered('The history goes further by what has not been mirrored yet.');
    return broken({
      what: 'the entry that the event history gives',
      seq: head.size,
      segment: null,
      offset: null,
      expected: nextLine(head, this.log, value).bytes.toString('utf8'),
      actual: 'no further entry: the log ends before it',
    });
  }

  /** A part that nothing could be compared with is no evidence: then the level as a whole is not to be had. */
  private covered(...notes: string[]): Level {
    const { compared, skipped, further } = this;
    const told = [`${compared} entries are those of the event history`, ...notes];
    if (skipped > 0) told.push(`${skipped} entries before them could not be compared: their history cannot be had`);
    if (further > 0) told.push(`${further} entries behind them could not be compared: the history was exported before`);
    return skipped + further > 0 ? { state: 'not to be had', findings: [], notes: told } : held(...told);
  }

  async close(): Promise<void> {
    await this.history.return?.();
  }
}

export const NO_HISTORY = missing('The event history was not asked for, or cannot be had.');

function firstDifference(one: Buffer, other: Buffer): number {
  let at = 0;
  while (at < one.length && one[at] === other[at]) at += 1;
  return at;
}
