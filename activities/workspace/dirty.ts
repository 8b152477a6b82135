import { execFile } from 'node:child_process';
import { lstat } from 'node:fs/promises';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import { ourBytes } from '../files/journal';
import { readPath } from '../files/target';

/*
 * The one place where git is run. A repository's configuration may name programs that git starts by itself (threat T34): a
 * file system monitor, hooks, content filters, a transport for missing objects, and the same in submodules. Each is switched
 * off; what a plain `git status` would start was found in git's own documentation of its configuration (git-config(1),
 * gitattributes(5), git(1) "Environment Variables").
 */

const TIMEOUT_MS = 30_000;
const MOST_OUTPUT = 64 * 1024 * 1024;
const SAFE = ['-c', 'core.fsmonitor=false', '-c', 'core.hooksPath=/dev/null', '--no-pager', '--no-optional-locks'];
const STATUS = ['status', '--porcelain=v2', '-z', '--untracked-files=all', '--no-renames', '--ignore-submodules=dirty'];

export interface WorkingTree {
  /** Uncommitted paths that are not ours, relative to the workspace, sorted. */
  dirty: string[];
  /** Why git could not say; null where it could, or where there is no repository or no git. */
  gitFault: string | null;
}

const CLEAN: WorkingTree = { dirty: [], gitFault: null };

/**
 * The paths below the workspace that differ from the commit at hand, as git reports them: staged, changed, deleted or not
 * tracked. Left out are what git ignores, `.planwright/`, and files that hold the very bytes that a plan wrote or backed up.
 *
 * @param root absolute path of the workspace; it may be a folder of a larger repository
 * @param env only PATH (absolute entries) and the user's own home are passed on
 */
export async function dirtyPaths(root: string, env: NodeJS.ProcessEnv): Promise<WorkingTree> {
  if (!(await inRepository(root))) return CLEAN;
  const git = (args: string[], settings: [string, string][] = []): Promise<Ran> =>
    run(root, { ...gitEnvironment(env), ...asVariables(settings) }, [...SAFE, ...args]);
  const prefix = await git(['rev-parse', '--show-prefix']);
  if (prefix.missing || /not a git repository/i.test(prefix.error)) return CLEAN;
  if (prefix.error) return { dirty: [], gitFault: prefix.error };
  const drivers = await git(['config', '--null', '--name-only', '--get-regexp', '^filter\\.']);
  const status = await git([...STATUS, '--', '.'], withoutFilters(drivers.output));
  if (status.error) return { dirty: [], gitFault: status.error };
  const folder = prefix.output.replace(/\n$/, '');
  const changed = statusPaths(status.output)
    .filter((path) => path.startsWith(folder))
    .map((path) => path.slice(folder.length))
    .filter((path) => path !== '.planwright' && !path.startsWith('.planwright/'));
  return { dirty: (await notOurs(root, [...new Set(changed)])).sort(), gitFault: null };
}

/** Looked up without git, so that a workspace outside any repository never starts it. */
async function inRepository(root: string): Promise<boolean> {
  for (let at = root; ; at = dirname(at)) {
    if (await lstat(join(at, '.git')).catch(() => null)) return true;
    if (dirname(at) === at) return false;
  }
}

/** Nothing of the caller's git variables, and no program found by way of the directory that git works in. */
function gitEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const path = (env.PATH ?? '').split(delimiter).filter(isAbsolute).join(delimiter);
  const home = Object.fromEntries(
    ['HOME', 'XDG_CONFIG_HOME'].flatMap((name) => (env[name] ? [[name, env[name]]] : [])),
  );
  return {
    ...home,
    PATH: path,
    LC_ALL: 'C',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_TERMINAL_PROMPT: '0',
    // A partial clone would fetch what it lacks, by a program that its configuration names.
    GIT_NO_LAZY_FETCH: '1',
    GIT_ALLOW_PROTOCOL: 'none',
  };
}

/** Content filters run when git looks at a changed file; an empty command is none. */
function withoutFilters(names: string): [string, string][] {
  const drivers = new Set(names.split('\0').flatMap((name) => /^(filter\..*)\.[^.]*$/s.exec(name)?.[1] ?? []));
  return [...drivers].flatMap((driver): [string, string][] => [
    [`${driver}.clean`, ''],
    [`${driver}.smudge`, ''],
    [`${driver}.process`, ''],
    [`${driver}.required`, 'false'],
  ]);
}

/** Not as `-c name=value`: a driver's name may hold a "=" itself (git 2.31 and later read these). */
function asVariables(settings: [string, string][]): NodeJS.ProcessEnv {
  const variables: NodeJS.ProcessEnv = { GIT_CONFIG_COUNT: String(settings.length) };
  for (const [at, [name, value]] of settings.entries()) {
    variables[`GIT_CONFIG_KEY_${at}`] = name;
    variables[`GIT_CONFIG_VALUE_${at}`] = value;
  }
  return variables;
}

interface Ran {
  output: string;
  /** What git said on stderr, or why it did not end; empty where it succeeded, or had nothing to report. */
  error: string;
  /** True where there is no git. */
  missing: boolean;
}

function run(cwd: string, env: NodeJS.ProcessEnv, args: string[]): Promise<Ran> {
  return new Promise((resolve) => {
    const options = { cwd, env, timeout: TIMEOUT_MS, maxBuffer: MOST_OUTPUT, killSignal: 'SIGKILL' as const };
    execFile('git', args, options, (error, stdout, stderr) => {
      const missing = error !== null && 'code' in error && error.code === 'ENOENT';
      const why = error === null ? '' : stderr.trim() || (error.killed ? 'git did not end in time' : error.message);
      resolve({ output: stdout, error: why.split('\n')[0] ?? '', missing });
    });
  });
}

/** The paths of `git status --porcelain=v2 -z` (git-status(1), "Porcelain Format Version 2"). */
export function statusPaths(output: string): string[] {
  const fields: { [kind: string]: number } = { '1': 8, '2': 9, u: 10, '?': 1 };
  const entries = output.split('\0');
  const paths: string[] = [];
  for (let at = 0; at < entries.length; at++) {
    const entry = entries[at] ?? '';
    const kind = entry[0] ?? '';
    const before = fields[kind];
    if (before === undefined) continue;
    paths.push(entry.split(' ').slice(before).join(' '));
    // A rename has its old path in an entry of its own.
    if (kind === '2') paths.push(entries[++at] ?? '');
  }
  return paths;
}

async function notOurs(root: string, paths: readonly string[]): Promise<string[]> {
  if (paths.length === 0) return [];
  const ours = await ourBytes(root);
  const judged = await Promise.all(
    paths.map(async (path) => {
      const known = ours.get(path);
      if (!known) return path;
      const { found } = await readPath(root, path).catch(() => ({ found: null }));
      return found && known.has(found.sha256) ? null : path;
    }),
  );
  return judged.filter((path) => path !== null);
}
