import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { escapeForDisplay } from '../../plan/display';
import { errnoOf, UnsafeTarget } from './errors';

const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/**
 * A directory held open. On Linux `at(name)` goes through `/proc/self/fd/<n>`, which is what openat(2) would do:
 * a directory that is exchanged for a symbolic link after we looked changes nothing. Elsewhere it is the path,
 * checked component by component just before.
 */
export class HeldDirectory {
  private constructor(
    private readonly handle: FileHandle,
    private readonly path: string,
    /** Relative to the workspace, '' for its root. */
    readonly relative: string,
  ) {}

  /** @param root real path of the workspace */
  static async root(root: string): Promise<HeldDirectory> {
    return new HeldDirectory(await open(root, DIRECTORY), root, '');
  }

  /** Where the system finds the entry `name` of this directory. */
  at(name: string): string {
    const base = process.platform === 'linux' ? `/proc/self/fd/${this.handle.fd}` : this.path;
    return join(base, name);
  }

  pathOf(name: string): string {
    return this.relative === '' ? name : `${this.relative}/${name}`;
  }

  /**
   * Opens the directory `name` in this one without following a link.
   * @returns null where nothing is there
   * @throws UnsafeTarget where it is a link or no directory
   */
  async child(name: string): Promise<HeldDirectory | null> {
    try {
      const handle = await open(this.at(name), DIRECTORY);
      return new HeldDirectory(handle, join(this.path, name), this.pathOf(name));
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return null;
      const found = await lstat(this.at(name)).catch(() => null);
      if (found && !found.isDirectory()) throw unsafe(this.pathOf(name), found);
      throw error;
    }
  }

  /** Makes the directory `name`, durably, and opens it; one that is there already is as good. */
  async makeChild(name: string): Promise<HeldDirectory> {
    await mkdir(this.at(name), 0o777).catch((error: unknown) => {
      if (errnoOf(error) !== 'EEXIST') throw error;
    });
    await this.sync();
    const made = await this.child(name);
    if (!made) throw new UnsafeTarget(`The directory ${escapeForDisplay(this.pathOf(name))} vanished as it was made.`);
    return made;
  }

  /** Makes the directory's entries durable. */
  async sync(): Promise<void> {
    await this.handle.sync();
  }

  async close(): Promise<void> {
    await this.handle.close();
  }
}

/** The refusal for what is neither a directory (as a parent) nor a plain file (as a target). */
export function unsafe(path: string, found: Stats): UnsafeTarget {
  const shown = escapeForDisplay(path);
  const kind = found.isSymbolicLink()
    ? 'a symbolic link'
    : found.isFile()
      ? 'a file'
      : found.isDirectory()
        ? 'a directory'
        : 'a device, socket or pipe';
  return new UnsafeTarget(
    `${shown} is ${kind}; Planwright does not write there.`,
    `Move ${shown} away, then try again.`,
  );
}

/**
 * Walks to the parent directory of a checked path, one component at a time, following no link.
 *
 * @param make false: stop at the first directory that does not exist
 * @returns the parent held open (the caller closes it), or null with what is missing
 */
export async function walkToParent(
  root: string,
  path: string,
  make: boolean,
): Promise<{ directory: HeldDirectory | null; missing: string[] }> {
  const names = path.split('/').slice(0, -1);
  let held = await HeldDirectory.root(root);
  for (const [at, name] of names.entries()) {
    let next: HeldDirectory | null;
    try {
      next = (await held.child(name)) ?? (make ? await held.makeChild(name) : null);
    } finally {
      await held.close();
    }
    if (!next) return { directory: null, missing: names.slice(at).map((_, i) => names.slice(0, at + i + 1).join('/')) };
    held = next;
  }
  return { directory: held, missing: [] };
}

/** The last component of a path. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
