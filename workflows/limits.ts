/** How long an execution's history may grow before the plan continues as new; the server suggests it at 4,096 events or 4 MB. */
import { workflowInfo } from '@temporalio/workflow';

const QUIET_EVENTS = 1_500;
/**
 * A run is interrupted for it only here. The server ends a workflow at 51,200 events or 50 MB, but replay bounds it first: a
 * worker that takes a plan over replays all of its history in one workflow task of at most 3 s (`workflowTaskTimeout`), and
 * where that does not suffice the next attempt begins at the first event again. Measured are 1,350 events/s on a machine with
 * a load of 8 a core: 4,000 events would take the whole 3 s there, 2,000 half of it. A longer time-out would be
 * waited out after each kill in the middle of a workflow task. What is given up for it is little: a task makes about four events,
 * so a run drains once in some 500 tasks.
 */
const BUSY_EVENTS = 2_000;
const BUSY_BYTES = 16_000_000;

/** Where nothing moves. */
export function quietLimit(): boolean {
  const { historyLength, continueAsNewSuggested } = workflowInfo();
  return historyLength > QUIET_EVENTS || continueAsNewSuggested;
}

/** In the middle of a run. */
export function busyLimit(): boolean {
  const { historyLength, historySize } = workflowInfo();
  return historyLength > BUSY_EVENTS || historySize > BUSY_BYTES;
}
