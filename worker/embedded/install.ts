import { spawn } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Puts the Temporal CLI at `target`, whole or not at all. Throws an Error that says why it could not. */
export type Install = (job: { target: string; env: NodeJS.ProcessEnv; note: (line: string) => void }) => Promise<void>;

const GO_MODULE = 'github.com/temporalio/cli/cmd/temporal@v1.5.1';
/** On a network that swallows packets the SDK's download hangs for ever. */
const DOWNLOAD_SILENCE = 20_000;
const NOTE_EVERY = 15_000;

interface Ended {
  code: number | null;
  /** The last lines that it wrote. */
  words: string;
}

/** Runs a program in a group of its own, and kills that group as soon as `giveUp` (asked once a second) says so. */
function run(
  program: string,
  args: string[],
  options: { env: NodeJS.ProcessEnv; cwd: string; giveUp: (elapsedMs: number) => boolean },
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: options.env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const began = Date.now();
    let output = '';
    const killGroup = (): void => {
      try {
        // SIGTERM is ignored by a download that hangs.
        if (child.pid) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // The whole group has ended.
      }
    };
    const timer = setInterval(() => {
      if (options.giveUp(Date.now() - began)) killGroup();
    }, 1_000);
    // A command that is interrupted leaves no build behind.
    process.once('exit', killGroup);
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output = (output + text).slice(-4_000);
      });
    }
    const end = (): void => {
      clearInterval(timer);
      process.removeListener('exit', killGroup);
    };
    child.once('error', (error) => {
      end();
      reject(error);
    });
    child.once('close', (code) => {
      end();
      killGroup();
      resolve({ code, words: output.trim().split('\n').slice(-3).join(' / ') });
    });
  });
}

/** A folder beside the target, so that the rename at the end stays on one file system. */
async function withScratch<T>(target: string, work: (scratch: string) => Promise<T>): Promise<T> {
  const folder = dirname(target);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // We hold the lock: what lies there is of a command that was killed.
  for (const name of await readdir(folder)) {
    if (name.startsWith('.get-')) await rm(join(folder, name), { recursive: true, force: true });
  }
  const scratch = await mkdtemp(join(folder, '.get-'));
  try {
    return await work(scratch);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function bytesIn(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + (statSync(join(folder, name)).size || 0), 0);
}

/** The program of the child process: the SDK downloads only on the way to starting a server, so that is what it does. */
const DOWNLOAD = `
const { TestWorkflowEnvironment } = require(process.argv[1]);
const executable = { type: 'cached-download', downloadDir: process.argv[2] };
TestWorkflowEnvironment.createLocal({ server: { executable } })
  .then((environment) => environment.teardown())
  .then(() => process.exit(0), (error) => { console.error(String(error)); process.exit(1); });
`;

/**
 * The SDK's own download of the CLI. In a child process that is killed after 20 seconds without a byte: where packets
 * are swallowed it would never end. `@temporalio/testing`, which brings it, is there in a checkout only.
 */
export const downloadWithSdk: Install = async ({ target, env, note }) => {
  let sdk: string;
  try {
    sdk = require.resolve('@temporalio/testing');
  } catch {
    throw new Error('@temporalio/testing, which brings it, is not installed');
  }
  note('Downloading the Temporal server, once …');
  await withScratch(target, async (scratch) => {
    let bytes = 0;
    let movedAt = 0;
    let silent = false;
    const giveUp = (elapsedMs: number): boolean => {
      const now = bytesIn(scratch);
      if (now !== bytes) movedAt = elapsedMs;
      bytes = now;
      silent = elapsedMs - movedAt > DOWNLOAD_SILENCE;
      return silent;
    };
    const ended = await run(process.execPath, ['-e', DOWNLOAD, sdk, scratch], { env, cwd: scratch, giveUp });
    const file = readdirSync(scratch).find((name) => name.startsWith('temporal-') && !name.endsWith('.downloading'));
    if (file) return rename(join(scratch, file), target);
    if (silent) throw new Error(`no answer from the network for ${DOWNLOAD_SILENCE / 1000} seconds`);
    // The error repeats itself with the whole URL before each cause; the last one is the reason.
    throw new Error(ended.words.split('): ').at(-1) || `it ended with code ${ended.code}`);
  });
};

function minutes(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** `go install` of the CLI from source: 3 to 6 minutes on two cores. */
export const buildWithGo: Install = async ({ target, env, note }) => {
  await withScratch(target, async (scratch) => {
    note('Building the Temporal server with Go, once, 3 to 6 minutes …');
    const began = Date.now();
    const timer = setInterval(
      () => note(`Building the Temporal server with Go, once, 3 to 6 minutes … (${minutes(Date.now() - began)})`),
      NOTE_EVERY,
    );
    try {
      const ended = await run('go', ['install', GO_MODULE], {
        env: { ...env, GOBIN: scratch },
        cwd: scratch,
        giveUp: (elapsedMs) => elapsedMs > 30 * 60_000,
      }).catch((error: NodeJS.ErrnoException) => {
        throw new Error(error.code === 'ENOENT' ? 'Go is not installed' : error.message);
      });
      const built = ['temporal', 'temporal.exe'].map((name) => join(scratch, name)).find(existsSync);
      if (ended.code !== 0 || !built) throw new Error(`it failed (${ended.code}): ${ended.words}`);
      await rename(built, target);
    } finally {
      clearInterval(timer);
    }
  });
};
