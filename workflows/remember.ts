/** What a settled gate leaves behind for the run: it counts from this moment, whoever still waits for it. */
import type { GateView } from '../plan/view';
import type { PlanState } from './state';

type Outcome = NonNullable<GateView['outcome']>;

export function remember(state: PlanState, gate: GateView, outcome: Outcome): void {
  if (gate.kind === 'budget') budget(state, gate, outcome);
  const own = gate.task === null ? undefined : state.internals[gate.task];
  if (!own) return;
  // Of a file gate alone: what another kind is about is no file.
  const digest = gate.kind === 'file' ? gate.digest : null;
  const { decision, by, at, reason } = outcome;
  if (digest && decision === 'approve') own.approved[digest] = { by, at };
  if (digest && (decision === 'reject' || decision === 'expire')) own.rejected[digest] = { by, at };
  if (decision === 'request-changes' && reason) own.requested.push(reason);
}

/** A raised budget holds for the plan's later runs as well; a stop holds for this one. */
function budget({ run, raised, internals }: PlanState, gate: GateView, { decision, value }: Outcome): void {
  const own = gate.task === null ? null : internals[gate.task];
  if (!run || !gate.budget || own === undefined || decision === 'void') return;
  if (decision !== 'raise' || value === undefined) {
    if (own) own.budgetStopped = run.number;
    else run.budgetStopped = true;
    return;
  }
  const limit = { [gate.budget.what]: value };
  if (own) own.raised = { ...own.raised, ...limit };
  else Object.assign(raised, limit, { run: run.number });
}
