/** How long an execution's history may grow before the plan continues as new; the server suggests it at 4,096 events or 4 MB. */
import { workflowInfo } from '@temporalio/workflow';

const QUIET_EVENTS = 1_500;
/** A run is interrupted for it only here; the server ends a workflow at 51,200 events or 50 MB. */
const BUSY_EVENTS = 4_000;
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
