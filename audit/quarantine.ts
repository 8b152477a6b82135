import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { syncDirectory } from '../store/durable';
import { chunksOf } from './forward';
import { type LogPaths, makeQuarantine, openOwn, segmentsOf } from './log-files';

/** What a log was when it was put aside. */
export interface PutAside {
  /** SHA-256 over all segments, one after the other. */
  sha256: string;
  bytes: number;
  /** The folder with the copy, relative to the log's. */
  folder: string;
}

/**
 * Copies a log's segments and its checkpoint into a folder of the quarantine, durably. The copy is evidence: nothing
 * ever changes it.
 *
 * @param at ISO 8601; the folder's name begins with it. Two repairs in the same millisecond have a folder each
 */
export async function putAside(paths: LogPaths, at: string): Promise<PutAside> {
  await makeQuarantine(paths);
  const name = await makeNew(paths.quarantine, at.replace(/[:.]/g, '-'));
  const folder = join(paths.quarantine, name);
  const whole = createHash('sha256');
  let bytes = 0;
  for (const segment of segmentsOf(paths)) {
    bytes += await copy(join(paths.folder, segment), join(folder, segment), (chunk) => whole.update(chunk));
  }
  await copy(paths.checkpoint, join(folder, basename(paths.checkpoint)), () => undefined).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    },
  );
  await syncDirectory(folder);
  await syncDirectory(paths.quarantine);
  return { sha256: whole.digest('hex'), bytes, folder: `quarantine/${name}` };
}

/** @returns the name of a folder that was not there before: this one, or this one with a number */
async function makeNew(parent: string, name: string): Promise<string> {
  for (let number = 1; ; number++) {
    const own = number === 1 ? name : `${name}-${number}`;
    try {
      await mkdir(join(parent, own), { mode: 0o700 });
      return own;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

async function copy(from: string, to: string, seen: (chunk: Buffer) => void): Promise<number> {
  const source = await openOwn(from, constants.O_RDONLY);
  try {
    const target = await openOwn(to, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL);
    try {
      let bytes = 0;
      for await (const chunk of chunksOf(source)) {
        seen(chunk);
        await target.appendFile(chunk);
        bytes += chunk.length;
      }
      await target.sync();
      return bytes;
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}
