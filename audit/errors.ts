import { FailedError, IntegrityError } from '../plan/errors';
import { diskTrouble } from '../store/disk-trouble';

/** What is wrong with one place of a log: enough to find it with `dd`, and to see what it should have been. */
export interface Fault {
  /** Which rule does not hold. */
  what:
    | 'size'
    | 'envelope'
    | 'utf8'
    | 'hash'
    | 'json'
    | 'canonical'
    | 'shape'
    | 'data'
    | 'log'
    | 'seq'
    | 'prev'
    | 'torn';
  expected: string;
  actual: string;
  /** Bytes from the start of the line. */
  at: number;
}

/** A fault with its place in the files. */
export interface PlacedFault extends Fault {
  /** File name of the segment. */
  segment: string;
  /** Bytes from the start of the segment's file to the place that is wrong. */
  offset: number;
  /** The number that the entry at this place has, or should have. */
  seq: number;
}

/** A line, or what lies around the lines, is not what we wrote. Nothing is appended to such a log. */
export class CorruptLog extends IntegrityError {
  constructor(
    message: string,
    readonly fault: PlacedFault | null = null,
  ) {
    super(message, 'Look with `planwright history verify`, then repair with `planwright history repair`.');
  }
}

/** The log holds another entry than the history at the same place. Both are kept in quarantine. */
export class ForkedLog extends IntegrityError {
  constructor(
    readonly seq: number,
    /** The file that holds both lines. */
    readonly evidence: string,
  ) {
    super(
      `The audit log and the event history differ at entry ${seq}: one of them was changed. Both are kept in ${evidence}.`,
      'Look with `planwright history verify`, then repair with `planwright history repair`.',
    );
  }
}

/** The entries given do not reach back to the last entry of the log, so nothing can say what stands between. */
export class LogGap extends IntegrityError {}

/** An entry that no line can hold. It is our bug: contents stand in an entry as digests only. */
export class UnfitEntry extends IntegrityError {}

/** The signer does not sign what its last checkpoint does not precede. */
export class CheckpointRefused extends IntegrityError {
  constructor(message: string) {
    super(message, 'Look with `planwright history verify`, then repair with `planwright history repair`.');
  }
}

/** The log cannot be written: nothing was appended, and nothing that it should tell of may happen. */
export class UnwritableLog extends FailedError {}

/** As an error for people, where the system refused. Errors that are for people already stay as they are. */
export function unwritable(folder: string, error: unknown): unknown {
  if (typeof error !== 'object' || error === null || !('code' in error) || typeof error.code !== 'string') return error;
  const trouble = diskTrouble(error);
  const why = trouble?.message ?? `The system refused with ${error.code}.`;
  const advice = trouble?.advice ?? 'Check the disk, then try again.';
  return new UnwritableLog(`The audit log in ${folder} cannot be written. ${why}`, advice, { cause: error });
}
