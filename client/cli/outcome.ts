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
 * The exit code of `apply` and `watch` from the plan as it ended (docs/contract.md, "Exit codes").
 * A run of one task is judged by that task; any other by the plan.
 */
export function exitOf(view: PlanView, run: RunView | undefined): number {
  const tasks = tasksOf(view, run);
  // What a run of its own kind came to is not what the plan is.
  const ownEnd = run !== undefined && run.status !== 'running' && ['task', 'dry-run', 'replay'].includes(run.kind);
  const status = run?.status === 'refused' || ownEnd ? run.status : view.status;
  if (status === 'completed' && run?.kind === 'replay' && !replayMatches(run)) return EXIT.integrity;
  switch (status) {
    case 'cancelled':
      return EXIT.usage;
    case 'waiting':
    case 'paused':
      return EXIT.pending;
    case 'refused':
      return EXIT.refused;
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

/** True where every byte that a replay brought is the recorded one, and the model called itself by the same name. */
function replayMatches({ differences, comparison }: RunView): boolean {
  const renamed = comparison?.some(({ what, matches }) => what === 'model as returned' && !matches) ?? false;
  return (differences ?? []).length === 0 && !renamed;
}

function onlyOutside(tasks: readonly TaskView[]): boolean {
  const failed = tasks.filter(({ status }) => status === 'failed');
  return failed.length > 0 && failed.every(({ error }) => error !== null && OUTSIDE.includes(error.type));
}
