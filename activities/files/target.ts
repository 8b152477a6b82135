import { constants } from 'node:fs';
import { lstat, open } from 'node:fs/promises';
import { sha256 } from '../../plan/digest';
import { escapeForDisplay } from '../../plan/display';
import type { HeldDirectory } from './directory';
import { nameOf, unsafe, walkToParent } from './directory';
import { errnoOf, UnsafeTarget } from './errors';

/** What stands at a path: a regular file with exactly one name. */
export interface FoundFile {
  content: Buffer;
  /** SHA-256 (hex) of `content`. */
  sha256: string;
  /** Permission bits, 0 to 0o777. */
  mode: number;
}

/**
 * Reads the entry `name` of a directory without following a link (and without blocking on a pipe).
 *
 * @returns null where nothing is there
 * @throws UnsafeTarget for anything but a regular file with one link (T03, T04)
 */
export async function readTarget(directory: HeldDirectory, name: string): Promise<FoundFile | null> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(directory.at(name), flags).catch(async (error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return null;
    const found = await lstat(directory.at(name)).catch(() => null);
    if (found && !found.isFile()) throw unsafe(directory.pathOf(name), found);
    throw error;
  });
  if (!handle) return null;
  try {
    const found = await handle.stat();
    if (!found.isFile()) throw unsafe(directory.pathOf(name), found);
    if (found.nlink > 1) {
      const shown = escapeForDisplay(directory.pathOf(name));
      throw new UnsafeTarget(
        `${shown} has ${found.nlink} names (hard links); replacing it would part it from the others.`,
        `Copy ${shown} to a file of its own, then try again.`,
      );
    }
    const content = await handle.readFile();
    return { content, sha256: sha256(content), mode: found.mode & 0o777 };
  } finally {
    await handle.close();
  }
}

/** As `readTarget`, for a path relative to the workspace; `missing` are the parent directories that do not exist. */
export async function readPath(root: string, path: string): Promise<{ found: FoundFile | null; missing: string[] }> {
  const { directory, missing } = await walkToParent(root, path, false);
  if (!directory) return { found: null, missing };
  try {
    return { found: await readTarget(directory, nameOf(path)), missing };
  } finally {
    await directory.close();
  }
}
