/** What a verification found. It never says "verified": it says which evidence was reached, and what each held. */
import type { TornTail } from './structure';
import type { Head } from './types';

export type State = 'held' | 'broken' | 'not to be had';

/** Why something is broken: where, what should be there, and what is. */
export interface Finding {
  /** What was compared. */
  what: string;
  /** The entry, where one can be named. */
  seq: number | null;
  segment: string | null;
  /** Bytes from the start of the segment. */
  offset: number | null;
  expected: string;
  actual: string;
}

export interface Level {
  state: State;
  findings: Finding[];
  /** Which evidence there was, and what was missing; for people. */
  notes: string[];
}

/** A break that somebody declared, because nothing was left to repair from. */
export interface DeclaredBreak {
  seq: number;
  at: string;
  quarantine: string;
  lost: number | null;
}

export interface Report {
  schema: 'planwright.verification/1';
  log: string;
  /** Of the part that is whole. */
  head: Head;
  /** Root of its Merkle tree, hex. */
  root: string;
  levels: { structure: Level; head: Level; history: Level; files: Level };
  /** Entries of repairs. */
  repairs: number[];
  breaks: DeclaredBreak[];
  torn: TornTail | null;
}

export function missing(note: string): Level {
  return { state: 'not to be had', findings: [], notes: [note] };
}

export function held(...notes: string[]): Level {
  return { state: 'held', findings: [], notes };
}

export function broken(finding: Finding, ...notes: string[]): Level {
  return { state: 'broken', findings: [finding], notes };
}

/** Several pieces of evidence of one level: broken by any, held by at least one that holds. */
export function together(levels: readonly Level[]): Level {
  const has = (state: State): boolean => levels.some((level) => level.state === state);
  return {
    state: has('broken') ? 'broken' : has('held') ? 'held' : 'not to be had',
    findings: levels.flatMap(({ findings }) => findings),
    notes: levels.flatMap(({ notes }) => notes),
  };
}
