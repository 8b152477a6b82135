import { spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RefusedError, UnreachableError } from '../../plan/errors';
import type { WorkspaceLayout } from '../../store/layout';
import { findTemporalBinary } from './binary';
import { lastWords, openLog, readLog } from './logs';
import type { EnsureRequest, EnsureResult } from './messages';
import { ask, PROTOCOL, SupervisorLost } from './messages';
import type { EmbeddedLayout } from './paths';
import { EMBEDDED_NAMESPACE, embeddedLayout, LOOPBACK, workerRecordPath } from './paths';
import { answers } from './ports';
import { isAlive, kill } from './processes';
import { readServer, readSupervisor, readWorker } from './records';
import { explain, makeStateDir, plainEnvironment } from './state-dir';

/** Ten attempts at 100, 200, … ms: five seconds in all, half of them for one that is slow to start or to end. */
const ATTEMPTS = 10;

export interface EnsureOptions {
  env: NodeJS.ProcessEnv;
  /** Null: the server alone. */
  workspace: WorkspaceLayout | null;
  /** Digest of the settings that the worker reads from `env`; another one means another worker. */
  settingsDigest: string;
  /** Called with each line of progress. */
  note: (line: string) => void;
  /** Asked when a worker with another digest runs (given): false while a plan runs that needs that worker's settings. */
  canRestartWorker?: (runningDigest: string) => Promise<boolean>;
}

export interface Embedded {
  /** `host:port` */
  address: string;
  namespace: typeof EMBEDDED_NAMESPACE;
  /** URL of the web UI, null where it could not be had. */
  ui: string | null;
  startedServer: boolean;
  startedWorker: boolean;
  restartedWorker: boolean;
}

/** Our own programs; tests put others in their place. */
export interface Programs {
  supervisor: string;
  worker: string;
}

const PROGRAMS: Programs = {
  supervisor: join(__dirname, '..', 'supervisor.js'),
  worker: join(__dirname, '..', 'main.js'),
};

export function addressOf(port: number): string {
  return `${LOOPBACK}:${port}`;
}

export function uiOf(uiPort: number | null): string | null {
  return uiPort === null ? null : `http://${LOOPBACK}:${uiPort}`;
}

function embedded(result: Omit<EnsureResult, 'otherSettings'>): Embedded {
  const { port, uiPort, startedServer, startedWorker, restartedWorker } = result;
  const address = addressOf(port);
  return { address, namespace: EMBEDDED_NAMESPACE, ui: uiOf(uiPort), startedServer, startedWorker, restartedWorker };
}

/**
 * What every command does first, so it must be quick: three small files, three looks at the list of processes, one
 * connection. Null where anything is missing, and the supervisor has to be asked.
 */
async function alreadyThere(
  layout: EmbeddedLayout,
  { workspace, settingsDigest }: EnsureOptions,
): Promise<Embedded | null> {
  const supervisor = readSupervisor(layout);
  const server = readServer(layout);
  if (!supervisor || supervisor.protocol !== PROTOCOL || !isAlive(supervisor.process)) return null;
  if (!server?.ready || !isAlive(server.process)) return null;
  if (workspace) {
    const worker = readWorker(workerRecordPath(layout, workspace.id));
    if (!worker?.ready || worker.port !== server.port || worker.digest !== settingsDigest) return null;
    if (!isAlive(worker.process)) return null;
  }
  if (!(await answers(server.port))) return null;
  return embedded({ ...server, startedServer: false, startedWorker: false, restartedWorker: false });
}

/** Starts a supervisor that outlives us. Where another is faster, ours ends by itself, and the other one answers. */
async function startSupervisor(layout: EmbeddedLayout, program: string, env: NodeJS.ProcessEnv): Promise<void> {
  const { fd, offset } = openLog(layout.supervisorLog);
  let code: number | null | undefined;
  try {
    const child = spawn(process.execPath, [program, '--state', layout.state], {
      cwd: layout.state,
      env: plainEnvironment(env),
      detached: true,
      stdio: ['ignore', fd, fd],
    });
    child.once('error', () => {
      code = 1;
    });
    child.once('exit', (exitCode) => {
      code = exitCode ?? 1;
    });
    child.unref();
  } finally {
    closeSync(fd);
  }
  const until = Date.now() + 20_000;
  while (Date.now() < until) {
    const record = readSupervisor(layout);
    if (record && isAlive(record.process)) return;
    if (code) break;
    await sleep(20);
  }
  const words = lastWords(readLog(layout.supervisorLog, offset));
  throw new UnreachableError(
    `The supervisor of the embedded server does not start.${words ? ` It says: ${words}` : ''}`,
    `Read ${layout.supervisorLog}, or run "planwright doctor".`,
  );
}

