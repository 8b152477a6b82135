import { execFile, spawn } from 'node:child_process';
import { closeSync, statfsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { UnreachableError } from '../../plan/errors';
import { lastWords, openLog } from './logs';
import type { EmbeddedLayout } from './paths';
import { EMBEDDED_NAMESPACE, LOOPBACK } from './paths';
import { answers } from './ports';
import type { ProcessMark } from './processes';
import { isAlive, markOf, processesWith } from './processes';
import { plainEnvironment, stateDirTrouble } from './state-dir';

/** `start-dev` knows these at once, and creating them again is harmless; types as in `temporal operator`. */
const SEARCH_ATTRIBUTES = [
  'PlanState=Keyword',
  'PlanRisk=Keyword',
  'PlanWorkspace=Keyword',
  'PlanWaitingSince=Datetime',
];

/** Measured: 8 times faster than the server as it comes, which `npm run bench` has as its contender `untuned`. */
const DYNAMIC_CONFIG = [
  'history.transferProcessorMaxPollRPS=2000',
  'history.timerProcessorMaxPollRPS=2000',
  'history.timerProcessorMaxTimeShift="20ms"',
  'system.enableActivityEagerExecution=true',
];

export interface ServerPorts {
  port: number;
  uiPort: number | null;
}

function serverArguments(layout: EmbeddedLayout, { port, uiPort }: ServerPorts): string[] {
  return [
    'server',
    'start-dev',
    ...['--db-filename', layout.database],
    ...['--ip', LOOPBACK, '--port', String(port)],
    ...(uiPort === null ? ['--headless'] : ['--ui-port', String(uiPort)]),
    ...['--namespace', EMBEDDED_NAMESPACE],
    ...SEARCH_ATTRIBUTES.flatMap((attribute) => ['--search-attribute', attribute]),
    ...DYNAMIC_CONFIG.flatMap((setting) => ['--dynamic-config-value', setting]),
    // Three fsyncs a task instead of fifteen; `synchronous` stays FULL, so nothing that was acknowledged is lost.
    ...['--sqlite-pragma', 'journal_mode=WAL'],
    ...['--log-level', 'warn'],
  ];
}

/**
 * Sets the namespace's retention to 90 days. It doubles as the question whether this is a Temporal server that serves
 * our namespace: nothing else makes it succeed. Repeating it is harmless; it costs about 40 ms.
 */
export function claimNamespace(binary: string, port: number, timeoutMs = 5_000): Promise<boolean> {
  const args = ['operator', 'namespace', 'update', '-n', EMBEDDED_NAMESPACE, '--retention', '90d'];
  return new Promise((resolve) => {
    execFile(
      binary,
      [...args, '--address', `${LOOPBACK}:${port}`],
      { env: plainEnvironment(process.env), timeout: timeoutMs, killSignal: 'SIGKILL' },
      (error) => resolve(error === null),
    );
  });
}

/** Waits until the server serves our namespace; false once the process has gone or the time is over. */
export async function untilReady(binary: string, port: number, mark: ProcessMark, timeoutMs: number): Promise<boolean> {
  const until = Date.now() + timeoutMs;
  while (Date.now() < until && isAlive(mark)) {
    if ((await answers(port)) && (await claimNamespace(binary, port)) && isAlive(mark)) return true;
    await sleep(20);
  }
  return false;
}

/** A server that runs on our database: whoever started it, and whether or not a record tells of it. */
export interface FoundServer {
  mark: ProcessMark;
  port: number;
  uiPort: number | null;
}

/**
 * Looks for servers on this database among the machine's processes. A supervisor that was killed between the start of
 * a server and its record left one that no file knows, and a second one beside it would hang plans.
 */
export function serversOn(layout: EmbeddedLayout): FoundServer[] {
  return processesWith(` --db-filename ${layout.database} `).flatMap(({ pid, command }) => {
    const mark = markOf(pid);
    const port = Number(/ --port (\d+) /.exec(command)?.[1]);
    const uiPort = / --ui-port (\d+) /.exec(command)?.[1];
    return mark && port ? [{ mark, port, uiPort: uiPort ? Number(uiPort) : null }] : [];
  });
}

/** A server process of ours, and where its output begins in the log. */
export interface StartedServer {
  mark: ProcessMark;
  logOffset: number;
  /** Resolves when the process has gone. */
  exited: Promise<void>;
}

/** @throws Error where the binary cannot be executed */
export async function spawnServer(layout: EmbeddedLayout, binary: string, ports: ServerPorts): Promise<StartedServer> {
  const { fd, offset } = openLog(layout.serverLog);
  try {
    const child = spawn(binary, serverArguments(layout, ports), {
      cwd: layout.state,
      env: plainEnvironment(process.env),
      detached: true, // A group of its own: it outlives a killed supervisor, and Ctrl-C at the terminal.
      stdio: ['ignore', fd, fd],
    });
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject));
    const mark = markOf(child.pid ?? 0) ?? { pid: child.pid ?? 0, startTime: 'gone', since: new Date().toISOString() };
    return { mark, logOffset: offset, exited };
  } finally {
    closeSync(fd);
  }
}

/** Which of its ports a server could not have, by what it wrote before it ended. */
export function refusedPort(log: string): 'port' | 'uiPort' | null {
  if (/can't set UI port/.test(log)) return 'uiPort';
  return /can't set .*port|address already in use/i.test(log) ? 'port' : null;
}

function diskIsFull(path: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize < 1024 * 1024;
  } catch {
    return false;
  }
}

/** Why a server did not come up, or went away, by what it wrote. */
export function serverTrouble(layout: EmbeddedLayout, log: string): UnreachableError {
  if (/disk is full|no space left|disk full/i.test(log) || diskIsFull(layout.state)) {
    const trouble = stateDirTrouble('ENOSPC', layout.state);
    if (trouble) return trouble;
  }
  if (/not a database|malformed/i.test(log)) {
    return new UnreachableError(
      `The embedded server cannot read its database ${layout.database}: ${lastWords(log, 1)}`,
      'Put a good copy back, or run "planwright down --purge" to begin with an empty one (all plans are lost).',
    );
  }
  const words = lastWords(log);
  return new UnreachableError(
    `The embedded Temporal server does not come up.${words ? ` Its last words: ${words}` : ''}`,
    `Read ${layout.serverLog}, or run "planwright doctor".`,
  );
}
