/** What keeps a task from its next step though its turn has come: a pause, or a time in which nothing is written. */
import { condition } from '@temporalio/workflow';
import { frozenAt } from '../plan/rules/freeze';
import type { PlanContext } from './context';
import { rulesOf } from './gatekeeping';

/** @returns false where the execution drains: the step is for the next one */
export async function notPaused(context: PlanContext, task: string | null): Promise<boolean> {
  const { view } = context.state;
  if (view.paused) {
    hold(context, task, `paused by ${view.paused.by}`);
    await condition(() => context.draining || !view.paused);
    hold(context, task, null);
  }
  return !context.draining;
}

/** Waits until no freeze window is open. @returns as `notPaused` */
export async function thawed(context: PlanContext, task: string | null): Promise<boolean> {
  const { view } = context.state;
  const windows = rulesOf(context).freeze;
  for (;;) {
    const frozen = frozenAt(windows, context.at());
    if (!frozen) break;
    view.frozen = { window: frozen.name, until: frozen.until };
    hold(context, task, `freeze window "${frozen.name}" until ${frozen.until}`);
    const ms = Date.parse(frozen.until) - Date.parse(context.at());
    await condition(() => context.draining, Math.max(ms, 1), { summary: `freeze window until ${frozen.until}` });
    if (context.draining) return false;
  }
  if (view.frozen) view.frozen = null;
  hold(context, task, null);
  return true;
}

function hold(context: PlanContext, task: string | null, why: string | null): void {
  if (task === null) context.changed();
  else if ((context.task(task).held ?? null) !== why) context.update(task, { held: why });
}
