import type { Checkpoint } from './checkpoint';
import { broken, type Finding, held, type Level, missing, together } from './report';
import type { Head } from './types';
import type { Witness } from './witness';

/** What is known of a log's end elsewhere. A string says what is wrong with the evidence itself. */
export interface KnownHeads {
  checkpoint: Checkpoint | string | null;
  witness: Witness | string | null;
  /** In the workflow's state; null where it cannot be asked. */
  workflow: Head | null;
}

/** What the log was when it had so many entries. */
export interface Then {
  hash: string;
  root: string;
}

/** Sizes at which `Then` has to be remembered. */
export function sizesOf({ checkpoint, witness, workflow }: KnownHeads): Set<number> {
  const known = [checkpoint, witness].flatMap((one) => (one === null || typeof one === 'string' ? [] : [one.size]));
  return new Set([...known, ...(workflow ? [workflow.size] : [])]);
}

/**
 * Compares what the log was with what others know of it.
 *
 * @param then what was remembered of the valid part, by size
 * @param size of the valid part
 */
export function headLevel(known: KnownHeads, then: ReadonlyMap<number, Then>, size: number): Level {
  return together([
    signed('the checkpoint beside the log', known.checkpoint, then, size),
    signed("the witness in the user's state directory", known.witness, then, size),
    workflow(known.workflow, then, size),
  ]);
}

function signed(
  what: string,
  evidence: Checkpoint | Witness | string | null,
  then: ReadonlyMap<number, Then>,
  size: number,
): Level {
  if (evidence === null) return missing(`There is no ${what.replace(/^the /, '')}.`);
  if (typeof evidence === 'string') return broken(finding(what, null, 'a note signed by the key here', evidence));
  const short = tooShort(what, evidence.size, size);
  if (short) return short;
  const root = evidence.root.toString('hex');
  const found = then.get(evidence.size)?.root ?? 'none';
  if (found === root) return held(`${what}: ${evidence.size} entries`);
  // An entry among the first ones is another; a root alone does not tell which.
  return broken(finding(`${what}: root of the first ${evidence.size} entries`, evidence.size - 1, root, found));
}

function workflow(evidence: Head | null, then: ReadonlyMap<number, Then>, size: number): Level {
  const what = "the head in the workflow's state";
  if (evidence === null) return missing(`${what} was not asked for, or cannot be had.`);
  if (evidence.hash === null) return held(`${what}: no entries yet`);
  const short = tooShort(what, evidence.size, size);
  if (short) return short;
  const found = then.get(evidence.size)?.hash ?? 'none';
  if (found === evidence.hash) return held(`${what}: ${evidence.size} entries`);
  return broken(finding(what, evidence.size - 1, evidence.hash, found));
}

function tooShort(what: string, known: number, size: number): Level | null {
  if (known <= size) return null;
  return broken(finding(what, size, `at least ${known} entries`, `${size} whole entries`));
}

function finding(what: string, seq: number | null, expected: string, actual: string): Finding {
  return { what, seq, segment: null, offset: null, expected, actual };
}
