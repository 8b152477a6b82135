/** One Temporal worker for one workspace: the activities, the bundle, and the measured settings. */
import { join } from 'node:path';
import { Client } from '@temporalio/client';
import {
  type NativeConnection,
  Worker,
  type WorkerDeploymentOptions,
  type WorkerPlugin,
  type WorkflowBundleOption,
} from '@temporalio/worker';
import type { Logger } from 'pino';
import { createActivities } from '../activities';
import type { PlanView } from '../plan/view';
import { sweepOwnTemps } from '../store/durable';
import { taskQueueOf, userFolders, type WorkspaceLayout } from '../store/layout';
import { ownIdentity } from '../store/process';
import type { ReachableProvider } from '../store/provider-keys';
import { activityLog } from './activity-log';
import { AuditMirror } from './audit-mirror';
import type { Release } from './connection';
import { identityOf } from './identity';
import { workerPayloads } from './payloads';
import { PlanLog } from './plan-log';
import { Projector } from './projector';
import { releaseDeadWorkersActivities } from './recovery';

export interface PlanWorkerOptions {
  connection: NativeConnection;
  namespace: string;
  layout: WorkspaceLayout;
  /** The worker's environment: keys and base URLs of providers. */
  env: NodeJS.ProcessEnv;
  log: Logger;
  /** Providers by name, besides the one of the environment. */
  providers?: readonly ReachableProvider[];
  /** The prebuilt bundle unless told. */
  bundle?: WorkflowBundleOption;
  /** Which release of the worker this is; none: workers are not versioned, and any of them takes any plan. */
  release?: Release;
  /** Aborted once the worker takes nothing more: calls of a model are handed back. */
  stopping?: AbortSignal;
  /** Traces. The workflows are bundled anew for them, at the start: what makes spans of them has to be in the bundle. */
  plugin?: WorkerPlugin;
}

export interface PlanWorker {
  worker: Worker;
  client: Client;
  projector: Projector;
  mirror: AuditMirror;
  /** Runs until `worker.shutdown()`; open plans of the workspace go on at once. */
  run(): Promise<void>;
}

const WORKFLOWS = join(__dirname, '..', 'workflows', 'index.js');

/** Throws what the SDK throws where the server refuses or the bundle is missing, and what `workerPayloads` throws. */
export async function createPlanWorker(options: PlanWorkerOptions): Promise<PlanWorker> {
  const { connection, namespace, layout, env, log, release, stopping, plugin, providers } = options;
  const { dataConverter, workflowBundle } = await workerPayloads(env, layout, namespace, options.bundle);
  const client = new Client({ connection, namespace, dataConverter });
  const projector = new Projector(layout, () => client, log, logged(log));
  const mirror = new AuditMirror(layout, () => client, log, { state: userFolders(env).state });
  const activities = createActivities({
    layout,
    env,
    log,
    audit: mirror,
    history: (plan, execution) => client.workflow.getHandle(plan, execution).fetchHistory(),
    stopping,
    ...(providers ? { providers } : {}),
  });
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
    ...(plugin ? { workflowsPath: WORKFLOWS, plugins: [plugin] } : { workflowBundle }),
    activities: activities.functions,
    interceptors: { activity: [activityLog(log)] },
    ...(release ? { workerDeploymentOptions: versioned(release) } : {}),
    sinks: {
      projection: { changed: { fn: (_info, plan: string) => changed(plan), callDuringReplay: false } },
      runs: {
        stopped: { fn: (_info, plan: string, run: number) => activities.stop(plan, run), callDuringReplay: false },
      },
    },
    // As often as activities beat: they would be throttled to four seconds otherwise.
    maxHeartbeatThrottleInterval: 500,
    defaultHeartbeatThrottleInterval: 500,
    // A server hands out no activity eagerly to workers of a deployment, so no place is kept free for one.
    maxEagerActivityReservationsPerWorkflowTask: release ? 0 : 100,
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

/** A plan stays on the release that it began on, until it continues as new (workflows/upgrade.ts). */
function versioned({ deployment, buildId }: Release): WorkerDeploymentOptions {
  return {
    version: { deploymentName: deployment, buildId },
    useWorkerVersioning: true,
    defaultVersioningBehavior: 'PINNED',
  };
}

function logged(log: Logger): (view: PlanView) => void {
  const plans = new PlanLog();
  return (view) => {
    for (const { level, fields, message } of plans.look(view)) log[level](fields, message);
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
