import type { PlanView, RunView, TaskError, TaskView } from '../../plan/view';
import { EXIT } from './exit-codes';

/** Failures that are not the plan's: nobody answered, or the key was refused. */
const OUTSIDE = ['Credentials', 'Unreachable'];
/** Planning failures that another goal, file or flag would mend, or that somebody wanted. */
const INPUT = ['NoRule', 'BadInput', 'Cancelled'];

/** The exit code of a planning that failed. */
export function planningExit(failure: TaskError | null): number {
  if (failure && OUTSIDE.includes(failure.type)) return EXIT.unreachable;
  return failure && INPUT.includes(failure.type) ? EXIT.usage : EXIT.failed;
}

/** Tasks that a run set out to do; all of the plan's where no run is meant. */
export function tasksOf(view: PlanView, run: RunView | undefined): TaskView[] {
  const ids = run && run.tasks.length > 0 ? run.tasks : Object.keys(view.tasks);
  return ids.flatMap((id) => view.tasks[id] ?? []).sort((a, b) => a.number - b.number);
}

/**
 * The exit code of `apply` and `watch` from the plan as it ended (contract.md, "Exit codes").
 * A run of one task is judged by that task; any other by the plan.
 */
export function exitOf(view: PlanView, run: RunView | undefined): number {
  const tasks = tasksOf(view, run);
  const status = run?.kind === 'task' && run.status !== 'running' ? run.status : view.status;
  switch (status) {
    case 'cancelled':
      return EXIT.usage;
    case 'waiting':
    case 'paused':
      return EXIT.pending;
    case 'refused':
      return 5;
    case 'failed':
    case 'partial':
      if (view.graph.nodes.length === 0) return planningExit(view.failure ?? null);
      return onlyOutside(Object.values(view.tasks)) ? EXIT.unreachable : EXIT.failed;
    case 'completed':
      return tasks.length > 0 && tasks.every((task) => task.status === 'declined') ? EXIT.usage : EXIT.done;
    default:
      return EXIT.done;
  }
}

function onlyOutside(tasks: readonly TaskView[]): boolean {
  const failed = tasks.filter(({ status }) => status === 'failed');
  return failed.length > 0 && failed.every(({ error }) => error !== null && OUTSIDE.includes(error.type));
}
