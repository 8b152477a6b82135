import { lstat } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import { readRegularFile } from './read';
import { parseIni } from './shape';

/*
 * Git's files are read as plain text and git is never run: a repository's configuration may name programs that git would
 * start (threat T34). Formats: gitrepository-layout(5), git-config(1).
 */

export interface GitFacts {
  defaultBranch: string | null;
  gitRemote: string | null;
}

const MAX_BYTES = 4 * 1024 * 1024;
const REF_NAME = /^refs\/[\w./+@#-]+$/;

interface GitFolders {
  /** Holds HEAD; of a linked worktree its own. */
  own: string;
  /** Holds config and refs; shared by all worktrees. */
  common: string;
}

async function text(folder: string, path: string): Promise<string | null> {
  const read = await readRegularFile(folder, path, MAX_BYTES);
  return typeof read === 'string' ? null : read.content.toString('utf8');
}

/** The folders of a workspace's repository; `.git` may be a file that points to a worktree's. Null where there is none. */
async function gitFolders(root: string): Promise<GitFolders | null> {
  const stat = await lstat(join(root, '.git')).catch(() => null);
  if (stat?.isDirectory()) return { own: join(root, '.git'), common: join(root, '.git') };
  if (!stat?.isFile()) return null;
  const target = /^gitdir:\s*(.+)$/m.exec((await text(root, '.git')) ?? '')?.[1]?.trim();
  if (!target) return null;
  const own = isAbsolute(target) ? target : resolve(root, target);
  const common = (await text(own, 'commondir'))?.trim();
  return { own, common: common ? resolve(own, common) : own };
}

/** The hash that a ref stands for, looked up loose first and then packed, as git does. Null where there is none. */
async function resolveRef(folders: GitFolders, name: string, depth = 0): Promise<string | null> {
  if (depth > 5 || (name !== 'HEAD' && (!REF_NAME.test(name) || name.includes('..')))) return null;
  const loose = (
    name === 'HEAD'
      ? await text(folders.own, name)
      : ((await text(folders.common, name)) ?? (await text(folders.own, name)))
  )?.trim();
  const target = /^ref:\s*(\S+)$/.exec(loose ?? '')?.[1];
  if (target) return resolveRef(folders, target, depth + 1);
  if (loose && isHash(loose)) return loose;
  const packed = (await text(folders.common, 'packed-refs')) ?? '';
  for (const line of packed.split('\n')) {
    const [hash = '', ref] = line.trim().split(' ');
    if (ref === name && isHash(hash)) return hash;
  }
  return null;
}

const isHash = (value: string): boolean => /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(value);

/**
 * The commit that HEAD names, as its hex hash. Null where the workspace is no repository's top, or has no commit yet.
 *
 * @param root absolute path of the workspace
 */
export async function readGitHead(root: string): Promise<string | null> {
  const folders = await gitFolders(root);
  return folders ? resolveRef(folders, 'HEAD') : null;
}

/**
 * The default branch (what `origin/HEAD` points to; else main or master where one exists; else the current branch) and the
 * remote's address without credentials.
 */
export async function readGitFacts(root: string): Promise<GitFacts> {
  const folders = await gitFolders(root);
  if (!folders) return { defaultBranch: null, gitRemote: null };
  const config = parseIni((await text(folders.common, 'config')) ?? '');
  const remote = config['remote "origin"'] ?? Object.entries(config).find(([name]) => name.startsWith('remote "'))?.[1];
  return {
    defaultBranch: await defaultBranch(folders),
    gitRemote: remote?.url ? withoutCredentials(remote.url) : null,
  };
}

async function defaultBranch(folders: GitFolders): Promise<string | null> {
  const origin = await text(folders.common, 'refs/remotes/origin/HEAD');
  const remote = /^ref:\s*refs\/remotes\/origin\/(\S+)/.exec(origin ?? '')?.[1];
  if (remote) return remote;
  for (const name of ['main', 'master']) {
    for (const ref of [`refs/heads/${name}`, `refs/remotes/origin/${name}`])
      if (await resolveRef(folders, ref)) return name;
  }
  return /^ref:\s*refs\/heads\/(\S+)/.exec((await text(folders.own, 'HEAD')) ?? '')?.[1] ?? null;
}

/** Takes user, password and query out of a remote's address; `git@` of an scp-like one is no secret and stays. */
export function withoutCredentials(url: string): string {
  const match = /^([a-z][a-z0-9+.-]*:\/\/)(?:[^/]*@)?([^?#]*)/i.exec(url.trim());
  if (match) return `${match[1]}${match[2]}`;
  return url.trim().replace(/^([^@:/]+):[^@/]*@/, '$1@');
}
