/** Planwright as it is installed: real processes, a home and a workspace of its own. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { graphOf } from './shapes.mjs';

const require = createRequire(import.meta.url);
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
export const fromDist = (path) => require(join(ROOT, 'dist', path));
const BIN = join(ROOT, 'bin', 'planwright.js');
const COMMAND_LIMIT_MS = 15 * 60_000;

/** Highest resident memory of a process so far, in MB; null where the system does not tell or it is gone. */
export function peakMemory(pid) {
  try {
    const [, kB] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return kB ? Number(kB) / 1024 : null;
  } catch {
    return null;
  }
}

/** Bytes of all files below a folder, or of one file; 0 where nothing is. */
export function bytesOf(path) {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) return 0;
  if (found.isFile()) return found.size;
  return readdirSync(path).reduce((sum, name) => sum + bytesOf(join(path, name)), 0);
}

export class Installation {
  home = mkdtempSync(join(tmpdir(), 'planwright-bench-home-'));
  workspace = realpathSync(mkdtempSync(join(tmpdir(), 'planwright-bench-ws-')));
  /** Highest memory of a command so far, in MB. */
  commandMemory = 0;
  children = new Set();

  /**
   * @param {{ url: string, temporal: string, globals?: string[], env?: object }} options url of the model server, path of
   *   the Temporal binary, global flags for every command (`--address …`), additions to the environment
   */
  constructor({ url, temporal, globals = [], env = {} }) {
    this.globals = globals;
    const kept = Object.entries(process.env).filter(([name]) => !/^(PLANWRIGHT|TEMPORAL|OPENAI|XDG)_/.test(name));
    this.env = {
      ...Object.fromEntries(kept),
      PLANWRIGHT_HOME: this.home,
      PLANWRIGHT_TEMPORAL_BIN: temporal,
      OPENAI_API_KEY: 'sk-bench',
      OPENAI_BASE_URL: url,
      PLANWRIGHT_MODEL: 'bench-1',
      ...env,
    };
    writeFileSync(join(this.workspace, 'package.json'), '{ "name": "bench", "private": true }\n');
  }

  spawn(args) {
    const all = [BIN, ...args, ...this.globals];
    const child = spawn(process.execPath, all, {
      cwd: this.workspace,
      env: this.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.children.add(child);
    child.once('close', () => this.children.delete(child));
    return child;
  }

  /** Runs one command to its end. @returns `{ stdout, ms }`. Throws Error with its output where it fails. */
  run(args, { code = 0 } = {}) {
    const started = performance.now();
    const child = this.spawn(args);
    const limit = setTimeout(() => child.kill('SIGKILL'), COMMAND_LIMIT_MS);
    const watch = setInterval(() => {
      this.commandMemory = Math.max(this.commandMemory, peakMemory(child.pid) ?? 0);
    }, 100);
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (data) => {
      stdout += data;
    });
    child.stderr.on('data', (data) => {
      stderr += data;
    });
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (ended, signal) => {
        clearTimeout(limit);
        clearInterval(watch);
        if (ended === code) resolve({ stdout, ms: performance.now() - started });
        else reject(new Error(`planwright ${args.join(' ')} ended with ${ended ?? signal}:\n${stdout}\n${stderr}`));
      });
    });
  }

  /** Makes a plan of given tasks; every file that a former one wrote is gone first. */
  async plan(tasks, latencyMs, tag) {
    rmSync(join(this.workspace, '.github'), { recursive: true, force: true });
    const file = join(this.home, 'graph.json');
    writeFileSync(file, JSON.stringify(graphOf(tasks, latencyMs, tag)));
    await this.run(['plan', 'new', '--graph', file, '--name', `bench-${tag}`, `bench ${tag}`]);
  }

  /** The run of the active plan, as the plan itself tells: milliseconds from its acceptance to its end. */
  async lastRun() {
    const view = await this.view();
    const run = view.runs.at(-1);
    if (run?.status !== 'completed')
      throw new Error(`the run ended ${run?.status}: ${JSON.stringify(view.tasks).slice(0, 2000)}`);
    return { view, ms: Date.parse(run.finishedAt) - Date.parse(run.startedAt) };
  }

  async view() {
    return JSON.parse((await this.run(['plan', 'show', '--json'])).stdout);
  }

  /** One plan from graph to files, followed by its command as a person would. @returns milliseconds of the run itself */
  async carryOut(tasks, latencyMs, tag) {
    await this.plan(tasks, latencyMs, tag);
    await this.run(['apply', '--yes', '--quiet']);
    return (await this.lastRun()).ms;
  }

  /** `supervisor`, `server` and `worker` with their pids. */
  async processes() {
    return JSON.parse((await this.run(['status', '--json'])).stdout).processes;
  }

  async close() {
    for (const child of this.children) child.kill('SIGTERM');
    await this.run(['down', '--purge']).catch((error) => process.stderr.write(`${error.message}\n`));
    for (const child of this.children) child.kill('SIGKILL');
    rmSync(this.home, { recursive: true, force: true, maxRetries: 3 });
    rmSync(this.workspace, { recursive: true, force: true, maxRetries: 3 });
  }
}
