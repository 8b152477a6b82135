/**
 * A write that found the audit log unwritable changed nothing. It is not skipped and does not fail: the task waits, says
 * why, and asks again until the log can be written.
 */
import { ActivityFailure, ApplicationFailure, condition } from '@temporalio/workflow';
import { AUDIT_UNWRITABLE, BY_WORKFLOW } from '../plan/facts';
import type { Step } from './calls';
import type { PlanContext } from './context';
import { idText, said } from './facts';

const FIRST_WAIT_MS = 1_000;
const MOST_WAIT_MS = 60_000;
/** Above the numbers that interrupted activities get, so that ids stay unique (calls.ts). */
const NUMBERED_FROM = 1_000;

/** The execution ends while the write still waits: it is for the next one to begin. */
export class Drained extends Error {}

/** The reason where an activity failed because the log could not be written; null where it failed otherwise. */
export function unwritableReason(error: unknown): string | null {
  const cause = error instanceof ActivityFailure ? error.cause : undefined;
  return cause instanceof ApplicationFailure && cause.type === AUDIT_UNWRITABLE ? cause.message : null;
}

/** Puts into the history that the log could not be written; once, however long that lasts. */
export function recordUnwritable(context: PlanContext, task: string | null, reason: string): void {
  const data = { task: task === null ? null : idText(task), reason: said(reason) };
  context.record('audit.unwritable', BY_WORKFLOW, data);
}

/**
 * Writes, and where the log cannot be written waits and writes again.
 *
 * @throws Drained before continue-as-new; a cancellation; and what the write throws for other reasons
 */
export async function onceLogged<Result>(
  context: PlanContext,
  task: string,
  step: Step,
  write: (step: Step) => Promise<Result>,
): Promise<Result> {
  try {
    for (let attempt = 0; ; attempt++) {
      try {
        return await write(attempt === 0 ? step : { ...step, id: `${step.id}-again${NUMBERED_FROM + attempt}` });
      } catch (error) {
        const reason = unwritableReason(error);
        if (reason === null) throw error;
        block(context, task, reason);
      }
      const ms = Math.min(FIRST_WAIT_MS * 2 ** attempt, MOST_WAIT_MS);
      await condition(() => context.draining, ms, { summary: 'until the audit log is tried again' });
      if (context.draining) throw new Drained('the plan goes on in a new execution');
    }
  } finally {
    unblock(context, task);
  }
}

function block(context: PlanContext, task: string, reason: string): void {
  const { view } = context.state;
  const before = view.blocked;
  if (before?.tasks.includes(task)) return;
  if (!before) recordUnwritable(context, task, reason);
  view.blocked = { reason, since: before?.since ?? context.at(), tasks: [...(before?.tasks ?? []), task] };
  context.update(task, { reason: `waits until the audit log can be written: ${reason}` });
}

function unblock(context: PlanContext, task: string): void {
  const { view } = context.state;
  if (!view.blocked?.tasks.includes(task)) return;
  const tasks = view.blocked.tasks.filter((one) => one !== task);
  if (tasks.length > 0) view.blocked = { ...view.blocked, tasks };
  else delete view.blocked;
  context.update(task, { reason: null });
}
