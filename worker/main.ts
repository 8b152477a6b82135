/** The worker process of one workspace or of several: `node dist/worker/main.js --workspace DIR`, or `planwright worker`. */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { NativeConnectionOptions, Runtime } from '@temporalio/worker';
import { type Logger, pino } from 'pino';
import { type Mask, maskOf, maskTexts } from '../plan/mask';
import { secretsOf } from '../store/env-secrets';
import { type WorkspaceLayout, workspaceLayout } from '../store/layout';
import { reachableProviders } from '../store/provider-keys';
import { providerEnvironment } from '../store/settings';
import type { Release } from './connection';
import type { PlanWorker } from './create';
import { firstPort, freePort } from './embedded/ports';
import { type Health, type Listen, startHealth } from './health';
import { PlanFiguresReader } from './plan-figures';
import { loadTracing } from './tracing';
import { type WatchedWorker, watchWorkers } from './watch';

const IDLE_MS = 30 * 60_000;
const IDLE_CHECK_MS = 60_000;
/** Server and worker are often started together, after both were killed: neither waits for the other's start. */
const SERVER_PATIENCE_MS = 10_000;
const RETRY_MS = 50;
/** How long a stopping worker writes the plan files that are behind. */
const FLUSH_MS = 2_000;

export interface RunWorkerOptions {
  /** One Temporal worker each. */
  layouts: readonly WorkspaceLayout[];
  env: NodeJS.ProcessEnv;
  address: string;
  namespace: string;
  /** TLS, API key and headers, where they are configured. */
  connection?: Pick<NativeConnectionOptions, 'tls' | 'apiKey' | 'metadata'>;
  /** Stops by itself after half an hour without a plan that runs or waits: for workers that a command started. */
  stopWhenIdle: boolean;
  /** Where `/live`, `/ready` and `/metrics` are; none: nowhere. */
  health?: Listen;
  release?: Release;
  /** How long a server that does not answer yet is tried again, in milliseconds; 0 unless told. */
  patienceMs?: number;
  /** Called once all workers poll. */
  ready: () => void;
}

/**
 * Runs until SIGTERM, SIGINT or (when told) idleness; writes in flight get 30 s to finish, calls of a model are handed back.
 * @returns the exit code
 */
export async function runWorker(options: RunWorkerOptions): Promise<number> {
  const sdk = await import('@temporalio/worker');
  const { createPlanWorker } = await import('./create');
  const { layouts, address, namespace, release } = options;
  const hidden = secretsOf(options.env);
  const hooks = { streamWrite: (line: string) => maskedLine(line, maskOf(hidden)) };
  const log = pino({ base: { pid: process.pid, ...(release ? { build: release.buildId } : {}) }, hooks });
  const tracing = loadTracing(options.env);
  const metrics = options.health ? `127.0.0.1:${await freePort(firstPort(String(process.pid)))}` : null;
  installRuntime(sdk, log, metrics);
  const until = Date.now() + (options.patienceMs ?? 0);
  const connection = await untilThere(until, () => sdk.NativeConnection.connect({ address, ...options.connection }));
  const stopping = new AbortController();
  const workers: (PlanWorker & WatchedWorker)[] = [];
  let health: Health | null = null;
  try {
    const watched = watchWorkers(connection, namespace, workers, metrics);
    if (options.health) health = await startHealth(options.health, watched);
    for (const layout of layouts) {
      const own = log.child({ workspace: layout.id });
      const env = await providerEnvironment(options.env, layout);
      const providers = await reachableProviders(options.env, layout);
      hidden.push(...secretsOf(env), ...providers.flatMap(({ key }) => (key === '' ? [] : [key])));
      const worker = await createPlanWorker({
        ...{ connection, namespace, layout, env, providers, log: own },
        ...{ release, stopping: stopping.signal, plugin: tracing?.plugin },
      });
      workers.push({ ...worker, id: layout.id, figures: new PlanFiguresReader(layout) });
    }
    let told = false;
    const stop = (signal: string): void => {
      if (told) return;
      told = true;
      log.info({ signal }, 'worker stops');
      void flush(workers).finally(() => {
        for (const { worker } of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
        // Only now: a call that is handed back while we still poll would come to us again.
        stopping.abort();
      });
    };
    const onSignal = (signal: NodeJS.Signals): void => stop(signal);
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, onSignal);
    const idle = setInterval(() => {
      if (options.stopWhenIdle && workers.every(isIdle)) stop('idle');
    }, IDLE_CHECK_MS);
    try {
      const running = workers.map((worker) => worker.run());
      options.ready();
      // Where one of them fails all end: whoever keeps the process alive starts it anew, whole.
      for (const one of running) one.catch((error: unknown) => stop(String(error)));
      const ends = await Promise.allSettled(running);
      for (const end of ends) if (end.status === 'rejected') throw end.reason;
    } finally {
      clearInterval(idle);
      for (const signal of ['SIGTERM', 'SIGINT'] as const) process.off(signal, onSignal);
      await Promise.all(workers.map(closed));
    }
    return 0;
  } finally {
    await health?.close();
    await tracing?.close();
    await connection.close();
  }
}

