import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { artifactDigest, sha256 } from '../../plan/digest';
import type { ArtifactFile } from '../../plan/types';
import { replaceFile } from '../../store/durable';
import { errnoOf, JournalMismatch } from './errors';

/**
 * What a write decided before it touched anything: which name each backup gets and which directories did not
 * exist. An attempt that was killed cannot tell these from the disk afterwards, so the next one reads them here
 * and reports what the first would have reported.
 */
const shape = z.strictObject({
  schema: z.literal('planwright.write/1'),
  /** Digest of the artifact that this write is about. */
  artifact: z.string(),
  /** Path and backup; null: none is made. Pairs, because a path may be any string. */
  backups: z.array(z.tuple([z.string(), z.string().nullable()])),
  madeDirectories: z.array(z.string()),
  /** Path, SHA-256 of the new content, and of what stood there: by these bytes a path is known as ours. */
  files: z.array(z.tuple([z.string(), z.string(), z.string().nullable()])).optional(),
});

export interface Journal {
  artifact: string;
  backups: Map<string, string | null>;
  madeDirectories: string[];
}

export const journalPath = (root: string, key: string): string =>
  join(root, '.planwright', 'writes', `${sha256(key)}.json`);

/**
 * @param key names the write; equal for all its attempts and for no other write
 * @returns null where no attempt has begun
 * @throws JournalMismatch where the key was used for other files, or the journal is damaged
 */
export async function readJournal(root: string, key: string, files: ArtifactFile[]): Promise<Journal | null> {
  const path = journalPath(root, key);
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return null;
  const parsed = shape.safeParse(parse(text));
  if (!parsed.success) throw new JournalMismatch(`The write journal ${path} is damaged.`, 'Retry the task.');
  const { artifact, backups, madeDirectories } = parsed.data;
  if (artifact !== artifactDigest(files)) {
    throw new JournalMismatch(`The write journal ${path} is about other files.`, 'Retry the task.');
  }
  return { artifact, backups: new Map(backups), madeDirectories };
}

/**
 * Bytes that this workspace's plans wrote or backed up, by path: SHA-256 (hex). A journal is there before its write is, and
 * a damaged one only makes less ours.
 */
export async function ourBytes(root: string): Promise<Map<string, Set<string>>> {
  const folder = join(root, '.planwright', 'writes');
  const ours = new Map<string, Set<string>>();
  const add = (path: string, digest: string | null): void => {
    if (digest !== null) ours.set(path, (ours.get(path) ?? new Set()).add(digest));
  };
  for (const name of await readdir(folder).catch(() => [] as string[])) {
    const parsed = shape.safeParse(parse(await readFile(join(folder, name), 'utf8').catch(() => '')));
    if (!parsed.success) continue;
    const backups = new Map(parsed.data.backups);
    for (const [path, sha256, preSha256] of parsed.data.files ?? []) {
      add(path, sha256);
      add(path, preSha256);
      const backup = backups.get(path);
      if (backup) add(backup, preSha256);
    }
  }
  return ours;
}

/** The journal of a write whose files are not known here; null where there is none that can be read. */
export async function findJournal(
  root: string,
  key: string,
): Promise<(Pick<Journal, 'backups' | 'madeDirectories'> & { files?: [string, string, string | null][] }) | null> {
  const text = await readFile(journalPath(root, key), 'utf8').catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return '';
    throw error;
  });
  const parsed = shape.safeParse(parse(text));
  return parsed.success ? { ...parsed.data, backups: new Map(parsed.data.backups) } : null;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Writes the journal durably; readers see the old one or the new one. */
export async function saveJournal(
  root: string,
  key: string,
  journal: Journal,
  files: readonly ArtifactFile[],
): Promise<void> {
  const path = journalPath(root, key);
  await mkdir(join(root, '.planwright', 'writes'), { recursive: true, mode: 0o700 });
  const content = {
    schema: 'planwright.write/1',
    ...journal,
    backups: [...journal.backups],
    files: files.map((file) => [file.path, file.sha256, file.preSha256]),
  };
  await replaceFile(path, JSON.stringify(content));
}
