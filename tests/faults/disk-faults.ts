/** A workspace whose disk is full, broken or read-only for a while. Each says whether it can be done on this machine. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, closeSync, mkdtempSync, openSync, realpathSync, rmSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault, World } from './series';

const MOMENT_MS = 2_000;
const FOLDER = '.github/workflows';
const isRoot = process.getuid?.() === 0;

/** Runs a program of the system; false where it is not there or fails. */
function does(program: string, ...args: string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** A small file system of its own, for `fullDisk`; null where none can be mounted. */
export function mountSmallDisk(): { path: string; unmount(): void } | null {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'planwright-small-')));
  if (!isRoot || !does('mount', '-t', 'tmpfs', '-o', 'size=48m', 'tmpfs', path)) {
    rmSync(path, { recursive: true });
    return null;
  }
  return {
    path,
    unmount: () => {
      does('umount', '-l', path);
      rmSync(path, { recursive: true, force: true });
    },
  };
}

const hasStrace = does('strace', '-V');

async function broken(world: World, body: () => Promise<void>): Promise<void> {
  await sleep(world.random.between(0, MOMENT_MS));
  const window = { from: Date.now(), to: Number.POSITIVE_INFINITY };
  world.windows.push(window);
  await body();
  window.to = Date.now();
}

/** Every byte of the disk is taken for up to three seconds. Only for a workspace on a disk of its own. */
export const fullDisk: Fault = {
  name: 'full-disk',
  // The store gives up at once and says so, the writer tries again: either is right, and a person retries what failed.
  strictness: 'retried',
  strike: (world) =>
    broken(world, async () => {
      const path = join(world.installation.workspace, '.planwright', 'filler');
      const file = openSync(path, 'w');
      try {
        for (const size of [1 << 20, 1 << 12]) {
          try {
            for (;;) writeSync(file, Buffer.alloc(size));
          } catch {
            // Full at this size.
          }
        }
        await sleep(world.random.between(500, 3_000));
      } finally {
        closeSync(file);
        unlinkSync(path);
      }
    }),
};

/** The worker's calls of the system fail, for up to a second and a half: its disk is broken, or full at just that call. */
const injected: Fault = {
  name: 'io-errors',
  strictness: 'all',
  strike: (world) =>
    broken(world, async () => {
      const { random, installation } = world;
      const worker = (await installation.processes()).find(({ name }) => name === 'worker');
      const calls = random.pick(['fsync,fdatasync', 'rename,renameat,renameat2', 'link,linkat', 'fsync,rename,link']);
      const errno = random.pick(['EIO', 'ENOSPC']);
      const every = `when=${random.between(1, 3)}+${random.between(1, 3)}`;
      const args = [
        '-f',
        '-qq',
        '-o',
        '/dev/null',
        '-e',
        `trace=${calls}`,
        '-e',
        `inject=${calls}:error=${errno}:${every}`,
      ];
      const tracer = spawn('strace', [...args, '-p', String(worker?.pid)], { stdio: 'ignore' });
      await sleep(random.between(300, 1_500));
      await ended(tracer);
    }),
};

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGINT');
  await gone;
}

/** The directory of the files cannot be written to. A person has to mend that, so the tasks fail and are retried. */
const readOnly: Fault = {
  name: 'read-only',
  strictness: 'retried',
  strike: (world) =>
    broken(world, async () => {
      const folder = join(world.installation.workspace, FOLDER);
      if (isRoot) {
        execFileSync('mount', ['--bind', folder, folder]);
        execFileSync('mount', ['-o', 'remount,bind,ro', folder]);
      } else {
        chmodSync(folder, 0o555);
      }
      await sleep(world.random.between(500, 2_000));
      if (isRoot) execFileSync('umount', ['-l', folder]);
      else chmodSync(folder, 0o755);
    }),
};

function mountsWork(): boolean {
  const disk = mountSmallDisk();
  disk?.unmount();
  return disk !== null;
}

/** Those of them that need no disk of their own. */
export const DISK: readonly Fault[] = [
  ...(hasStrace ? [injected] : []),
  ...(!isRoot || mountsWork() ? [readOnly] : []),
];

export const SKIPPED: readonly string[] = [
  ...(hasStrace ? [] : ['io-errors: strace is not there']),
  ...(isRoot && mountsWork() ? [] : ['full-disk: a small disk can only be mounted by root, where that is allowed']),
];
