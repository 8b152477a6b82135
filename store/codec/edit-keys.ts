/** Makes and rotates files of codec keys. Each change replaces the whole file, so that a reader sees the old one or the new one. */
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { escapeForDisplay } from '../../plan/display';
import { UsageError } from '../../plan/errors';
import { replaceFile, syncDirectory } from '../durable';
import { refuseWorkspace } from '../key-file';
import { type CodecKey, type KeyRing, keysText, newKey, readKeys } from './keys';

/**
 * Adds a key at the end of a file: it opens from now on, and seals nothing before `useKey`. A file that does not exist is made.
 *
 * @param path absolute
 * @param root real path of the workspace in use: a file in it is refused
 * @returns the new key, and how many the file holds now
 * @throws UsageError where the file is not fit for keys
 */
export async function addKey(path: string, root: string | null, now: Date): Promise<{ key: CodecKey; count: number }> {
  const name = `The file of codec keys ${escapeForDisplay(path)}`;
  const key = newKey(now);
  if (existsSync(path)) {
    const keys = readKeys(path, root);
    await replaceFile(path, keysText([...keys, key]));
    return { key, count: keys.length + 1 };
  }
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((cause: NodeJS.ErrnoException) => {
    throw new UsageError(`${name} cannot be made: ${cause.code}.`, 'Name a file in a folder of yours.', { cause });
  });
  refuseWorkspace(folder, root, name);
  await writeFile(path, keysText([key]), { mode: 0o600, flag: 'wx', flush: true }).catch(
    (cause: NodeJS.ErrnoException) => {
      throw new UsageError(`${name} cannot be made: ${cause.code}.`, 'Name a file in a folder of yours.', { cause });
    },
  );
  await syncDirectory(folder);
  return { key, count: 1 };
}

/**
 * Puts a key to the front: from the next start on, workers and commands seal with it.
 * @throws UsageError as `addKey`, and where the file has no such key
 */
export async function useKey(path: string, root: string | null, id: string): Promise<KeyRing> {
  const keys = readKeys(path, root);
  const chosen = keys.find((key) => key.id === id);
  if (!chosen) {
    throw new UsageError(
      `${escapeForDisplay(path)} has no key ${escapeForDisplay(id)}.`,
      `It has ${keys.map((key) => key.id).join(', ')}.`,
    );
  }
  const ring: KeyRing = [chosen, ...keys.filter((key) => key !== chosen)];
  await replaceFile(path, keysText(ring));
  return ring;
}
