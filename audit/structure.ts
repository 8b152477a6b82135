import { EMPTY, headAfter, linkFault } from './chain';
import { couldBeTorn, type DataCheck, isFault, parseLine } from './entry';
import type { Fault, PlacedFault } from './errors';
import type { Batch, Piece } from './forward';
import { CompactRange } from './merkle';
import type { Entry, Head } from './types';

/** What a killed writer left of a line; the next append keeps it as evidence and cuts it. */
export interface TornTail {
  segment: string;
  offset: number;
  bytes: number;
}

/**
 * Follows a log line by line, strictly, and knows at each moment its head and the root of its tree. It needs the same
 * memory for ten entries and for ten million. At the first fault it stops: what follows cannot be trusted to be anything.
 */
export class Structure {
  head: Head = EMPTY;
  readonly tree = CompactRange.empty();
  fault: PlacedFault | null = null;
  torn: TornTail | null = null;

  constructor(
    private readonly log: string,
    private readonly checkData?: DataCheck,
  ) {}

  /** @returns the entry; null where the line is at fault, or is torn */
  take({ segment, isLast }: Batch, piece: Piece): Entry | null {
    if (this.fault !== null || this.torn !== null) return null;
    if (!piece.isWhole) {
      if (isLast && couldBeTorn(piece.bytes)) {
        this.torn = { segment, offset: piece.offset, bytes: piece.bytes.length };
        return null;
      }
      const actual = `${piece.bytes.length} bytes without one`;
      return this.refuse(segment, piece, { what: 'torn', at: piece.bytes.length, expected: 'a newline', actual });
    }
    const entry = parseLine(piece.bytes, this.checkData);
    if (isFault(entry)) return this.refuse(segment, piece, entry);
    const unlinked = linkFault(this.head, this.log, entry);
    if (unlinked) return this.refuse(segment, piece, unlinked);
    this.head = headAfter(entry);
    this.tree.push(Buffer.from(entry.hash, 'hex'));
    return entry;
  }

  private refuse(segment: string, { offset }: Piece, fault: Fault): null {
    this.fault = { ...fault, segment, offset: offset + fault.at, seq: this.head.size };
    return null;
  }
}
