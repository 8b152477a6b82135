/**
 * What a rollback or a clean has to do with one path: the rules of a safe undo as a function of what the plan wrote there
 * and what stands there now. Whoever calls does the reading and the writing.
 */
import type { UndoKind, WriteStep } from './steps';

/** A digest (SHA-256, hex) of what stands at a path; null: nothing does. */
type Content = string | null;

export interface UndoDecision {
  /**
   * `delete`, `restore`: to be done. `gone`: what the plan made was deleted since. `original`: what stands there is not
   * the plan's. `changed`: what stands there was the plan's until somebody else changed it; it stays.
   */
  kind: 'delete' | 'restore' | 'gone' | 'original' | 'changed';
  /** What shall stand there afterwards; equal to what does for all but `delete` and `restore`. */
  target: Content;
  /** How many of the steps are undone with it, counted from the newest. */
  undone: number;
  /** True where steps are left over: a person changed the file between two writes of the plan. */
  blocked: boolean;
  /** True where content goes that the plan did not write. */
  overwrites: boolean;
}

/**
 * @param steps what the plan wrote at the path, newest first; at least one
 * @param now what stands there
 * @param overwrite true: a person's changes are taken back too
 */
export function decideUndo(
  kind: UndoKind,
  steps: readonly WriteStep[],
  now: Content,
  overwrite: boolean,
): UndoDecision {
  return kind === 'clean' ? decideClean(steps, now, overwrite) : decideRollback(steps, now, overwrite);
}

/** From the newest write to the oldest, as long as each finds what it left. */
function decideRollback(steps: readonly WriteStep[], now: Content, overwrite: boolean): UndoDecision {
  let target = now;
  let overwrites = false;
  const start = reached(steps, now);
  for (const [at, step] of steps.slice(start).entries()) {
    const sure = step.unconfirmed === undefined;
    // Where nothing stands, nobody's work is in the way of what stood there before.
    const deleted = sure && now === null && target === null;
    if (target === step.sha256 || deleted) target = step.preSha256;
    else if (target === step.preSha256 || !sure) continue;
    else if (overwrite) {
      overwrites ||= target === now;
      target = step.preSha256;
    } else {
      const { kind } = now === target ? { kind: 'changed' as const } : outcome(now, target);
      return { kind, target, undone: start + at, blocked: true, overwrites: false };
    }
  }
  return { ...outcome(now, target), undone: steps.length, blocked: false, overwrites };
}

/** How many steps are undone already: somebody may have put an older content back by hand. */
function reached(steps: readonly WriteStep[], now: Content): number {
  if (now === null) return 0;
  for (const [at, step] of steps.entries()) {
    if (step.sha256 === now) return at;
    if (step.preSha256 === now) return at + 1;
  }
  return 0;
}

function outcome(now: Content, target: Content): Pick<UndoDecision, 'kind' | 'target'> {
  if (now !== target) return { kind: target === null ? 'delete' : 'restore', target };
  return { kind: now === null ? 'gone' : 'original', target };
}

/** What the plan made goes, whatever was there before; what it did not make stays. */
function decideClean(steps: readonly WriteStep[], now: Content, overwrite: boolean): UndoDecision {
  const done = { undone: steps.length, blocked: false, overwrites: false };
  if (now === null) return { ...done, kind: 'gone', target: null };
  if (steps.some(({ sha256 }) => sha256 === now)) return { ...done, kind: 'delete', target: null };
  const confirmed = steps.filter(({ unconfirmed }) => unconfirmed === undefined);
  if (confirmed.length === 0 || steps.at(-1)?.preSha256 === now) return { ...done, kind: 'original', target: now };
  if (overwrite) return { ...done, kind: 'delete', target: null, overwrites: true };
  return { kind: 'changed', target: now, undone: 0, blocked: true, overwrites: false };
}
