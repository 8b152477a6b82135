import { lstat, rm } from 'node:fs/promises';
import { escapeForDisplay } from '../../plan/display';
import { type HeldDirectory, nameOf, walkToParent } from './directory';
import { errnoOf, UnsafeTarget } from './errors';
import { type FoundFile, readTarget } from './target';
import { discard, publishNew, writeTemp } from './temps';

const MOST_BACKUPS = 100;

/**
 * The first of `<path>.bak`, `<path>.bak.1`, … `.bak.99` at which nothing stands. A `.bak` that was there before
 * us belongs to someone else and is never touched, not even when it holds the same bytes: a rollback deletes ours.
 *
 * @throws UnsafeTarget where all are taken
 */
export async function freeBackupPath(root: string, path: string): Promise<string> {
  const { directory } = await walkToParent(root, path, false);
  if (!directory) return `${path}.bak`;
  try {
    for (let number = 0; number < MOST_BACKUPS; number++) {
      const candidate = number === 0 ? `${path}.bak` : `${path}.bak.${number}`;
      if (await isFree(directory, nameOf(candidate))) return candidate;
    }
  } finally {
    await directory.close();
  }
  const shown = escapeForDisplay(path);
  throw new UnsafeTarget(`${shown} has ${MOST_BACKUPS} backups already.`, `Delete old ${shown}.bak files, then retry.`);
}

async function isFree(directory: HeldDirectory, name: string): Promise<boolean> {
  return lstat(directory.at(name)).then(
    () => false,
    (error: unknown) => {
      if (errnoOf(error) === 'ENOENT') return true;
      throw error;
    },
  );
}

/**
 * Keeps the old content under the name of its backup, durably.
 *
 * @returns false where the name was taken by other content in the meantime; choose another and come again
 */
export async function keepBackup(directory: HeldDirectory, name: string, old: FoundFile): Promise<boolean> {
  if (!(await isFree(directory, name))) return holds(directory, name, old);
  const temp = await writeTemp(directory, old.content, old.mode);
  try {
    await publishNew(directory, temp, name);
  } catch (error) {
    await discard(directory, temp);
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
  await directory.sync();
  return true;
}

/** True for the backup that an earlier attempt of this write made. */
async function holds(directory: HeldDirectory, name: string, old: FoundFile): Promise<boolean> {
  try {
    return (await readTarget(directory, name))?.sha256 === old.sha256;
  } catch (error) {
    if (error instanceof UnsafeTarget) return false;
    throw error;
  }
}

/**
 * Deletes a backup that we made, if it still holds the old content (null: nothing was there, so nothing is ours).
 * @returns false where something else stands there now, which is not ours to delete
 */
export async function removeBackup(root: string, backup: string, old: string | null): Promise<boolean> {
  try {
    const { directory } = await walkToParent(root, backup, false);
    return directory === null || (await removeIn(directory, nameOf(backup), old));
  } catch (error) {
    if (error instanceof UnsafeTarget) return false;
    throw error;
  }
}

async function removeIn(directory: HeldDirectory, name: string, old: string | null): Promise<boolean> {
  try {
    const found = await readTarget(directory, name);
    if (!found) return true;
    if (found.sha256 !== old) return false;
    await rm(directory.at(name), { force: true });
    await directory.sync();
    return true;
  } finally {
    await directory.close();
  }
}
