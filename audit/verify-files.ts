import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join, normalize } from 'node:path';
import { chunksOf } from './forward';
import { broken, type Finding, held, type Level, missing, together } from './report';
import type { Entry } from './types';

/** The last that a log says of each file: the digest that it should have, or null where it should not be there. */
export class FilesOnRecord {
  private readonly files = new Map<string, { seq: number; sha256: string | null }>();

  take({ body: { event, seq, data } }: Entry): void {
    if (event !== 'file.written' && event !== 'file.restored' && event !== 'file.removed') return;
    const { path, sha256 } = data;
    if (typeof path !== 'string') return;
    this.files.set(path, { seq, sha256: event !== 'file.removed' && typeof sha256 === 'string' ? sha256 : null });
  }

  /** @param root of the workspace */
  async compare(root: string): Promise<Level> {
    if (this.files.size === 0) return missing('The log tells of no file.');
    const levels: Level[] = [];
    for (const [path, { seq, sha256 }] of this.files) {
      const found = await digestOnDisk(root, path);
      const expected = sha256 ?? 'no file';
      if (found === expected) continue;
      const finding: Finding = { what: `file ${path}`, seq, segment: null, offset: null, expected, actual: found };
      levels.push(broken(finding));
    }
    return together([
      held(`${this.files.size - levels.length} of ${this.files.size} files are as the log says`),
      ...levels,
    ]);
  }
}

/** SHA-256 of a file in a workspace, read in pieces; in words where there is none to be read. */
async function digestOnDisk(root: string, path: string): Promise<string> {
  // The writer let no such path through: the log was not written by it.
  if (path.startsWith('/') || normalize(path).startsWith('..')) return 'a path that leads out of the workspace';
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  try {
    const handle = await open(join(root, path), flags);
    try {
      if (!(await handle.stat()).isFile()) return 'no regular file';
      const hash = createHash('sha256');
      for await (const chunk of chunksOf(handle)) hash.update(chunk);
      return hash.digest('hex');
    } finally {
      await handle.close();
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'no file' : code === 'ELOOP' ? 'a symbolic link' : `${code}`;
  }
}
