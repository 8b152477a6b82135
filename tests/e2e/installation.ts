/**
 * Planwright as it is installed: real processes from `dist/`, a state directory and a workspace of its own, and a model
 * server at the network's edge. Every process that it starts is ended by `close`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
} from 'node:fs';
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
  readonly workspace: string;
  private readonly ownsWorkspace: boolean;
  private readonly children = new Set<ChildProcess>();

  /**
   * @param env added to the environment of every command: provider settings
   * @param project copied into the workspace
   * @param workspace an empty directory to work in; one is made unless told
   * @param user everything is run by this user, and both directories are theirs; the user of the test unless told
   */
  constructor(
    private env: NodeJS.ProcessEnv = {},
    project: string | null = join(ROOT, 'examples', 'node-service'),
    workspace?: string,
    private readonly user?: number,
  ) {
    this.ownsWorkspace = workspace === undefined;
    this.workspace = realpathSync(workspace ?? mkdtempSync(join(tmpdir(), 'planwright-e2e-ws-')));
    if (!existsSync(join(ROOT, 'dist', 'client', 'cli', 'main.js')))
      throw new Error('no dist/: run `npm run build` first');
    if (project) cpSync(project, this.workspace, { recursive: true });
    if (user !== undefined) this.handOver(user);
  }

  /** Also the server's binary: the one in the cache may lie where only its owner may look. */
  private handOver(user: number): void {
    const own = join(this.home, 'temporal');
    copyFileSync(this.temporalBinary, own);
    chmodSync(own, 0o755);
    this.env = { ...this.env, PLANWRIGHT_TEMPORAL_BIN: own, HOME: this.home };
    for (const folder of [this.home, this.workspace]) {
      chownSync(folder, user, user);
      const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
      for (const name of names) chownSync(join(folder, name), user, user);
    }
  }

  /** The `temporal` that the server is started with, for tests that use it as a client. */
  get temporalBinary(): string {
    const cached = join(userFolders({ ...process.env, PLANWRIGHT_HOME: '' }).cache, 'bin', 'temporal');
    return process.env.PLANWRIGHT_TEMPORAL_BIN ?? cached;
  }

  private environment(): NodeJS.ProcessEnv {
    const kept = Object.entries(process.env).filter(([name]) => !/^(PLANWRIGHT|TEMPORAL|OPENAI|XDG)_/.test(name));
    return {
      ...Object.fromEntries(kept),
      PLANWRIGHT_HOME: this.home,
      PLANWRIGHT_TEMPORAL_BIN: this.temporalBinary,
      ...this.env,
    };
  }

  start(args: string[], { cwd = this.workspace, input = '', env = {} as NodeJS.ProcessEnv } = {}): Running {
    const child = spawn(process.execPath, [BIN, ...args], {
      cwd,
      env: { ...this.environment(), ...env },
      stdio: 'pipe',
      ...(this.user === undefined ? {} : { uid: this.user, gid: this.user }),
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

  /** Where the embedded server listens. */
  async server(): Promise<{ address: string; namespace: string }> {
    return JSON.parse((await this.ok(['status', '--json'])).stdout) as { address: string; namespace: string };
  }

  /** Command lines of processes that belong to this installation, by pid; commands under way are among them. */
  private running(): Map<number, string> {
    const found = new Map<number, string>();
    for (const pid of readdirSync('/proc').map(Number).filter(Boolean)) {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
        if (line.includes(this.home) || line.includes(this.workspace)) found.set(pid, line);
      } catch {
        // It ended while we looked.
      }
    }
    return found;
  }

  /** Processes of this installation that `status` does not know, or knows and nobody can find. */
  async strangers(): Promise<string[]> {
    const known = await this.processes();
    const running = this.running();
    const missing = known.filter(({ pid }) => !running.has(pid)).map(({ name }) => `${name} is gone`);
    const unknown = [...running].filter(([pid]) => !known.some((row) => row.pid === pid)).map(([, line]) => line);
    return [...missing, ...unknown];
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

  /** Regular files of the workspace by relative path, without planwright's own folder. */
  files(): { [path: string]: string } {
    const found: { [path: string]: string } = {};
    const walk = (folder: string): void => {
      for (const entry of readdirSync(folder, { withFileTypes: true })) {
        const path = join(folder, entry.name);
        if (entry.isDirectory()) {
          if (entry.name !== '.planwright') walk(path);
        } else if (entry.isFile()) {
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

  /** Ends everything. @returns processes that are still there, by command line */
  async close(): Promise<string[]> {
    for (const child of this.children) child.kill('SIGKILL');
    await this.run(['down', '--purge']);
    const left = [...this.running().values()];
    rmSync(this.home, { recursive: true, force: true });
    if (this.ownsWorkspace) rmSync(this.workspace, { recursive: true, force: true });
    return left;
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
