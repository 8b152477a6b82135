/** The file that holds the user's key, where it is not in the environment. Light: every command may ask. */
import { closeSync, constants, existsSync, fstatSync, openSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import { escapeForDisplay } from '../plan/display';
import { UsageError } from '../plan/errors';

/** A key is one line; anything larger is another file. */
const MAX_BYTES = 4096;

/**
 * Reads a key from a file that only its owner can read and that lies in no workspace: a file in one is committed
 * sooner or later, or read into a prompt.
 *
 * @param path absolute; a symbolic link is followed, and what it leads to is judged
 * @param root real path of the workspace in use, which may have no `.planwright/` yet; null where there is none
 * @returns the key, without the end of its line
 * @throws UsageError saying what is wrong with the file, never what it holds
 */
export function readKeyFile(path: string, root: string | null): string {
  const name = `The key file ${escapeForDisplay(path)}`;
  const key = readPrivateFile(path, root, name).trim();
  if (!/^[\x21-\x7e]+$/.test(key)) {
    throw new UsageError(
      `${name} does not hold a key: one line of visible characters.`,
      'Write the key alone into it.',
    );
  }
  return key;
}

/**
 * As `readKeyFile`, whatever the file holds.
 * @param name how messages begin, for example "The key file /x"
 */
export function readPrivateFile(path: string, root: string | null, name: string): string {
  return readPrivate(refuseWorkspace(path, root, name), name);
}

/**
 * @param path absolute; of something that is there
 * @returns its real path
 * @throws UsageError where that lies in a workspace
 */
export function refuseWorkspace(path: string, root: string | null, name: string): string {
  if (!isAbsolute(path)) throw new UsageError(`${name} is not an absolute path.`, 'Name it from / on.');
  const real = realPath(path, name);
  const workspace = workspaceAround(real, root);
  if (workspace === null) return real;
  throw new UsageError(
    `${name} lies in the workspace ${escapeForDisplay(workspace)}.`,
    'Keep it outside, for example in ~/.config/planwright/, and name it there.',
  );
}

function realPath(path: string, name: string): string {
  try {
    return realpathSync(path);
  } catch (cause) {
    throw unreadable(name, cause);
  }
}

function unreadable(name: string, cause: unknown): UsageError {
  const code = (cause as NodeJS.ErrnoException).code ?? 'unknown';
  return new UsageError(`${name} cannot be read: ${code}.`, 'Check its path and permissions.', { cause });
}

function workspaceAround(real: string, root: string | null): string | null {
  if (root !== null && isInside(real, root)) return root;
  for (let at = dirname(real); ; at = dirname(at)) {
    if (existsSync(join(at, '.planwright', 'config.yaml'))) return at;
    if (dirname(at) === at) return null;
  }
}

function isInside(path: string, root: string): boolean {
  const way = relative(root, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/** Mode and content of the same open file, so that nothing can be put in its place between the two. */
function readPrivate(real: string, name: string): string {
  let handle: number;
  try {
    // Without O_NONBLOCK a pipe would be waited for.
    handle = openSync(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (cause) {
    throw unreadable(name, cause);
  }
  try {
    const stat = fstatSync(handle);
    if (!stat.isFile()) throw new UsageError(`${name} is not a regular file.`, 'Name a file that holds the key.');
    if ((stat.mode & 0o077) !== 0) {
      const mode = (stat.mode & 0o777).toString(8).padStart(4, '0');
      throw new UsageError(`${name} can be read or written by others (mode ${mode}).`, 'Run chmod 600 on it.');
    }
    if (stat.size > MAX_BYTES)
      throw new UsageError(`${name} is larger than ${MAX_BYTES} bytes.`, 'It holds a key alone.');
    return readFileSync(handle, 'utf8');
  } finally {
    closeSync(handle);
  }
}
