/** The event histories of a plan's executions, as Temporal keeps them. */
import type { Client } from '@temporalio/client';
import type { History } from '@temporalio/common/lib/proto-utils';
import { executionsUpTo, temporalHistory } from '../audit/history';
import { payloadReader } from '../audit/history-events';
import { isLost } from './open';
import type { PlanPast } from './types';

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

const DESCRIBE_MS = 5_000;

/** Where a plan's history can be read. Errors of the connection are thrown as they come. */
export async function planPast(client: Client, id: string): Promise<PlanPast> {
  const source = temporalHistory(client, id);
  const read = payloadReader(client.options.loadedDataConverter);
  try {
    const describe = () => client.workflow.getHandle(id).describe();
    const { runId, status } = await client.withDeadline(Date.now() + DESCRIBE_MS, describe);
    return { source, read, run: runId, isOpen: status.name === 'RUNNING' };
  } catch (error) {
    if (isLost(error)) return { source, read, run: null, isOpen: false };
    throw error;
  }
}
