import { rmdir } from 'node:fs/promises';
import { escapeForDisplay } from '../../plan/display';
import { nameOf, walkToParent } from './directory';
import { errnoOf, UnsafeTarget } from './errors';

/** It has content, or something else stands there by now: not ours to remove. */
const NOT_OURS = new Set(['ENOTEMPTY', 'EEXIST', 'ENOTDIR', 'EBUSY']);

/**
 * Removes directories that are empty, innermost first, following no link.
 *
 * @param directories relative to the workspace, in any order
 * @returns what was removed, and what is empty but could not be; one with content, or none at all, is in neither
 */
export async function removeEmptyDirectories(
  root: string,
  directories: readonly string[],
): Promise<{ removed: string[]; left: { path: string; reason: string }[] }> {
  const innermostFirst = [...new Set(directories)].sort((a, b) => b.split('/').length - a.split('/').length);
  const removed: string[] = [];
  const left: { path: string; reason: string }[] = [];
  for (const path of innermostFirst) {
    try {
      if (await removeOne(root, path)) removed.push(path);
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === null) throw error;
      left.push({ path, reason: `The directory ${escapeForDisplay(path)} could not be removed: ${errno}.` });
    }
  }
  return { removed, left };
}

async function removeOne(root: string, path: string): Promise<boolean> {
  const { directory } = await walkToParent(root, path, false).catch((error: unknown) => {
    if (error instanceof UnsafeTarget) return { directory: null };
    throw error;
  });
  if (!directory) return false;
  try {
    await rmdir(directory.at(nameOf(path)));
    await directory.sync();
    return true;
  } catch (error) {
    const errno = errnoOf(error) ?? '';
    if (errno === 'ENOENT' || NOT_OURS.has(errno)) return false;
    throw error;
  } finally {
    await directory.close();
  }
}
