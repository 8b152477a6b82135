import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { PlanwrightError } from '../../plan/errors';
import type { WorkspaceLayout } from '../../store/layout';
import { findTemporalBinary } from './binary';
import { addressOf } from './ensure';
import type { EmbeddedLayout } from './paths';
import { embeddedLayout, workerRecordPath } from './paths';
import { answers } from './ports';
import { isAlive, startTimeOf } from './processes';
import { readServer, readSupervisor, readWorker } from './records';
import { claimNamespace } from './server-process';

/** One thing that was looked at. */
export interface Check {
  name: string;
  ok: 'ok' | 'warn' | 'fail';
  detail: string;
  /** What to do, where it is not ok. */
  advice?: string;
}

export interface DoctorOptions {
  env: NodeJS.ProcessEnv;
  workspace: WorkspaceLayout | null;
  note: (line: string) => void;
}

type Result = Omit<Check, 'name'>;
const good = (detail: string): Result => ({ ok: 'ok', detail });
const warn = (detail: string, advice?: string): Result => ({ ok: 'warn', detail, advice });
const bad = (detail: string, advice?: string): Result => ({ ok: 'fail', detail, advice });

function checkNode(): Result {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const fits = major > 20 || (major === 20 && minor >= 19);
  return fits
    ? good(process.version)
    : bad(`${process.version}, 20.19 is the oldest that works`, 'Install a newer Node.');
}

/** Looks only: a binary that is not there is not got here. */
async function checkBinary(env: NodeJS.ProcessEnv): Promise<Result & { path?: string }> {
  try {
    const { path, source, version } = await findTemporalBinary({ env, note: () => undefined, installs: [] });
    return { ...good(`${version} at ${path} (${source})`), path };
  } catch (error) {
    if (!(error instanceof PlanwrightError)) throw error;
    const hard = env.PLANWRIGHT_TEMPORAL_BIN;
    if (hard) return bad(error.message, error.advice);
    return warn('not there; "planwright up" downloads it, or builds it with Go', error.advice);
  }
}

function nearest(path: string): string {
  return existsSync(path) ? path : nearest(dirname(path));
}

function checkWritable(path: string, advice: string): Result {
  try {
    const place = nearest(path);
    accessSync(place, constants.W_OK | constants.X_OK);
    return statfsSync(place) && good(path);
  } catch (error) {
    return bad(`${path}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`, advice);
  }
}

function checkState(layout: EmbeddedLayout): Result {
  const place = nearest(layout.state);
  const advice = 'Make it a writable directory, or set PLANWRIGHT_HOME.';
  try {
    accessSync(`${place}/.`, constants.F_OK);
  } catch {
    return bad(`${place} is a file; the state directory ${layout.state} belongs there`, advice);
  }
  return checkWritable(layout.state, advice);
}

function checkDisk(layout: EmbeddedLayout): Result {
  const { bavail, bsize } = statfsSync(nearest(layout.state));
  const megabytes = Math.floor((bavail * bsize) / (1024 * 1024));
  const detail = `${megabytes} MB free for ${layout.state}`;
  if (megabytes < 20) return bad(detail, 'Make room on that disk, or set PLANWRIGHT_HOME to a directory on another.');
  return megabytes < 500 ? warn(detail, 'Plans stop when it is full.') : good(detail);
}

async function checkPort(layout: EmbeddedLayout): Promise<Result> {
  const server = readServer(layout);
  if (!server) return good('none chosen yet');
  const address = addressOf(server.port);
  if (isAlive(server.process)) return good(`${address} is the embedded server's`);
  if (await answers(server.port))
    return warn(`${address} is held by another program`, 'The next "up" takes another port.');
  return good(`${address} is free`);
}

async function checkServer(layout: EmbeddedLayout): Promise<Result> {
  const server = readServer(layout);
  if (!server || !isAlive(server.process)) {
    const why = server?.failure;
    return why ? bad(why, `Read ${layout.serverLog}.`) : warn('does not run', 'The next command starts it.');
  }
  const supervisor = readSupervisor(layout);
  if (!(await claimNamespace(server.binary, server.port))) {
    return bad(`pid ${server.process.pid} does not answer at ${addressOf(server.port)}`, `Read ${layout.serverLog}.`);
  }
  const detail = `pid ${server.process.pid} serves at ${addressOf(server.port)} since ${server.process.since}`;
  if (supervisor && startTimeOf(supervisor.process.pid) === supervisor.process.startTime) return good(detail);
  return warn(
    `${detail}, without its supervisor`,
    'The next command that needs the server starts the supervisor again.',
  );
}

