import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, readdir, rename, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** By directory: the sync that has not begun yet, which everyone may join who changed the directory before it does. */
const waiting = new Map<string, Promise<void>>();
const running = new Map<string, Promise<void>>();

/** Makes a directory's entries durable. Callers at the same time share syncs; each gets one that began after its call. */
export function syncDirectory(path: string): Promise<void> {
  const joined = waiting.get(path);
  if (joined !== undefined) return joined;
  const before = running.get(path);
  const begin = (): Promise<void> => {
    waiting.delete(path);
    const own = syncNow(path).finally(() => {
      if (running.get(path) === own) running.delete(path);
    });
    running.set(path, own);
    return own;
  };
  if (!before) return begin();
  const next = before.then(begin, begin);
  waiting.set(path, next);
  return next;
}

async function syncNow(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Replaces one of our own files (under `.planwright/` or the state directory) whole: temp file, fsync, rename,
 * fsync of the directory. Readers see the old bytes or the new ones, never a part. For files in the
 * workspace proper there is `activities/files/writer.ts`, which also distrusts what stands there.
 *
 * @param mode permission bits, 0o600 unless told
 */
export async function replaceFile(path: string, content: string | Uint8Array, mode = 0o600): Promise<void> {
  const folder = dirname(path);
  const temp = join(folder, `.${basename(path)}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`);
  const handle = await open(temp, 'wx', mode).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return open(temp, 'wx', mode);
  });
  try {
    await handle.writeFile(content);
    await handle.sync();
  } catch (error) {
    await handle.close();
    await unlink(temp).catch(() => undefined);
    throw error;
  }
  await handle.close();
  try {
    await rename(temp, path);
  } catch (error) {
    await unlink(temp).catch(() => undefined);
    throw error;
  }
  await syncDirectory(folder);
}

const TEMP_NAME = /^\..+\.(\d+)\.[0-9a-f]{8}\.tmp$/;

/**
 * Removes temp files that killed processes left below one of our own folders: those that were there before this process and whose
 * maker is gone. A pid that was given again keeps its file for another time.
 *
 * @returns how many were removed
 */
export async function sweepOwnTemps(folder: string): Promise<number> {
  const startedAt = Date.now() - process.uptime() * 1000;
  const names = await readdir(folder, { recursive: true }).catch(() => [] as string[]);
  let removed = 0;
  for (const name of names) {
    const [, pid] = TEMP_NAME.exec(basename(name)) ?? [];
    if (pid === undefined || isRunning(Number(pid))) continue;
    const path = join(folder, name);
    const made = await stat(path).catch(() => null);
    if (!made?.isFile() || made.mtimeMs > startedAt) continue;
    await unlink(path).catch(() => undefined);
    removed += 1;
  }
  return removed;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
