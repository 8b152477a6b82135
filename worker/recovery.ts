/**
 * Recovery does not wait for time-outs: a worker that starts fails the pending activities of workers that are
 * provably dead, by id, and Temporal runs them again at once.
 */
import type { Client } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { isProvablyDead } from '../store/process';
import { processOf } from './identity';

export interface RecoveryLog {
  info(fields: object, message: string): void;
}

/**
 * @param workflowIds open plans of the workspace
 * @returns how many activities were failed
 */
export async function releaseDeadWorkersActivities(
  client: Client,
  workspaceId: string,
  workflowIds: readonly string[],
  log: RecoveryLog,
): Promise<number> {
  let released = 0;
  for (const workflowId of workflowIds) {
    // The dead worker's cache is nobody's: the next workflow task goes to the workspace's queue at once.
    await client.workflowService.resetStickyTaskQueue({
      namespace: client.options.namespace,
      execution: { workflowId },
    });
    const { raw } = await client.workflow.getHandle(workflowId).describe();
    for (const activity of raw.pendingActivities ?? []) {
      const { activityId, lastWorkerIdentity, lastStartedTime } = activity;
      const dead = processOf(workspaceId, lastWorkerIdentity ?? '');
      // Only what was started there and not since: a scheduled one needs no help.
      if (!activityId || !dead || !lastStartedTime || !(await isProvablyDead(dead))) continue;
      const failure = ApplicationFailure.create({ message: 'Its worker died.', type: 'WorkerDied' });
      await client.activity.fail({ workflowId, activityId }, failure).then(
        () => {
          released += 1;
        },
        // Completed or timed out in the meantime: nothing left to release.
        (error: unknown) => log.info({ workflowId, activityId, error: String(error) }, 'activity was not released'),
      );
    }
  }
  if (released > 0) log.info({ released }, 'released activities of workers that died');
  return released;
}
