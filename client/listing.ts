import type { GateView } from '../plan/view';
import type { OpenGate, PlanListing, Shown } from './types';

/** A plan in one line of `plan list`; null where nothing could be shown of it. */
export function listingOf(shown: Shown | null, active: boolean): PlanListing | null {
  if (!shown) return null;
  const { view } = shown;
  const tasks = Object.values(view.tasks);
  const since = view.gates[0]?.since;
  return {
    id: view.id,
    name: view.name,
    goal: view.goal,
    status: view.status,
    createdAt: view.createdAt,
    tasks: { total: tasks.length, completed: tasks.filter((task) => task.status === 'completed').length },
    waiting: since ? { gates: view.gates.length, approvals: missing(view.gates), since } : null,
    paused: view.paused ? { by: view.paused.by, at: view.paused.at } : null,
    blocked: view.blocked ? { since: view.blocked.since } : null,
    frozen: view.frozen ?? null,
    active,
    note: shown.note,
  };
}

/** Answers that open gates still need. */
function missing(gates: readonly GateView[]): number {
  return gates.reduce((sum, { approvals, votes }) => sum + Math.max(1, (approvals ?? 1) - (votes?.length ?? 0)), 0);
}

/** Gates that can still be decided; none where the plan's workflow is over. */
export function gatesOf({ view, open }: Shown): OpenGate[] {
  if (!open) return [];
  return view.gates.map((gate) => ({
    ...gate,
    plan: view.id,
    name: view.name,
    taskNumber: gate.task === null ? null : (view.tasks[gate.task]?.number ?? null),
  }));
}
