/**
 * Planwright as it is installed: real processes from `dist/`, a state directory and a workspace of its own, and a model
 * server at the network's edge. Every process that it starts is ended by `close`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import type { PlanView } from '../../plan/view';
import { userFolders } from '../../store/layout';

const ROOT = join(__dirname, '..', '..');
const BIN = join(ROOT, 'bin', 'planwright.js');

export interface Finished {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Running {
  child: ChildProcess;
  done: Promise<Finished>;
  /** Resolves when what was printed so far on either stream matches. */
  says(pattern: RegExp): Promise<void>;
}

export interface ProcessRow {
  name: 'supervisor' | 'server' | 'worker';
  pid: number;
}

export class Installation {
  readonly home = mkdtempSync(join(tmpdir(), 'planwright-e2e-home-'));
  readonly workspace = realpathSync(mkdtempSync(join(tmpdir(), 'planwright-e2e-ws-')));
  private readonly children = new Set<ChildProcess>();

  /** @param env added to the environment of every command: provider settings */
  constructor(
    private readonly env: NodeJS.ProcessEnv = {},
    project: string | null = join(ROOT, 'examples', 'node-service'),
  ) {
    if (!existsSync(join(ROOT, 'dist', 'client', 'cli', 'main.js')))
      throw new Error('no dist/: run `npm run build` first');
    if (project) cpSync(project, this.workspace, { recursive: true });
  }

  private environment(): NodeJS.ProcessEnv {
    const kept = Object.entries(process.env).filter(([name]) => !/^(PLANWRIGHT|TEMPORAL|OPENAI|XDG)_/.test(name));
    const cached = join(userFolders({ ...process.env, PLANWRIGHT_HOME: '' }).cache, 'bin', 'temporal');
    return {
      ...Object.fromEntries(kept),
      PLANWRIGHT_HOME: this.home,
      PLANWRIGHT_TEMPORAL_BIN: process.env.PLANWRIGHT_TEMPORAL_BIN ?? cached,
      ...this.env,
    };
  }

  start(args: string[], { cwd = this.workspace, input = '', env = {} as NodeJS.ProcessEnv } = {}): Running {
    const child = spawn(process.execPath, [BIN, ...args], {
      cwd,
      env: { ...this.environment(), ...env },
      stdio: 'pipe',
    });
    this.children.add(child);
    let stdout = '';
    let stderr = '';
    const listeners = new Set<() => void>();
    child.stdout.on('data', (data: Buffer) => {
      stdout += data;
      for (const listener of listeners) listener();
    });
    child.stderr.on('data', (data: Buffer) => {
      stderr += data;
      for (const listener of listeners) listener();
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    const done = new Promise<Finished>((resolve) => {
      child.on('close', (code, signal) => {
        this.children.delete(child);
        resolve({ code, signal, stdout, stderr });
      });
    });
    const says = (pattern: RegExp): Promise<void> =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (!pattern.test(stdout + stderr)) return;
          listeners.delete(look);
          resolve();
        };
        listeners.add(look);
        void done.then(() => reject(new Error(`ended without saying ${pattern}:\n${stdout}\n${stderr}`)));
        look();
      });
    return { child, done, says };
  }

  run(args: string[], options: Parameters<Installation['start']>[1] = {}): Promise<Finished> {
    return this.start(args, options).done;
  }

  /** Runs and expects success; the output is in the error otherwise. */
  async ok(args: string[], options: Parameters<Installation['start']>[1] = {}): Promise<Finished> {
    const finished = await this.run(args, options);
    if (finished.code !== 0) {
      throw new Error(
        `planwright ${args.join(' ')} ended with ${finished.code}:\n${finished.stdout}\n${finished.stderr}`,
      );
    }
    return finished;
  }

  async view(plan = 'latest'): Promise<PlanView> {
    return JSON.parse((await this.ok(['plan', 'show', plan, '--json'])).stdout) as PlanView;
  }

  async processes(): Promise<ProcessRow[]> {
    const { stdout } = await this.ok(['status', '--json']);
    return (JSON.parse(stdout) as { processes: ProcessRow[] }).processes;
  }

  async kill(name: ProcessRow['name']): Promise<boolean> {
    const row = (await this.processes()).find((one) => one.name === name);
    if (!row) return false;
    try {
      process.kill(row.pid, 'SIGKILL');
      return true;
    } catch {
      return false;
    }
  }

  /** Files of the workspace by relative path, without planwright's own folder. */
  files(): { [path: string]: string } {
    const found: { [path: string]: string } = {};
    const walk = (folder: string): void => {
      for (const entry of readdirSync(folder, { withFileTypes: true })) {
        const path = join(folder, entry.name);
        if (entry.isDirectory()) {
          if (entry.name !== '.planwright') walk(path);
        } else {
          found[relative(this.workspace, path)] = readFileSync(path, 'utf8');
        }
      }
    };
    walk(this.workspace);
    return found;
  }

  /** Temp files of writes, anywhere in the workspace. */
  leftovers(): string[] {
    const all = readdirSync(this.workspace, { recursive: true, encoding: 'utf8' });
    return all.filter((path) => /\.tmp$|planwright-tmp/.test(path));
  }

  async close(): Promise<void> {
    for (const child of this.children) child.kill('SIGKILL');
    await this.run(['down', '--purge']);
    rmSync(this.home, { recursive: true, force: true });
    rmSync(this.workspace, { recursive: true, force: true });
  }
}

/** An installation for a test file. */
export function useInstallation(make: () => Installation | Promise<Installation>): () => Installation {
  let installation: Installation;
  beforeAll(async () => {
    installation = await make();
  });
  afterAll(async () => {
    await installation?.close();
  }, 60_000);
  return () => installation;
}
