/** The worker process of one workspace: `node dist/worker/main.js --workspace DIR`, or `planwright worker`. */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { NativeConnectionOptions } from '@temporalio/worker';
import { pino } from 'pino';
import { type WorkspaceLayout, workspaceLayout } from '../store/layout';
import { providerEnvironment } from '../store/settings';

const IDLE_MS = 30 * 60_000;
const IDLE_CHECK_MS = 60_000;
/** Server and worker are often started together, after both were killed: neither waits for the other's start. */
const SERVER_PATIENCE_MS = 10_000;
const RETRY_MS = 50;
/** How long a stopping worker writes the plan files that are behind. */
const FLUSH_MS = 2_000;

export interface RunWorkerOptions {
  layout: WorkspaceLayout;
  env: NodeJS.ProcessEnv;
  address: string;
  namespace: string;
  /** TLS, API key and headers, where they are configured. */
  connection?: Pick<NativeConnectionOptions, 'tls' | 'apiKey' | 'metadata'>;
  /** Stops by itself after half an hour without a plan that runs or waits: for workers that a command started. */
  stopWhenIdle: boolean;
  /** How long a server that does not answer yet is tried again, in milliseconds; 0 unless told. */
  patienceMs?: number;
  /** Called once the worker polls. */
  ready: () => void;
}

/**
 * Runs until SIGTERM, SIGINT or (when told) idleness; activities in flight get 30 s to finish.
 * @returns the exit code
 */
export async function runWorker(options: RunWorkerOptions): Promise<number> {
  const { NativeConnection, Runtime, DefaultLogger } = await import('@temporalio/worker');
  const { createPlanWorker } = await import('./create');
  const { layout, address, namespace } = options;
  const env = await providerEnvironment(options.env, layout);
  const log = pino({ base: { workspace: layout.id, pid: process.pid } });
  Runtime.install({
    logger: new DefaultLogger('WARN', ({ level, message, meta }) => {
      log[level === 'ERROR' ? 'error' : 'warn']({ ...meta }, message);
    }),
    shutdownSignals: [],
  });
  const until = Date.now() + (options.patienceMs ?? 0);
  const connection = await untilThere(until, () => NativeConnection.connect({ address, ...options.connection }));
  try {
    const planWorker = await createPlanWorker({ connection, namespace, layout, env, log });
    const { projector, mirror } = planWorker;
    const stop = (signal: string): void => {
      log.info({ signal }, 'worker stops');
      void Promise.all([projector.flush(FLUSH_MS), mirror.flush(FLUSH_MS)]).finally(() => {
        if (planWorker.worker.getState() === 'RUNNING') planWorker.worker.shutdown();
      });
    };
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop(signal));
    const idle = setInterval(() => {
      if (options.stopWhenIdle && !projector.busy() && Date.now() - projector.lastChange > IDLE_MS) stop('idle');
    }, IDLE_CHECK_MS);
    const running = planWorker.run();
    options.ready();
    try {
      await running;
    } finally {
      clearInterval(idle);
      await projector.close();
      // What the last workflow task told of; then nobody else does.
      await mirror.flush(FLUSH_MS);
      await mirror.close();
    }
    return 0;
  } finally {
    await connection.close();
  }
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
    layout: workspaceLayout(values.workspace),
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
