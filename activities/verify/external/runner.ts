import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import type { Job, RunResult } from './types';

const TIMEOUT_MS = 30_000;
/** More than this from a linter is a flood; it is ended. */
const MAX_OUTPUT = 4 * 1024 * 1024;
/** Bytes of memory that a tool may write, and of one file. Address space is not limited: Go and Haskell reserve much and use little. */
const MAX_DATA = 3 * 1024 ** 3;
const MAX_FILE = 64 * 1024 ** 2;

/** Ways to start a tool without a network, the strongest first; the first that works here is kept. */
const WAYS: readonly string[][] = [
  // In a process namespace of its own even a process that left the group dies with the tool.
  ['/usr/bin/unshare', '--user', '--map-root-user', '--net', '--pid', '--fork', '--kill-child', '--'],
  ['/usr/bin/unshare', '--user', '--map-root-user', '--net', '--'],
];
const LIMITS = ['/usr/bin/prlimit', `--data=${MAX_DATA}`, `--fsize=${MAX_FILE}`, '--core=0', '--cpu=120', '--'];

let prefix: Promise<string[]> | null = null;

/** What stands before a tool's own command on this machine; empty where there is neither `unshare` nor `prlimit`. */
export function isolation(): Promise<string[]> {
  prefix ??= (async () => {
    const limits = (await works([...LIMITS, '/bin/true'])) ? LIMITS : [];
    for (const way of WAYS) if (await works([...way, ...limits, '/bin/true'])) return [...way, ...limits];
    return limits;
  })();
  return prefix;
}

async function works(command: string[]): Promise<boolean> {
  const { code, fault } = await start(command, { cwd: '/', env: {}, timeoutMs: 5_000 });
  return code === 0 && fault === null;
}

/**
 * Starts a tool on a staged copy: a new folder of mode 0700 with regular files of fixed names, no shell, an environment of its own
 * (no key of ours is in it), a home of its own, no network where that can be had, limits of time, memory and output. Whatever it
 * started ends with it. The folder is removed.
 *
 * @param path the tool, absolute
 */
export async function runTool(path: string, job: Job, signal?: AbortSignal): Promise<RunResult> {
  const stage = await mkdtemp(join(tmpdir(), 'planwright-verify-'));
  try {
    const work = join(stage, 'work');
    for (const folder of ['work', 'home', 'tmp']) await mkdir(join(stage, folder), { mode: 0o700 });
    for (const [name, content] of Object.entries(job.files ?? {})) {
      if (isAbsolute(name) || name.split('/').includes('..')) throw new Error(`"${name}" is no name in a stage.`);
      const target = join(work, name);
      await mkdir(dirname(target), { recursive: true, mode: 0o700 });
      await writeFile(target, content, { flag: 'wx', mode: 0o600 });
    }
    const env = {
      PATH: `${dirname(path)}:/usr/bin:/bin`,
      HOME: join(stage, 'home'),
      TMPDIR: join(stage, 'tmp'),
      XDG_CONFIG_HOME: join(stage, 'home'),
      XDG_CACHE_HOME: join(stage, 'home'),
      LANG: 'C.UTF-8',
      NO_COLOR: '1',
      ...job.env,
    };
    const command = [...(await isolation()), path, ...job.args.map((arg) => arg.replaceAll('{stage}', work))];
    const result = await start(command, {
      cwd: work,
      env,
      stdin: job.stdin,
      timeoutMs: job.timeoutMs ?? TIMEOUT_MS,
      signal,
    });
    // The folder's name is another one each time, and says nothing to anybody.
    const plain = (text: string): string =>
      text.replaceAll(`${work}/`, '').replaceAll(work, '.').replaceAll(stage, '.');
    return { ...result, stdout: plain(result.stdout), stderr: plain(result.stderr) };
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}

interface Start {
  cwd: string;
  env: Record<string, string>;
  stdin?: string;
  timeoutMs: number;
  signal?: AbortSignal;
}

function start(command: readonly string[], { cwd, env, stdin, timeoutMs, signal }: Start): Promise<RunResult> {
  const [program = '', ...args] = command;
  return new Promise((resolve) => {
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    let bytes = 0;
    let fault: string | null = null;
    const child = spawn(program, args, { cwd, env, detached: true, shell: false, stdio: ['pipe', 'pipe', 'pipe'] });
    const end = (why: string): void => {
      fault ??= why;
      kill(child.pid);
    };
    const aborted = (): void => end('the verification was aborted');
    const timer = setTimeout(() => end(`it did not end within ${timeoutMs} ms`), timeoutMs);
    const take = (into: Buffer[]) => (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= MAX_OUTPUT) into.push(chunk);
      else end(`it wrote more than ${MAX_OUTPUT} bytes`);
    };
    const finish = (code: number | null): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', aborted);
      // What it left behind in its group holds the stage, and perhaps a processor.
      kill(child.pid);
      child.stdout.destroy();
      child.stderr.destroy();
      resolve({
        code,
        stdout: Buffer.concat(out).toString('utf8'),
        stderr: Buffer.concat(err).toString('utf8'),
        fault,
      });
    };
    child.stdout.on('data', take(out));
    child.stderr.on('data', take(err));
    child.stdin.on('error', () => undefined);
    child.once('error', (error) => {
      fault ??= `it could not be started: ${error.message}`;
      finish(null);
    });
    // A grandchild may keep the pipes open for ever, so after the exit a moment is enough.
    child.once('exit', (code) => {
      const late = setTimeout(() => finish(code), 500);
      child.once('close', () => {
        clearTimeout(late);
        finish(code);
      });
    });
    signal?.addEventListener('abort', aborted, { once: true });
    if (signal?.aborted) aborted();
    child.stdin.end(stdin ?? '');
  });
}

function kill(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody of the group is left.
  }
}
