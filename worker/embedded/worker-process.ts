import { spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openLog, readLog } from './logs';
import type { WorkerSpec } from './messages';
import type { EmbeddedLayout } from './paths';
import { EMBEDDED_NAMESPACE, LOOPBACK, workerLogPath } from './paths';
import type { ProcessMark } from './processes';
import { isAlive, markOf, processesWith } from './processes';

/**
 * The environment of a worker: that of the command that asked for it, with the embedded server in the place of all of
 * Temporal's own settings. The named configuration file does not exist, on purpose: a default profile with a
 * certificate or a key is about another server.
 */
function workerEnvironment(layout: EmbeddedLayout, spec: WorkerSpec, port: number): NodeJS.ProcessEnv {
  const kept = Object.entries(spec.env).filter(([name]) => !name.startsWith('TEMPORAL_'));
  return {
    ...Object.fromEntries(kept),
    TEMPORAL_ADDRESS: `${LOOPBACK}:${port}`,
    TEMPORAL_NAMESPACE: EMBEDDED_NAMESPACE,
    TEMPORAL_CONFIG_FILE: join(layout.state, 'no-profiles.toml'),
    PLANWRIGHT_EMBEDDED_STATE: layout.state,
  };
}

/** Says on a worker's command line whose it is: one that has no record yet is found by it. */
const OWNER = '--embedded-state';

/** Workers of this state directory that live, on record or not: their supervisor may have been killed before it wrote one. */
export function workersOn(layout: EmbeddedLayout): ProcessMark[] {
  return processesWith(` ${OWNER} ${layout.state} `).flatMap(({ pid }) => markOf(pid) ?? []);
}

export interface StartedWorker {
  mark: ProcessMark;
  logOffset: number;
  /** Resolves with the exit code when the process has gone; null after a signal. */
  exited: Promise<number | null>;
}

/**
 * Starts a worker. Its output goes straight into its log, not through a pipe: it must live on when the supervisor is
 * killed. It runs in the state directory, so that nothing in the workspace is picked up by accident.
 *
 * @throws Error where the program cannot be executed
 */
export async function spawnWorker(layout: EmbeddedLayout, spec: WorkerSpec, port: number): Promise<StartedWorker> {
  const { fd, offset } = openLog(workerLogPath(layout, spec.workspaceId));
  try {
    const [program = process.execPath, ...args] = spec.command;
    const child = spawn(program, [...args, '--workspace', spec.workspace, OWNER, layout.state], {
      cwd: layout.state,
      env: workerEnvironment(layout, spec, port),
      detached: true,
      stdio: ['ignore', fd, fd],
    });
    const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
    await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject));
    const mark = markOf(child.pid ?? 0) ?? { pid: child.pid ?? 0, startTime: 'gone', since: new Date().toISOString() };
    return { mark, logOffset: offset, exited };
  } finally {
    closeSync(fd);
  }
}

function saysReady(line: string): boolean {
  if (!line.includes('"ready"')) return false;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && 'ready' in value && value.ready === true;
  } catch {
    return false;
  }
}

/** Waits for the line `{"ready":true}` in the worker's log; false once the process has gone or the time is over. */
export async function untilWorkerReady(
  layout: EmbeddedLayout,
  workspaceId: string,
  worker: StartedWorker,
  timeoutMs: number,
): Promise<boolean> {
  const until = Date.now() + timeoutMs;
  const log = workerLogPath(layout, workspaceId);
  for (;;) {
    const alive = isAlive(worker.mark);
    if (readLog(log, worker.logOffset).split('\n').some(saysReady)) return alive;
    if (!alive || Date.now() >= until) return false;
    await sleep(25);
  }
}