function checkWorker(layout: EmbeddedLayout, workspace: WorkspaceLayout): Result {
  const worker = readWorker(workerRecordPath(layout, workspace.id));
  if (worker && isAlive(worker.process)) return good(`pid ${worker.process.pid} for ${worker.workspace}`);
  if (worker?.failure) return bad(worker.failure, 'Run "planwright worker" to see it in the foreground.');
  return warn('does not run', 'The next command that needs it starts it.');
}

function checkGit(env: NodeJS.ProcessEnv): Promise<Result> {
  return new Promise((resolve) => {
    execFile('git', ['--version'], { env: { PATH: env.PATH }, timeout: 5_000 }, (error, stdout) => {
      if (!error) resolve(good(stdout.trim().replace(/^git version /, '')));
      else resolve(warn('git is not on PATH', 'Without it, uncommitted changes in the workspace cannot be noticed.'));
    });
  });
}

/** What the next plan would use and why; never a key, and of the base URL only the host. */
async function checkProvider(env: NodeJS.ProcessEnv, workspace: WorkspaceLayout | null): Promise<Result> {
  // Only here: it brings zod and YAML, and this file is loaded by every command that needs the server.
  const { resolveSettings } = require('../../store/settings') as typeof import('../../store/settings');
  const { provider, model, baseUrl, sources } = await resolveSettings({
    flags: {},
    env,
    layout: { config: workspace?.config ?? '' },
  });
  if (provider === 'template') {
    const why = sources.provider === 'default' ? 'no OPENAI_API_KEY set' : sources.provider;
    return good(`template, built-in rules and no model (${why})`);
  }
  const host = baseUrl === null ? '' : `, at ${new URL(baseUrl).host}`;
  return good(`${provider}, model ${model}${host} (${sources.provider})`);
}

/** Which programs would check files beside the embedded verifiers. Looks only; none is started. */
async function checkTools(env: NodeJS.ProcessEnv, workspace: WorkspaceLayout | null): Promise<Check[]> {
  // Only here, as above.
  const { externalSettings, locateTool, VERIFIER_TOOLS } =
    require('../../store/verifier-tools') as typeof import('../../store/verifier-tools');
  const settings = externalSettings(env, workspace?.root ?? process.cwd());
  return Promise.all(
    VERIFIER_TOOLS.map(async ({ id, command, install, optIn }): Promise<Check> => {
      const name = `verifier ${id}`;
      const found = await locateTool(command, settings);
      const allowed = !optIn || settings.optIn.has(id);
      if (!found)
        return { name, ...warn(`${command} is not there, so its checks are left out`, `To install it: ${install}`) };
      if (allowed) return { name, ...good(found.path) };
      return {
        name,
        ...good(`${found.path}; it executes what it checks, so it runs only with PLANWRIGHT_VERIFIERS_OPT_IN=${id}`),
      };
    }),
  );
}

/** `planwright doctor`: looks at everything that the embedded server needs, and for the tools that verify. Starts, makes and gets nothing. */
export async function doctor({ env, workspace }: DoctorOptions): Promise<Check[]> {
  const layout = embeddedLayout(env);
  const { path: _, ...binary } = await checkBinary(env);
  const looks: [string, () => Result | Promise<Result>][] = [
    ['node', checkNode],
    ['temporal binary', () => binary],
    ['state directory', () => checkState(layout)],
    ['disk', () => checkDisk(layout)],
    ['port', () => checkPort(layout)],
    ['server', () => checkServer(layout)],
    ...(workspace
      ? ([
          ['worker', () => checkWorker(layout, workspace)],
          ['workspace', () => checkWritable(workspace.root, 'Planwright writes its files there.')],
        ] as [string, () => Result][])
      : []),
    ['git', () => checkGit(env)],
    ['provider', () => checkProvider(env, workspace)],
  ];
  const checks: Check[] = [];
  for (const [name, look] of looks) {
    try {
      checks.push({ name, ...(await look()) });
    } catch (error) {
      const advice = error instanceof PlanwrightError ? error.advice : undefined;
      checks.push({ name, ...bad(error instanceof Error ? error.message : String(error), advice) });
    }
  }
  return [...checks, ...(await checkTools(env, workspace))];
}
