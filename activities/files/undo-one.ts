/** Carries out what was decided for one path. Each step may be repeated after a crash, and ends the same. */
import { lstat, rename, unlink } from 'node:fs/promises';
import { escapeForDisplay } from '../../plan/display';
import type { ObjectStore } from '../../store/objects';
import { removeBackup } from './backup';
import { type HeldDirectory, nameOf, walkToParent } from './directory';
import { errnoOf, WriteFailed } from './errors';
import { type FoundFile, readTarget } from './target';
import { discard, publishNew, writeTemp } from './temps';
import type { UndoEntry } from './undo-journal';

interface Place {
  root: string;
  objects: ObjectStore;
}

/**
 * Brings a path to its target, if what stands there is still what was decided about.
 * @returns false where it is not: somebody was quicker, and theirs stays
 * @throws IntegrityError, before anything is touched, where the content to restore is missing or damaged; UnsafeTarget
 */
export async function bringBack({ root, objects }: Place, entry: UndoEntry): Promise<boolean> {
  const { path, now, target } = entry;
  const content = target === null ? null : await objects.get(target);
  const { directory } = await walkToParent(root, path, content !== null);
  if (!directory) return true;
  try {
    const name = nameOf(path);
    const found = await readTarget(directory, name);
    if ((found?.sha256 ?? null) !== target) {
      if ((found?.sha256 ?? null) !== now) return false;
      // Also our own output: a copy that is known to be good is there before the file goes.
      if (found) await objects.put(found.content);
      if (content === null) await unlink(directory.at(name));
      else if (!(await place(directory, name, content, entry, found))) return false;
    }
    // Also where nothing was to do: an attempt may have been killed between its change and this.
    await directory.sync();
    const back = await readTarget(directory, name);
    if ((back?.sha256 ?? null) !== target) throw new WriteFailed(escapeForDisplay(path), 'EIO');
    return true;
  } finally {
    await directory.close();
  }
}

async function place(
  directory: HeldDirectory,
  name: string,
  content: Buffer,
  entry: UndoEntry,
  found: FoundFile | null,
): Promise<boolean> {
  const temp = await writeTemp(directory, content, Number.parseInt(entry.mode, 8));
  try {
    if (found === null) {
      await publishNew(directory, temp, name);
      return true;
    }
    if ((await readTarget(directory, name))?.sha256 !== entry.now) {
      await discard(directory, temp);
      return false;
    }
    await rename(directory.at(temp), directory.at(name));
    return true;
  } catch (error) {
    await discard(directory, temp);
    if (found === null && errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Removes the backups that the undone writes made.
 * @returns the first that stays, because somebody changed it; null where none does
 */
export async function removeBackups({ root }: Place, { backups }: UndoEntry): Promise<string | null> {
  let stays: string | null = null;
  for (const [backup, old] of backups) {
    if (!(await removeBackup(root, backup, old))) stays ??= backup;
  }
  return stays;
}

/** The first of its backups that stands there; for people, so whatever its content. */
export async function standingBackup(
  { root }: Pick<Place, 'root'>,
  { backups }: Pick<UndoEntry, 'backups'>,
): Promise<string | null> {
  for (const [backup] of backups) {
    const { directory } = await walkToParent(root, backup, false);
    const there = directory && (await lstat(directory.at(nameOf(backup))).catch(() => null));
    await directory?.close();
    if (there) return backup;
  }
  return null;
}
