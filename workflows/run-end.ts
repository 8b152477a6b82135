/** What a run leaves behind: its own status, the plan's, and where it must not change a task, the task as it was. */
import { settledStatus } from '../plan/admission';
import { isSettledTask } from '../plan/states';
import type { RunView } from '../plan/view';
import type { PlanContext } from './context';
import { recordRunEnd, recordTasks } from './run-facts';
import type { RunState } from './state';

/** @param stopped why it was stopped from outside; null where it came to its own end */
export function closeRun(context: PlanContext, run: RunState, view: RunView, stopped: string | null): void {
  const { view: plan } = context.state;
  context.withdrawGates(null, 'the run is over');
  const leaves = run.request.dryRun || run.request.replay;
  if (stopped !== null && (run.prepared || !leaves)) cancelRest(context, view.tasks, stopped);
  if (view.status === 'running') settle(context, run, view, stopped);
  view.finishedAt = context.at();
  recordRunEnd(context, view, resultsOf(context, view));
  const keeps = view.status === 'refused' || view.kind === 'dry-run';
  if (run.before) restore(context, run, view);
  plan.status = keeps ? (run.statusBefore ?? settledStatus(plan)) : statusAfter(context, run, view);
  plan.reason = keeps ? plan.reason : view.reason;
  context.state.run = null;
  Object.assign(plan, { paused: null, frozen: null });
  for (const task of Object.values(plan.tasks)) if (task.held) task.held = null;
  context.changed();
}

function statusAfter(context: PlanContext, run: RunState, view: RunView) {
  if (view.kind !== 'replay') return view.status === 'cancelled' ? 'cancelled' : settledStatus(context.state.view);
  // A replay that wrote nothing leaves a plan that was rolled back as one.
  const wrote = view.tasks.some((id) => context.task(id).status === 'completed');
  return wrote ? settledStatus(context.state.view) : (run.statusBefore ?? settledStatus(context.state.view));
}

function cancelRest(context: PlanContext, tasks: readonly string[], reason: string): void {
  const rest = tasks.filter((id) => !isSettledTask(context.task(id).status));
  for (const id of rest) context.update(id, { status: 'cancelled' });
  recordTasks(context, 'task.cancelled', rest, reason);
}

/** What became of each task: in a dry run what was seen of it, otherwise its state. */
function resultsOf(context: PlanContext, view: RunView): string[] {
  return view.tasks.map((id) => view.previews?.[id]?.result ?? context.task(id).status);
}

function settle(context: PlanContext, run: RunState, view: RunView, stopped: string | null): void {
  const results = resultsOf(context, view);
  // A cancel that came when only the last write was left has stopped nothing.
  if (results.includes('cancelled') || (stopped !== null && !run.prepared)) {
    Object.assign(view, { status: 'cancelled', reason: stopped });
  } else if (!results.some((result) => result === 'failed' || result === 'skipped')) {
    view.status = 'completed';
  } else {
    const some = results.some((result) => ['completed', 'declined', 'generated'].includes(result));
    view.status = some ? 'partial' : 'failed';
  }
}

/**
 * After a dry run every task has the state that it had, with the artifact that was generated; after a replay, every task
 * that did not come to its end is what it was, for what it wrote before still stands there.
 */
function restore(context: PlanContext, run: RunState, view: RunView): void {
  for (const [id, { own, ...before }] of Object.entries(run.before ?? {})) {
    const task = context.task(id);
    if (view.kind === 'dry-run') {
      const error = view.previews?.[id]?.result === 'failed' ? task.error : before.error;
      if (view.previews?.[id]?.result === 'failed') context.internals(id).kept = false;
      Object.assign(task, before, { error });
    } else if (task.status !== 'completed' && own) {
      Object.assign(task, before);
      // The number stays used: the same one again would find the answer that was not taken.
      // What was written on the way stands on disk, and a rollback has to know of it.
      const { generation, steps, backups, madeDirectories } = context.internals(id);
      Object.assign(context.internals(id), own, { generation, steps, backups, madeDirectories });
    }
  }
}
