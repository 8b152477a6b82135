/** Names of the plan workflow's messages (docs/contract.md, "Messages of the plan workflow"). */
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { CarriedFacts } from '../plan/export';
import type { PlanQuestion } from '../plan/pages';
import type {
  ApplyAnswer,
  ApplyRequest,
  CancelRequest,
  Decide,
  DecideAnswer,
  DeleteRequest,
  GateView,
  PauseAnswer,
  PauseRequest,
  PlanView,
  UndoAnswer,
  UndoMessage,
} from '../plan/view';

/** See plan/pages.ts: null where nothing changed, and in pages where the whole would be too large for other tools. */
export const planQuery = defineQuery<PlanView | null, [question?: PlanQuestion]>('plan');
export const gatesQuery = defineQuery<readonly GateView[]>('gates');
/** What `plan export` needs beside the view. */
export const carriedQuery = defineQuery<CarriedFacts>('carried');
/** Digests of all objects that the plan stands on, for `gc`. */
export const referencesQuery = defineQuery<string[]>('references');

/** Update, because the caller needs to hear whether the run was admitted. */
export const applyUpdate = defineUpdate<ApplyAnswer, [ApplyRequest]>('apply');
/** Update for a caller who waits for the answer … */
export const decideUpdate = defineUpdate<DecideAnswer, [Decide]>('decide');
/** … and a Signal with the same payload, which needs no live worker. */
export const decideSignal = defineSignal<[Decide]>('decide');
/** Moves the plan to the release of the worker that is in force, at the next quiet point; see upgrade.ts. */
export const upgradeSignal = defineSignal<[]>('upgrade');
/** Updates that record and return: a rollback may take long, and its end stands in the view. */
export const rollbackUpdate = defineUpdate<UndoAnswer, [UndoMessage]>('rollback');
export const cleanUpdate = defineUpdate<UndoAnswer, [UndoMessage]>('clean');
/** Ends the plan's workflow. */
export const deleteUpdate = defineUpdate<{ status: string }, [DeleteRequest]>('delete');
/** Updates, because the caller needs to hear what is still in flight. */
export const pauseUpdate = defineUpdate<PauseAnswer, [PauseRequest]>('pause');
export const unpauseUpdate = defineUpdate<PauseAnswer, [PauseRequest]>('unpause');
export const cancelUpdate = defineUpdate<{ status: string }, [CancelRequest]>('cancel');
