import { createHash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { access, realpath, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join, sep } from 'node:path';
import { runTool } from './runner';
import type { ExternalTool, FoundTool } from './types';

/** Folders that only an administrator may write. */
const SYSTEM = ['/usr/local/bin', '/usr/bin', '/bin', '/usr/local/sbin', '/usr/sbin', '/sbin', '/opt/homebrew/bin'];

/** Where tools may come from, and which that run what they check are allowed. */
export interface ExternalSettings {
  /** Absolute folders; of the system, and those that the user's own environment names. */
  folders: readonly string[];
  optIn: ReadonlySet<string>;
  /** The workspace; nothing inside of it is ever started. */
  root: string;
}

/**
 * The settings of this process: PLANWRIGHT_VERIFIERS_PATH adds folders before the system's, and PLANWRIGHT_VERIFIERS_OPT_IN names tools
 * that execute what they check (nginx, ansible-lint). Both are of the user's environment: a file of the workspace comes with the
 * repository, perhaps a stranger's, and must not say what is started (T22). Relative folders are dropped.
 */
export function externalSettings(env: NodeJS.ProcessEnv, root: string): ExternalSettings {
  const named = (env.PLANWRIGHT_VERIFIERS_PATH ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '' && isAbsolute(folder));
  const optIn = (env.PLANWRIGHT_VERIFIERS_OPT_IN ?? '').split(/[\s,]+/).filter(Boolean);
  return { folders: [...named, ...SYSTEM], optIn: new Set(optIn), root };
}

const known = new Map<string, Promise<FoundTool>>();

/**
 * Looks for a tool in the allowed folders; the first that can be started is taken.
 * @returns null where there is none, or where it lies in the workspace
 */
export async function findTool(tool: ExternalTool, settings: ExternalSettings): Promise<FoundTool | null> {
  for (const folder of settings.folders) {
    const path = join(folder, tool.command);
    const key = await usable(path, settings.root);
    if (key === null) continue;
    const found = known.get(key) ?? identify(path, tool);
    known.set(key, found);
    return found;
  }
  return null;
}

/** Names the file that would be started, as it is now; null where it must not be. */
async function usable(path: string, root: string): Promise<string | null> {
  try {
    const real = await realpath(path);
    const inside = await realpath(root).catch(() => root);
    if (real === inside || real.startsWith(inside + sep) || path.startsWith(inside + sep)) return null;
    await access(real, constants.X_OK);
    const { size, mtimeMs, ino, mode } = await stat(real);
    const isFile = (mode & constants.S_IFMT) === constants.S_IFREG;
    // Whoever may change the file decides what runs.
    if (!isFile || (mode & 0o002) !== 0) return null;
    return `${path}\n${real}\n${size}\n${mtimeMs}\n${ino}`;
  } catch {
    return null;
  }
}

async function identify(path: string, tool: ExternalTool): Promise<FoundTool> {
  const [sha256, said] = await Promise.all([
    digest(path),
    runTool(path, { args: tool.versionArgs, timeoutMs: 20_000 }),
  ]);
  const version =
    /\d+\.\d+(?:\.\d+)?/.exec(`${said.stdout}\n${said.stderr}`)?.[0] ?? /\b\d{2,4}\b/.exec(said.stdout)?.[0];
  return { path, sha256, version: version ?? 'unknown' };
}

async function digest(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest('hex');
}

/** As it is recorded: version and the beginning of the digest. */
export function versionOf(found: FoundTool): string {
  return `${found.version} sha256:${found.sha256.slice(0, 16)}`;
}
