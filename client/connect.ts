/** From the user's flags and environment to a `PlanClient`; starts the embedded server and worker where none is configured. */
import { Client, Connection } from '@temporalio/client';
import { UnreachableError } from '../plan/errors';
import { codecsOf } from '../store/codec/codecs';
import { type KeyRing, keysFrom } from '../store/codec/keys';
import { checkWorkspaceKey } from '../store/codec/marker';
import { envMask } from '../store/env-secrets';
import type { WorkspaceLayout } from '../store/layout';
import { sameSettings } from '../store/worker-digest';
import { type ConfiguredConnection, explainFault, resolveConnection } from '../worker/connection';
import { embeddedStatus, ensureEmbedded } from '../worker/embedded';
import { connectionError } from './failures';
import { TemporalPlanClient } from './plan-client';
import type { TemporalLink } from './plan-wire';
import type { PlanClient } from './types';

export interface ConnectOptions {
  layout: WorkspaceLayout;
  env: NodeJS.ProcessEnv;
  flags: { address?: string; namespace?: string; profile?: string };
  note: (line: string) => void;
  settingsDigest: string;
  /** Reading commands start nothing: without a server they show what lies on disk. */
  readOnly?: boolean;
  /** With `readOnly`: a server that does not answer is no error either, and what lies on disk is shown. */
  orDisk?: boolean;
}

/** Throws UnreachableError (exit 4) where Temporal cannot be had, RefusedError where the worker may not be restarted. */
export async function connectPlanClient(options: ConnectOptions): Promise<PlanClient> {
  try {
    return await connect(options);
  } catch (error) {
    if (!(options.readOnly && options.orDisk && error instanceof UnreachableError)) throw error;
    return new TemporalPlanClient(
      options.layout,
      null,
      `${error.message.replace(/\.?$/, '.')} This is the last state that was written.`,
    );
  }
}

async function connect(options: ConnectOptions): Promise<PlanClient> {
  const { layout, env, flags } = options;
  const configured = await resolveConnection({ flags, env });
  const keys = keysFrom(env, layout.root);
  await checkWorkspaceKey(layout, keys, !options.readOnly);
  const own = { env, keys };
  if (configured.kind === 'configured') {
    return new TemporalPlanClient(layout, await configuredLink(configured.options, own), '');
  }
  if (options.readOnly) {
    const status = await embeddedStatus(env);
    const alive = status.running && status.processes.some((one) => one.name === 'server');
    if (!alive || !status.address) {
      return new TemporalPlanClient(layout, null, 'Temporal is not running; this is the last state that was written.');
    }
    const open = await link(status.address, status.namespace, {}, own);
    const asleep = !status.processes.some((one) => one.name === 'worker' && one.workspaceId === layout.id);
    return new TemporalPlanClient(layout, { ...open, asleep }, '');
  }
  const ensure = () =>
    ensureEmbedded({
      env,
      workspace: layout,
      settingsDigest: options.settingsDigest,
      note: options.note,
      canRestartWorker: async (running) => sameSettings(running, options.settingsDigest) || nothingRuns(layout, own),
    });
  const { address, namespace, restartedWorker } = await ensure();
  if (restartedWorker)
    options.note('The worker was restarted: it ran with other provider settings, or an older planwright.');
  const revive = async (): Promise<void> => {
    await ensure();
  };
  return new TemporalPlanClient(layout, await link(address, namespace, {}, own, revive), '');
}

/** What is this user's: the environment, whose secrets are masked, and the keys that payloads are sealed with. */
interface Own {
  env: NodeJS.ProcessEnv;
  keys: KeyRing | null;
}

/** A worker may get other settings while no plan of the old ones is being made or runs. */
async function nothingRuns(layout: WorkspaceLayout, own: Own): Promise<boolean> {
  const status = await embeddedStatus(own.env);
  if (!status.running || !status.address) return true;
  const { client, close } = await link(status.address, status.namespace, {}, own);
  try {
    const plans = await new TemporalPlanClient(
      layout,
      { client, address: status.address, revive: async () => undefined, close },
      '',
    ).list();
    return plans.every(
      (plan) => !['planning', 'running', 'waiting', 'paused'].includes(plan.status) || plan.note !== null,
    );
  } finally {
    await close();
  }
}

/** To a server elsewhere; a namespace that it does not have is told at once, and not as a plan that nobody knows. */
async function configuredLink(server: ConfiguredConnection, own: Own): Promise<TemporalLink> {
  const { address, namespace, ...rest } = server;
  let made: TemporalLink | undefined;
  try {
    made = await link(address, namespace, rest, own);
    const { client } = made;
    await client.withDeadline(Date.now() + NAMESPACE_PATIENCE_MS, () =>
      client.workflowService.describeNamespace({ namespace }),
    );
    return made;
  } catch (error) {
    await made?.close();
    throw await explainFault(error, server);
  }
}

/** gRPC waits a second before it tries again, then up to two minutes; a server of ours is back within one or two seconds. */
const NAMESPACE_PATIENCE_MS = 10_000;
const RECONNECT = { 'grpc.initial_reconnect_backoff_ms': 100, 'grpc.max_reconnect_backoff_ms': 1_000 };

async function link(
  address: string,
  namespace: string,
  rest: object,
  { env, keys }: Own,
  revive: () => Promise<void> = async () => undefined,
): Promise<TemporalLink> {
  let connection: Connection;
  try {
    connection = await Connection.connect({ address, connectTimeout: '5s', channelArgs: RECONNECT, ...rest });
  } catch (error) {
    throw error instanceof UnreachableError ? error : connectionError(error, address);
  }
  const client = new Client({ connection, namespace, dataConverter: { payloadCodecs: codecsOf(keys, namespace) } });
  return { client, address, mask: envMask(env), revive, close: () => connection.close() };
}
