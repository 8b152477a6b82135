import { constants } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { sha256 } from '../plan/digest';

/** What stands at a path of the workspace; `unsafe`: a link, or no file, or outside. */
export type Standing = { sha256: string; content: Buffer } | null | 'unsafe';

/** Beyond this a file is none of ours, and only compared by being another one. */
const MOST_BYTES = 16 * 1024 * 1024;

/**
 * Reads a file to compare it. No link is followed, the last part of the path or one before it.
 * @param root real path of the workspace
 * @param path relative, checked by the path rules
 */
export async function standingAt(root: string, path: string): Promise<Standing> {
  const folder = join(root, dirname(path));
  const real = await realpath(folder).catch(absent);
  if (real === null) return null;
  if (real !== folder) return 'unsafe';
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    handle = await open(join(root, path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? null : 'unsafe';
  }
  try {
    const stat = await handle.stat();
    if (!stat.isFile() || stat.size > MOST_BYTES) return 'unsafe';
    const content = await handle.readFile();
    return { sha256: sha256(content), content };
  } finally {
    await handle.close();
  }
}

function absent(error: unknown): null {
  if (codeOf(error) === 'ENOENT') return null;
  throw error;
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;