/** What it started lives on, and is adopted. */
async function killSupervisor(layout: EmbeddedLayout): Promise<void> {
  const supervisor = readSupervisor(layout);
  if (supervisor) await kill(supervisor.process);
}

async function askOnce(
  layout: EmbeddedLayout,
  programs: Programs,
  options: EnsureOptions,
  request: EnsureRequest,
): Promise<EnsureResult> {
  const supervisor = readSupervisor(layout);
  const alive = supervisor !== null && isAlive(supervisor.process);
  // One of another version is replaced; what it started is adopted, never stopped.
  if (alive && supervisor.protocol !== PROTOCOL) await killSupervisor(layout);
  if (!alive || supervisor.protocol !== PROTOCOL) await startSupervisor(layout, programs.supervisor, options.env);
  return ask(layout.socket, request, options.note);
}

/** `ensureEmbedded` with the programs to start as a parameter. */
export async function ensureWith(programs: Programs, options: EnsureOptions): Promise<Embedded> {
  const { env, workspace, settingsDigest, note, canRestartWorker } = options;
  const layout = embeddedLayout(env);
  const there = await alreadyThere(layout, options);
  if (there) return there;

  makeStateDir(layout);
  try {
    const binary = await findTemporalBinary({ env, note });
    const texts = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
    const worker = workspace && {
      workspaceId: workspace.id,
      workspace: workspace.root,
      digest: settingsDigest,
      env: Object.fromEntries(texts),
      command: [process.execPath, programs.worker],
    };
    const request = async (replace: boolean): Promise<EnsureResult> => {
      for (let attempt = 1; ; attempt++) {
        try {
          return await askOnce(layout, programs, options, { op: 'ensure', binary: binary.path, worker, replace });
        } catch (error) {
          // It was killed before it answered, or is just ending: its successor adopts what there is.
          if (!(error instanceof SupervisorLost)) throw error;
          if (attempt === ATTEMPTS) throw lost(layout, error);
          await sleep(100 * attempt);
          // It lives, and has lost its socket (somebody cleaned up): only its successor can be asked again.
          if (attempt === ATTEMPTS / 2) await killSupervisor(layout);
        }
      }
    };
    const first = await request(false);
    if (!first.otherSettings) return embedded(first);
    const running = workspace && readWorker(workerRecordPath(layout, workspace.id))?.digest;
    if (canRestartWorker && !(await canRestartWorker(running ?? ''))) {
      throw new RefusedError(
        'The worker of this workspace runs with other provider settings, and a plan of those settings is running.',
        'Wait until it has finished or cancel it ("planwright plan list"), or use the settings that it was started with.',
      );
    }
    const second = await request(true);
    return embedded({ ...second, startedServer: first.startedServer || second.startedServer });
  } catch (error) {
    throw explain(error, layout);
  }
}

function lost(layout: EmbeddedLayout, cause: Error): UnreachableError {
  return new UnreachableError(
    `The supervisor of the embedded server goes away before it answers (${cause.message}).`,
    `Read ${layout.supervisorLog}.`,
    { cause },
  );
}

/**
 * Sees to it that the embedded server runs, and a worker for the workspace with these settings; both are started, or
 * started again, where they do not. Quick (under 50 ms) where everything is there.
 *
 * @throws UnreachableError where it cannot be: no binary, state directory unusable, disk full, server or worker ends
 * @throws RefusedError where a worker with other settings runs and `canRestartWorker` says no
 */
export function ensureEmbedded(options: EnsureOptions): Promise<Embedded> {
  return ensureWith(PROGRAMS, options);
}
