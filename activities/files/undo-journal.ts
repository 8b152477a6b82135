import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { replaceFile } from '../../store/durable';
import { errnoOf, JournalMismatch } from './errors';
import { journalPath } from './journal';

const content = z.string().nullable();

const entry = z.strictObject({
  path: z.string(),
  kind: z.enum(['delete', 'restore', 'gone', 'original', 'changed']),
  /** What stood there when it was decided. */
  now: content,
  target: content,
  /** Octal, for what is restored. */
  mode: z.string(),
  undone: z.number().int(),
  blocked: z.boolean(),
  /** Object with a person's content that goes. */
  kept: content,
  /** Backups that the undone writes made, with the content that makes them ours. */
  backups: z.array(z.tuple([z.string(), content])),
});

/** What an undo decided for one path before it touched anything. */
export type UndoEntry = z.infer<typeof entry>;

const shape = z.strictObject({ schema: z.literal('planwright.undo/1'), entries: z.array(entry) });

/**
 * What an undo decided, by path. An attempt that was killed leaves a disk that looks as if somebody else had deleted and
 * restored; the next one reads here what the first had set out to do, and reports the same.
 *
 * @param key names the undo; equal for all its attempts and for no other undo or write
 * @throws JournalMismatch where it is damaged
 */
export async function readUndoJournal(root: string, key: string): Promise<Map<string, UndoEntry>> {
  const path = journalPath(root, key);
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return new Map();
  try {
    const { entries } = shape.parse(JSON.parse(text));
    return new Map(entries.map((one) => [one.path, one]));
  } catch {
    throw new JournalMismatch(`The journal ${path} is damaged.`, 'Start the rollback or clean anew.');
  }
}

/** Writes the journal durably; readers see the old one or the new one. */
export async function saveUndoJournal(root: string, key: string, entries: Iterable<UndoEntry>): Promise<void> {
  const path = journalPath(root, key);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await replaceFile(path, JSON.stringify({ schema: 'planwright.undo/1', entries: [...entries] }));
}
