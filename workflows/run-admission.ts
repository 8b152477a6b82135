/** A run is let in, or not: the contract's table, and what an admitted run begins with. */
import { admitApply } from '../plan/admission';
import type { ModelSettings } from '../plan/types';
import { undoUnderWay } from '../plan/undo-admission';
import type { ApplyAnswer, ApplyRequest } from '../plan/view';
import type { PlanContext } from './context';
import { failure, refuse } from './refusals';
import { recordRunStart } from './run-facts';
import type { PlanState } from './state';

/** @throws ApplicationFailure of the contract where the run is refused */
export function admit(context: PlanContext, request: ApplyRequest): ApplyAnswer {
  const { state } = context;
  refuse(undoUnderWay(state.view));
  const admission = admitApply(state.view, request, state.policy);
  if (admission.kind === 'refused') throw failure(admission.refusal.type, admission.refusal.message);
  if (admission.kind === 'nothing') return { result: 'nothing', run: null, message: admission.message };
  if (admission.kind === 'attach') {
    return { result: 'attached', run: state.run?.number ?? null, message: null };
  }
  const number = (state.view.runs.at(-1)?.number ?? 0) + 1;
  state.view.runs.push({
    number,
    kind: admission.runKind,
    status: 'running',
    startedAt: context.at(),
    finishedAt: null,
    by: request.by,
    yes: request.yes === true,
    ...(request.skipVerify ? { skipVerify: true } : {}),
    tasks: admission.tasks,
    reason: null,
  });
  state.run = {
    number,
    request,
    admitted: false,
    passed: 'MEDIUM',
    settings: runSettings(state, request),
    timeoutMs: request.timeoutMs ?? state.plan.timeoutMs,
    statusBefore: state.view.status,
  };
  state.view.status = 'running';
  state.view.reason = null;
  recordRunStart(context, state.run, admission.runKind, admission.tasks);
  context.changed();
  return { result: 'started', run: number, message: null, tasks: admission.tasks };
}

/** The plan's own model unless the run names another; a replay's temperature is always 0. */
function runSettings({ plan }: PlanState, { settings, replay }: ApplyRequest): ModelSettings {
  // What another would answer is no replay.
  return { ...plan.settings, ...settings, ...(replay ? { temperature: 0, fallback: null } : {}) };
}
