/** Names of the plan workflow's messages (contract.md, "Messages of the plan workflow"). */
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { ApplyAnswer, ApplyRequest, CancelRequest, Decide, DecideAnswer, GateView, PlanView } from '../plan/view';

export const WORKFLOW_TYPE = 'planWorkflow';

/** With `since` (the `changes` of a view that the caller has): null where nothing changed. */
export const planQuery = defineQuery<PlanView | null, [since?: number]>('plan');
export const gatesQuery = defineQuery<GateView[]>('gates');

/** Update, because the caller needs to hear whether the run was admitted. */
export const applyUpdate = defineUpdate<ApplyAnswer, [ApplyRequest]>('apply');
/** Update for a caller who waits for the answer … */
export const decideUpdate = defineUpdate<DecideAnswer, [Decide]>('decide');
/** … and a Signal with the same payload, which needs no live worker. */
export const decideSignal = defineSignal<[Decide]>('decide');
export const cancelUpdate = defineUpdate<{ status: string }, [CancelRequest]>('cancel');
