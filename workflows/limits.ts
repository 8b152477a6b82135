/** How long an execution's history may grow before the plan continues as new; the server suggests it at 4,096 events or 4 MB. */
import { workflowInfo } from '@temporalio/workflow';

const QUIET_EVENTS = 1_500;
/**
 * A run is interrupted for it only here. The server ends a workflow at 51,200 events or 50 MB, but replay bounds it first: a
 * worker that takes a plan over replays all of its history in one workflow task of at most 3 s (`workflowTaskTimeout`), and
 * where that does not suffice the next attempt begins at the first event again. Measured: 1,947 events of a plan of 500 tasks take
 * 1.4 s of processor time, so 4,000 would take nearly the whole 3 s of a core that does nothing else. 2,000 bear a worker that
 * gets half of a core. A longer time-out would be waited out after each kill in the middle of a workflow task. What is given
 * up for it is little: a task makes about four events, so a run drains once in some 500 tasks.
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
