/** One Temporal worker for one workspace: the activities, the bundle, and the measured settings. */
import { join } from 'node:path';
import { Client } from '@temporalio/client';
import { type NativeConnection, Worker, type WorkflowBundleOption } from '@temporalio/worker';
import type { Logger } from 'pino';
import { createActivities } from '../activities';
import { sweepOwnTemps } from '../store/durable';
import { largePayloads } from '../store/large-payloads';
import { taskQueueOf, userFolders, type WorkspaceLayout } from '../store/layout';
import { ownIdentity } from '../store/process';
import { AuditMirror } from './audit-mirror';
import { identityOf } from './identity';
import { Projector } from './projector';
import { releaseDeadWorkersActivities } from './recovery';

export interface PlanWorkerOptions {
  connection: NativeConnection;
  namespace: string;
  layout: WorkspaceLayout;
  /** The worker's environment: keys and base URLs of providers. */
  env: NodeJS.ProcessEnv;
  log: Logger;
  /** The prebuilt bundle unless told. */
  bundle?: WorkflowBundleOption;
}

export interface PlanWorker {
  worker: Worker;
  client: Client;
  projector: Projector;
  mirror: AuditMirror;
  /** Runs until `worker.shutdown()`; open plans of the workspace go on at once. */
  run(): Promise<void>;
}

const BUNDLE = join(__dirname, '..', 'workflow-bundle.js');

/** Throws what the SDK throws where the server refuses or the bundle is missing. */
export async function createPlanWorker(options: PlanWorkerOptions): Promise<PlanWorker> {
  const { connection, namespace, layout, env, log } = options;
  const dataConverter = { payloadCodecs: [largePayloads] };
  const client = new Client({ connection, namespace, dataConverter });
  const projector = new Projector(layout, () => client, log);
  const mirror = new AuditMirror(layout, () => client, log, { state: userFolders(env).state });
  const activities = createActivities({ layout, env, log, audit: mirror });
  const changed = (plan: string): void => {
    projector.changed(plan);
    mirror.changed(plan);
  };
  const worker = await Worker.create({
    connection,
    namespace,
    dataConverter,
    taskQueue: taskQueueOf(layout.id),
    identity: identityOf(layout.id, await ownIdentity()),
    workflowBundle: options.bundle ?? { codePath: BUNDLE },
    activities: activities.functions,
    sinks: {
      projection: { changed: { fn: (_info, plan: string) => changed(plan), callDuringReplay: false } },
      runs: {
        stopped: { fn: (_info, plan: string, run: number) => activities.stop(plan, run), callDuringReplay: false },
      },
    },
    // As often as activities beat: they would be throttled to four seconds otherwise.
    maxHeartbeatThrottleInterval: 500,
    defaultHeartbeatThrottleInterval: 500,
    maxEagerActivityReservationsPerWorkflowTask: 100,
    maxConcurrentActivityTaskExecutions: 200,
    maxConcurrentWorkflowTaskExecutions: 40,
    // A workflow task that waits for a dead worker's cache goes to whoever lives after this; the default is 10 s.
    stickyQueueScheduleToStartTimeout: '1s',
    shutdownGraceTime: '30s',
  });
  return {
    worker,
    client,
    projector,
    mirror,
    run: async () => {
      try {
        await Promise.all([worker.run(), takeUp(client, layout, changed, log)]);
      } finally {
        await activities.close();
      }
    },
  };
}

/** Finds every open plan of the workspace: its dead workers' activities are released, its file is written anew, its log caught up. */
async function takeUp(
  client: Client,
  layout: WorkspaceLayout,
  changed: (plan: string) => void,
  log: Logger,
): Promise<void> {
  try {
    const ids: string[] = [];
    const query = `TaskQueue = "${taskQueueOf(layout.id)}" AND ExecutionStatus = "Running"`;
    for await (const execution of client.workflow.list({ query })) ids.push(execution.workflowId);
    await releaseDeadWorkersActivities(client, layout.id, ids, log);
    await sweepOwnTemps(layout.dir);
    for (const id of ids) changed(id);
  } catch (error) {
    // Time-outs and the next change do the same later.
    log.warn({ error: String(error) }, 'open plans could not be looked up');
  }
}
