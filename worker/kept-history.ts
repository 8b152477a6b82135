/**
 * The history of a plan's last execution, as a file beside the exported ones: no later execution keeps it. Only an execution
 * that is over is ever forgotten, so it is kept once it is.
 */
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import type { ProjectedEntry } from '../audit/types';
import { replaceFile } from '../store/durable';
import type { WorkspaceLayout } from '../store/layout';

/** Between the last entry of a plan and the end of its workflow there is a workflow task or two. */
const CLOSE_MS = 5_000;

/** Whether the plan's workflow ends with these entries: it was deleted, or Temporal was asked to cancel it. */
export const endsPlan = (entries: readonly ProjectedEntry[]): boolean =>
  entries.some(
    ({ event, actor }) => event === 'plan.deleted' || (event === 'plan.cancelled' && actor.kind === 'temporal'),
  );

/** Waits for the end of the execution and keeps it, in the form of `history export --history`. Errors as they come. */
export async function keepLast(layout: WorkspaceLayout, client: Client, plan: string, run: string): Promise<void> {
  const handle = client.workflow.getHandle(plan, run, { followRuns: false });
  // It ends as cancelled, too, and then this throws; what counts is what the server says after it.
  await client.withDeadline(Date.now() + CLOSE_MS, () => handle.result()).catch(() => undefined);
  if ((await handle.describe()).status.name === 'RUNNING') throw new Error(`execution ${run} has not ended`);
  await replaceFile(join(layout.histories, plan, `${run}.json`), `${historyToJSON(await handle.fetchHistory())}\n`);
}
