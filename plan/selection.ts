/** Which tasks a run takes: `--only` and `--exclude` over those that it could run, and what a replay can run again. */
import { ancestorsOf, dependentsOf } from './graph';
import type { PolicySnapshot, TaskStatus } from './types';
import type { ApplyRequest, PlanView } from './view';

/** A dependency that is settled in one of these ways lets its dependents run. */
export function lets(status: TaskStatus, onDecline: PolicySnapshot['onDecline']): boolean {
  return status === 'completed' || (status === 'declined' && onDecline === 'run');
}

/**
 * @param runnable what the run would take without the two flags, in the graph's order
 * @returns what is left of it, in the same order; or the sentence that says why nothing can be
 */
export function select(
  view: PlanView,
  runnable: readonly string[],
  { only, exclude }: Pick<ApplyRequest, 'only' | 'exclude'>,
  onDecline: PolicySnapshot['onDecline'],
): { tasks: string[] } | { fault: string } {
  const could = new Set(runnable);
  const taken = new Set(only ? [] : runnable);
  for (const id of only ?? []) {
    // One that is settled already stays as it is; what it would take to run it again is --task.
    if (lets(view.tasks[id]?.status ?? 'pending', onDecline)) continue;
    for (const wanted of [...ancestorsOf(view.graph, id), id]) {
      const { status, number } = view.tasks[wanted] ?? { status: 'pending' as const, number: 0 };
      if (lets(status, onDecline)) continue;
      if (!could.has(wanted)) return { fault: `--only needs task ${number} (${wanted}), which is ${status}.` };
      taken.add(wanted);
    }
  }
  for (const id of exclude ?? []) {
    for (const dropped of [id, ...dependentsOf(view.graph, id)]) taken.delete(dropped);
  }
  return { tasks: runnable.filter((id) => taken.has(id)) };
}

/** Tasks with a recorded artifact whose dependencies are recorded or settled too, in the graph's order. */
export function replayable(view: PlanView, onDecline: PolicySnapshot['onDecline']): string[] {
  const recorded = new Set(view.graph.nodes.map(({ id }) => id).filter((id) => hasRecord(view, id)));
  for (;;) {
    const lost = [...recorded].filter((id) => !depsHold(view, id, recorded, onDecline));
    if (lost.length === 0) return view.graph.nodes.map(({ id }) => id).filter((id) => recorded.has(id));
    for (const id of lost) recorded.delete(id);
  }
}

function hasRecord(view: PlanView, id: string): boolean {
  const task = view.tasks[id];
  if (!task || task.files.length === 0 || !task.files.some(({ state }) => state !== 'declined')) return false;
  // After a rollback or a clean a task is pending, with the artifact that it had.
  return task.status === 'completed' || (task.status === 'pending' && ['rolled_back', 'cleaned'].includes(view.status));
}

function depsHold(
  view: PlanView,
  id: string,
  recorded: ReadonlySet<string>,
  onDecline: PolicySnapshot['onDecline'],
): boolean {
  const deps = view.graph.nodes.find((node) => node.id === id)?.deps ?? [];
  return deps.every((dep) => recorded.has(dep) || lets(view.tasks[dep]?.status ?? 'pending', onDecline));
}

/**
 * Completed tasks that an ancestor's artifact was replaced under, since they completed. Computed, never a state: nothing
 * happens to them by it.
 */
export function staleTasks(view: PlanView): string[] {
  const stale = new Set<string>();
  for (const { id } of view.graph.nodes) {
    const at = view.tasks[id]?.replacedAt;
    if (at === undefined) continue;
    for (const dependent of dependentsOf(view.graph, id)) {
      const task = view.tasks[dependent];
      if (task?.status === 'completed' && task.completedAt !== null && task.completedAt < at) stale.add(dependent);
    }
  }
  return view.graph.nodes.map(({ id }) => id).filter((id) => stale.has(id));
}