function installRuntime(
  {
    Runtime: runtime,
    DefaultLogger,
  }: { Runtime: typeof Runtime } & Pick<typeof import('@temporalio/worker'), 'DefaultLogger'>,
  log: Logger,
  metrics: string | null,
): void {
  runtime.install({
    logger: new DefaultLogger('WARN', ({ level, message, meta }) => {
      log[level === 'ERROR' ? 'error' : 'warn']({ ...meta }, message);
    }),
    shutdownSignals: [],
    ...(metrics
      ? {
          telemetryOptions: {
            metrics: {
              prometheus: {
                bindAddress: metrics,
                countersTotalSuffix: true,
                unitSuffix: true,
                useSecondsForDurations: true,
              },
            },
          },
        }
      : {}),
  });
}

const isIdle = ({ projector }: PlanWorker): boolean => !projector.busy() && Date.now() - projector.lastChange > IDLE_MS;

async function flush(workers: readonly PlanWorker[]): Promise<void> {
  await Promise.all(workers.flatMap(({ projector, mirror }) => [projector.flush(FLUSH_MS), mirror.flush(FLUSH_MS)]));
}

async function closed({ projector, mirror }: PlanWorker): Promise<void> {
  await projector.close();
  // What the last workflow task told of; then nobody else does.
  await mirror.flush(FLUSH_MS);
  await mirror.close();
}

async function untilThere<T>(until: number, connect: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await connect();
    } catch (error) {
      if (Date.now() >= until) throw error;
      await sleep(RETRY_MS);
    }
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { workspace: { type: 'string' }, 'embedded-state': { type: 'string' } },
  });
  const { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace } = process.env;
  if (!values.workspace || !address || !namespace) {
    throw new Error(
      'the worker needs --workspace DIR, TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE; use `planwright worker`',
    );
  }
  process.exitCode = await runWorker({
    layouts: [workspaceLayout(values.workspace)],
    env: process.env,
    address,
    namespace,
    stopWhenIdle: true,
    patienceMs: SERVER_PATIENCE_MS,
    ready: () => process.stdout.write(`${JSON.stringify({ ready: true })}\n`),
  });
}

if (require.main === module) {
  main().catch((error: unknown) => {
    process.stderr.write(
      `${JSON.stringify({ level: 60, msg: error instanceof Error ? error.message : String(error) })}\n`,
    );
    process.exitCode = 1;
  });
}

/** A line of the log without secrets, and still one line of JSON. */
function maskedLine(line: string, mask: Mask): string {
  try {
    return `${JSON.stringify(maskTexts<unknown>(JSON.parse(line), mask))}\n`;
  } catch {
    return mask(line);
  }
}
