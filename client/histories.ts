/** The event histories of a plan's executions, as Temporal keeps them. */
import type { Client } from '@temporalio/client';
import type { History } from '@temporalio/common/lib/proto-utils';
import { executionsUpTo, temporalHistory } from '../audit/history';

export interface PlanHistories {
  /** Oldest first. */
  executions: { run: string; history: History }[];
  /** The execution before them that Temporal has forgotten; null where it has all. */
  missing: string | null;
}

/** Errors of the connection are thrown as they come; of an unknown plan, `WorkflowNotFoundError`. */
export async function planHistories(client: Client, id: string): Promise<PlanHistories> {
  const { runId } = await client.workflow.getHandle(id).describe();
  const { runs, missing } = await executionsUpTo(temporalHistory(client, id), runId);
  const executions: PlanHistories['executions'] = [];
  for (const run of runs) executions.push({ run, history: await client.workflow.getHandle(id, run).fetchHistory() });
  return { executions, missing };
}
