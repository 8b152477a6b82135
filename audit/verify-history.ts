import { nextLine } from './chain';
import { broken, held, type Level, missing } from './report';
import type { Head, ProjectedEntry } from './types';

/** Where a line stands. */
export interface Place {
  segment: string;
  offset: number;
}

/**
 * Compares a log with the projection of the event history, line by line, byte by byte. Entries of our own (repairs,
 * declared breaks) are in no history; they take part only as what the next entry follows.
 */
export class HistoryComparison {
  private readonly history: AsyncIterator<ProjectedEntry>;
  private level: Level | null = null;
  private compared = 0;

  constructor(
    history: AsyncIterable<ProjectedEntry>,
    private readonly log: string,
  ) {
    this.history = history[Symbol.asyncIterator]();
  }

  /**
   * @param head before this line
   * @param bytes the line as it stands in the log
   */
  async take(head: Head, bytes: Buffer, { segment, offset }: Place): Promise<void> {
    if (this.level) return;
    const { value, done } = await this.history.next();
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

  /**
   * @param mayLead the mirror has not run yet since the last events: a history that goes further is none
   * @param head of the log's valid part
   */
  async end(head: Head, mayLead: boolean): Promise<Level> {
    if (this.level) return this.level;
    const { value, done } = await this.history.next();
    if (done) return held(`${this.compared} entries are those of the event history`);
    if (mayLead) return held(`${this.compared} entries are those of the event history, which goes further`);
    return broken({
      what: 'the entry that the event history gives',
      seq: head.size,
      segment: null,
      offset: null,
      expected: nextLine(head, this.log, value).bytes.toString('utf8'),
      actual: 'no further entry: the log ends before it',
    });
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
