import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type IgnoreRule, isIgnored, parseGitignore } from './gitignore';
import { isDerivedDirectory } from './names';
import { readRegularFile } from './read';

export const MAX_FILES = 20_000;
export const MAX_DEPTH = 12;

export interface Walked {
  /** Regular files that are part of the project, relative with `/`, in code-unit order. */
  files: string[];
  /** Regular files that `.gitignore` leaves out, in directories that it does not. */
  ignored: string[];
  /** Names at the top that `.gitignore` leaves in, so that a fresh clone has them; directories with a trailing slash. */
  topLevel: string[];
  /** True where a limit stopped the walk: some files are in neither list. */
  truncated: boolean;
}

/**
 * Lists a workspace's files: never through symbolic links, never into what tools made, at most `MAX_FILES` files and
 * `MAX_DEPTH` directories deep. Breadth first, so that what a limit cuts off is the deepest. Unreadable directories are
 * passed over.
 */
export async function walk(root: string, maxFiles = MAX_FILES): Promise<Walked> {
  const walked: Walked = { files: [], ignored: [], topLevel: [], truncated: false };
  let level: { folder: string; rules: IgnoreRule[] }[] = [{ folder: '', rules: [] }];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MAX_DEPTH) {
      walked.truncated = true;
      break;
    }
    const below: typeof level = [];
    for (const { folder, rules } of level) {
      const entries = await list(join(root, folder));
      // A virtual environment is recognised by its marker, whatever its name.
      if (folder !== '' && entries.some((entry) => entry.name === 'pyvenv.cfg')) continue;
      const here = entries.some((entry) => entry.name === '.gitignore' && entry.isFile())
        ? [...rules, ...(await rulesOf(root, folder))]
        : rules;
      for (const entry of entries) {
        const path = `${folder}${entry.name}`;
        if (entry.isDirectory()) {
          if (isDerivedDirectory(entry.name)) continue;
          if (isIgnored(here, path, true)) continue;
          if (folder === '') walked.topLevel.push(`${entry.name}/`);
          below.push({ folder: `${path}/`, rules: here });
        } else if (entry.isFile()) {
          const ignored = isIgnored(here, path, false);
          if (folder === '' && !ignored) walked.topLevel.push(entry.name);
          if (walked.files.length + walked.ignored.length >= maxFiles) walked.truncated = true;
          else (ignored ? walked.ignored : walked.files).push(path);
        }
      }
    }
    level = walked.truncated ? [] : below;
  }
  walked.files.sort();
  walked.ignored.sort();
  return walked;
}

async function list(folder: string): Promise<Dirent[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function rulesOf(root: string, folder: string): Promise<IgnoreRule[]> {
  const read = await readRegularFile(root, `${folder}.gitignore`, 256 * 1024);
  return typeof read === 'string' ? [] : parseGitignore(read.content.toString('utf8'), folder);
}
