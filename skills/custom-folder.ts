import { constants } from 'node:fs';
import { lstat, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Json } from '../plan/types';
import { fault } from './fault';
import type { Skill } from './types';

/*
 * A custom skill comes with a repository, so whoever wrote it may be a stranger: nothing of it is followed, executed or read
 * without a limit.
 */

const MAX_FILES = 100;
const MAX_BYTES = 256 * 1024;
const MAX_TOTAL = 1024 * 1024;
const MAX_DEPTH = 4;
const MAX_FRONT_MATTER = 64 * 1024;
/** Deeper than any schema that a person writes; a parser takes seconds and a gigabyte for a hundred thousand. */
const MAX_NESTING = 40;

/**
 * Every file of a custom skill as text, by relative path with `/`, sorted.
 *
 * @throws UsageError for a symbolic link or anything else that is no plain file, for what is not UTF-8, and past the limits
 */
export async function readCustomFolder(folder: string): Promise<Map<string, string>> {
  const shown = join(folder, 'SKILL.md');
  if (!(await lstat(folder)).isDirectory()) throw fault(shown, 'its folder is a symbolic link');
  const paths = await filesBelow(folder, '', 1);
  if (paths.length > MAX_FILES) throw fault(shown, `its folder has more than ${MAX_FILES} files`);
  const contents = new Map<string, string>();
  let total = 0;
  for (const path of paths.sort()) {
    const bytes = await readPlain(join(folder, path), path, shown);
    total += bytes.length;
    if (total > MAX_TOTAL) throw fault(shown, `its files hold more than ${MAX_TOTAL} bytes`);
    contents.set(path, decoded(bytes, path, shown));
  }
  const front = /^---\r?\n([\s\S]*?)\r?\n---/.exec(contents.get('SKILL.md') ?? '')?.[1] ?? '';
  if (front.length > MAX_FRONT_MATTER) throw fault(shown, `its front matter is longer than ${MAX_FRONT_MATTER} bytes`);
  if (nesting(front) > MAX_NESTING) throw fault(shown, `its front matter is nested more than ${MAX_NESTING} deep`);
  return contents;
}

async function filesBelow(folder: string, below: string, depth: number): Promise<string[]> {
  const shown = join(folder, 'SKILL.md');
  if (depth > MAX_DEPTH) throw fault(shown, `its folders are more than ${MAX_DEPTH} deep`);
  const paths: string[] = [];
  for (const entry of await readdir(join(folder, below), { withFileTypes: true })) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) paths.push(...(await filesBelow(folder, path, depth + 1)));
    else if (entry.isFile()) paths.push(path);
    else throw fault(shown, `${path} is ${entry.isSymbolicLink() ? 'a symbolic link' : 'no plain file'}`);
    if (paths.length > MAX_FILES) throw fault(shown, `its folder has more than ${MAX_FILES} files`);
  }
  return paths;
}

/** Opened without following a link, and looked at through the handle: between the listing and here it may have changed. */
async function readPlain(file: string, path: string, shown: string): Promise<Buffer> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(() => null);
  if (!handle) throw fault(shown, `${path} cannot be opened, or is a symbolic link`);
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw fault(shown, `${path} is no plain file`);
    if (stat.size > MAX_BYTES) throw fault(shown, `${path} is larger than ${MAX_BYTES} bytes`);
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

function decoded(bytes: Buffer, path: string, shown: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw fault(shown, `${path} is not UTF-8 text`);
  }
}

/** An upper bound of how deep a YAML text is nested: brackets, dashes in a row, and indentation. */
function nesting(text: string): number {
  let deepest = 0;
  let open = 0;
  for (const character of text) {
    if (character === '[' || character === '{') open += 1;
    else if ((character === ']' || character === '}') && open > 0) open -= 1;
    if (open > deepest) deepest = open;
  }
  for (const [lead] of text.matchAll(/^[ ]*(?:[-?] +)*/gm)) deepest = Math.max(deepest, Math.floor(lead.length / 2));
  return deepest;
}

/**
 * A regular expression of a stranger's may take for ever. One that repeats a group is refused, and one that is long; what is
 * left repeats single characters, which is enough for names, paths and versions.
 *
 * @returns what is wrong, or null
 */
export function patternFault({
  inputSchema,
  outputSchema,
}: Pick<Skill, 'inputSchema' | 'outputSchema'>): string | null {
  for (const [key, schema] of [
    ['input', inputSchema],
    ['output', outputSchema],
  ] as const) {
    const bad = patternsIn(schema).find((pattern) => pattern.length > 200 || repeats(pattern));
    if (bad !== undefined)
      return `metadata.${key}: the pattern ${bad.slice(0, 80)} repeats a group, refers back, or is too long`;
  }
  return null;
}

/** A repeated group, a back reference or look-around, or more than two open-ended repetitions: each can cost more than linear time. */
function repeats(pattern: string): boolean {
  const plain = pattern.replace(/\[(?:\\.|[^\]\\])*\]/g, 'x');
  return (
    /\)\s*[*+{?]|\\[1-9k]|\(\?/.test(plain) || (plain.replace(/\\./g, 'x').match(/[*+]|\{\d+,\}/g) ?? []).length > 2
  );
}

function patternsIn(value: Json): string[] {
  if (value === null || typeof value !== 'object') return [];
  if (Array.isArray(value)) return value.flatMap(patternsIn);
  return Object.entries(value).flatMap(([key, item]) => [
    ...(key === 'pattern' && typeof item === 'string' ? [item] : []),
    ...(key === 'patternProperties' && item !== null && typeof item === 'object' ? Object.keys(item) : []),
    ...patternsIn(item),
  ]);
}
