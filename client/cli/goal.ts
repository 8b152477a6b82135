import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { UsageError } from '../../plan/errors';
import type { Io } from './io';

/** The longest goal, in bytes of UTF-8. */
export const MAX_GOAL = 32 * 1024;

const EXAMPLE = 'For example: planwright plan "Set up CI with GitHub Actions and a Dockerfile"';

/**
 * A goal as it may be planned: trimmed, not empty, at most 32 KiB, and without characters that change what a person
 * sees. Line feeds and tabs are text.
 *
 * @throws UsageError naming what is wrong
 */
export function checkGoal(given: string): string {
  const goal = given.replace(/\r\n/g, '\n').trim();
  if (goal === '') throw new UsageError('The goal is empty.', EXAMPLE);
  const bytes = Buffer.byteLength(goal, 'utf8');
  if (bytes > MAX_GOAL) {
    throw new UsageError(
      `The goal is too long: ${bytes} bytes, and at most ${MAX_GOAL} (32 KiB) are taken.`,
      'Say what should be there in the end; the workspace is read anyway.',
    );
  }
  const hidden = /[\p{Cc}\p{Cs}\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;
  for (const { 0: character, index } of goal.matchAll(hidden)) {
    if (character === '\n' || character === '\t') continue;
    const code = `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
    throw new UsageError(
      `The goal has a control or invisible character (${code}) at position ${index + 1}.`,
      'Type the goal as plain text. Line feeds and tabs are fine.',
    );
  }
  return goal;
}

/** Where a goal may come from; at most one of them is given. */
export interface GoalSource {
  words?: string;
  file?: string;
}

/**
 * Reads the goal: the argument, `-f FILE` (`-` is stdin), or stdin where it is not a terminal.
 * @throws UsageError where there is none, two, or one that breaks the rules of `checkGoal`
 */
export async function readGoal(source: GoalSource, io: Io): Promise<string> {
  if (source.words !== undefined && source.file !== undefined) {
    throw new UsageError('There are two goals: one as an argument and one in -f FILE.', 'Give one of them.');
  }
  if (source.words !== undefined) return checkGoal(source.words);
  if (source.file !== undefined && source.file !== '-') return checkGoal(await goalFile(resolve(io.cwd, source.file)));
  if (source.file === '-' || io.stdin.isTTY !== true) {
    const piped = await readAll(io.stdin);
    // Nothing on stdin is what a script without a goal looks like: the same as no goal at all.
    if (piped.trim() === '' && source.file === undefined) throw noGoal();
    return checkGoal(piped);
  }
  throw noGoal();
}

const noGoal = (): UsageError =>
  new UsageError('There is no goal.', `Give it as an argument, with -f FILE, or on stdin.\n${EXAMPLE}`);

async function goalFile(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`The goal cannot be read from ${path}: ${error.code ?? error.message}.`, EXAMPLE);
  });
}

/** Reads a stream to its end, and stops as soon as it is longer than a goal may be. */
async function readAll(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    chunks.push(bytes);
    if (size > 16 * MAX_GOAL)
      throw new UsageError(`The goal on stdin is too long: more than ${MAX_GOAL} bytes (32 KiB).`);
  }
  return Buffer.concat(chunks).toString('utf8');
}
