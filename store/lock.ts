import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, stat, truncate, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { RefusedError } from '../plan/errors';
import { isProvablyDead, ownIdentity } from './process';

/**
 * A lock among processes, as a directory of numbered claims. The highest number holds the lock while its maker
 * lives and has not released it (an empty file is a released claim). Whoever finds it free links the next number
 * with link(2), which only one can; the highest claim is never deleted, so a number is never given twice in a
 * way that matters: one who comes late with an old number sees a higher one and withdraws. Hence a lock can be
 * taken from the dead without the race that unlinking a lock file has.
 */
export interface Lock {
  /** Gives the lock back; the second time does nothing. */
  release(): Promise<void>;
}

export interface LockOptions {
  /** How long to wait for another holder, in milliseconds; 0 tries once. */
  timeoutMs: number;
}

/** Another process holds the lock, or left it behind on a machine that cannot be looked at from here. */
export class LockBusyError extends RefusedError {}

const holderShape = z.object({
  schema: z.literal('planwright.lock/1'),
  host: z.string(),
  boot: z.string(),
  pidSpace: z.string(),
  pid: z.number().int(),
  start: z.string(),
  since: z.string(),
});
type Holder = z.infer<typeof holderShape>;

const claimName = (number: number): string => String(number).padStart(10, '0');

/**
 * Takes the lock, waiting for its holder. A holder is dispossessed only if it is provably dead.
 *
 * @param path a directory for the lock alone; it is made (mode 0700) and stays
 * @throws LockBusyError after `timeoutMs`, naming the holder
 */
export async function acquireLock(path: string, { timeoutMs }: LockOptions): Promise<Lock> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  const deadline = Date.now() + timeoutMs;
  for (let pause = 10; ; pause = Math.min(pause * 2, 200)) {
    const highest = Math.max(0, ...(await claims(path)));
    const state = highest === 0 ? 'free' : await stateOf(path, highest);
    if (state === 'free') {
      const lock = await claim(path, highest + 1);
      if (lock) return lock;
    }
    if (Date.now() >= deadline && state !== 'free') throw busy(path, state);
    await sleep(state === 'free' ? 1 : pause * (0.5 + Math.random() / 2));
  }
}

/** Runs `body` under the lock. */
export async function withLock<T>(path: string, options: LockOptions, body: () => Promise<T>): Promise<T> {
  const lock = await acquireLock(path, options);
  try {
    return await body();
  } finally {
    await lock.release();
  }
}

async function claims(path: string): Promise<number[]> {
  return (await readdir(path)).filter((name) => /^\d{10}$/.test(name)).map(Number);
}

/** 'free' where the highest claim is released or its maker dead; otherwise who has it (null: cannot be read). */
async function stateOf(path: string, number: number): Promise<'free' | Holder | null> {
  const text = await readFile(join(path, claimName(number)), 'utf8').catch((error: NodeJS.ErrnoException) => {
    // Tidied away since the listing, so a higher one exists: the claim will lose to it, and look again.
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  if (text === '') return 'free';
  const holder = parseHolder(text);
  return holder && (await isProvablyDead(holder)) ? 'free' : holder;
}

function parseHolder(text: string): Holder | null {
  try {
    return holderShape.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** Tries to be claim `number`; null where someone else was or is ahead. One step of `acquireLock`, apart for its test. */
export async function claim(path: string, number: number): Promise<Lock | null> {
  const mine = join(path, claimName(number));
  const temp = join(path, `.${process.pid}.${randomBytes(6).toString('hex')}`);
  const holder: Holder = { schema: 'planwright.lock/1', ...(await ownIdentity()), since: new Date().toISOString() };
  const handle = await open(temp, 'wx', 0o600);
  try {
    await handle.writeFile(JSON.stringify(holder));
    await handle.sync();
    await link(temp, mine);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EEXIST' || code === 'ENOENT') return null;
    throw error;
  } finally {
    await handle.close();
    await unlink(temp).catch(() => undefined);
  }
  const all = await claims(path);
  if (all.some((other) => other > number)) {
    await unlink(mine).catch(() => undefined);
    return null;
  }
  await tidy(path, number, all);
  let held = true;
  return {
    async release() {
      if (!held) return;
      held = false;
      await truncate(mine, 0).catch((error: NodeJS.ErrnoException) => {
        // The folder was deleted meanwhile (`clean`, or by hand): then there is nothing to give back.
        if (error.code !== 'ENOENT') throw error;
      });
    },
  };
}

/** Deletes claims that lost, and temporary files that a killed claimant left more than a minute ago. */
async function tidy(path: string, number: number, all: number[]): Promise<void> {
  const temps = (await readdir(path)).filter((name) => name.startsWith('.'));
  const old = async (name: string): Promise<boolean> =>
    stat(join(path, name)).then(
      ({ mtimeMs }) => Date.now() - mtimeMs > 60_000,
      () => false,
    );
  const gone = all.filter((other) => other < number).map(claimName);
  for (const name of temps) if (await old(name)) gone.push(name);
  await Promise.all(gone.map((name) => unlink(join(path, name)).catch(() => undefined)));
}

function busy(path: string, holder: Holder | null): LockBusyError {
  if (!holder) return new LockBusyError(`The lock ${path} cannot be read.`, `If nothing runs here, delete ${path}.`);
  return new LockBusyError(
    `Process ${holder.pid} on ${holder.host} has held the lock ${path} since ${holder.since}.`,
    `Wait for it or end it. If that machine or container no longer exists, delete ${path}.`,
  );
}
