import { constants } from 'node:fs';
import { lstat, open } from 'node:fs/promises';
import { join } from 'node:path';

export interface RegularFile {
  content: Buffer;
  /** Octal permission string, for example "0644". */
  mode: string;
}

/** Why a file was not read. */
export type Refusal = 'absent' | 'not a regular file' | 'behind a symbolic link' | 'too large' | 'not readable';

/**
 * Reads a regular file of the workspace without following a symbolic link in any part of its path, and without waiting on
 * a named pipe.
 *
 * @param path relative to `root`, with `/`, already known to hold no `..`
 * @param maxBytes a longer file is refused
 */
export async function readRegularFile(root: string, path: string, maxBytes: number): Promise<RegularFile | Refusal> {
  const parts = path.split('/');
  for (let depth = 1; depth < parts.length; depth += 1) {
    const parent = await lstat(join(root, ...parts.slice(0, depth))).catch(() => null);
    if (!parent) return 'absent';
    if (!parent.isDirectory()) return parent.isSymbolicLink() ? 'behind a symbolic link' : 'absent';
  }
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  let refusal: Refusal = 'not readable';
  const handle = await open(join(root, ...parts), flags).catch((error: NodeJS.ErrnoException) => {
    refusal = refusalOf(error);
    return null;
  });
  if (!handle) return refusal;
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) return 'not a regular file';
    if (stat.size > maxBytes) return 'too large';
    const content = await handle.readFile();
    return { content, mode: (stat.mode & 0o7777).toString(8).padStart(4, '0') };
  } catch {
    return 'not readable';
  } finally {
    await handle.close();
  }
}

function refusalOf(error: NodeJS.ErrnoException): Refusal {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return 'absent';
  if (error.code === 'ELOOP') return 'behind a symbolic link';
  return error.code === 'ENXIO' ? 'not a regular file' : 'not readable';
}
