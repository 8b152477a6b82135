import { createHash } from 'node:crypto';
import { existsSync, realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { UsageError } from '../plan/errors';

/** Where things lie in a workspace's `.planwright/`. All paths are absolute. */
export interface WorkspaceLayout {
  /** Real path of the workspace. */
  root: string;
  /** `ws-` and 12 hex characters of SHA-256 over the real path: a copied workspace is another one. */
  id: string;
  dir: string;
  objects: string;
  /** Plan files, `<id>.json`: projections. */
  plans: string;
  /** Answers of the model, kept by plan and generation, so that a finished call is never made again. */
  calls: string;
  /** The audit logs, a folder for each plan. */
  audit: string;
  /** Event histories that were exported, a folder for each plan. */
  histories: string;
  config: string;
  policy: string;
  /** Names the active plan. */
  active: string;
}

/** @param root an existing directory; symbolic links are resolved. */
export function workspaceLayout(root: string): WorkspaceLayout {
  const real = realpathSync(root);
  const dir = join(real, '.planwright');
  return {
    root: real,
    id: `ws-${createHash('sha256').update(real).digest('hex').slice(0, 12)}`,
    dir,
    objects: join(dir, 'objects'),
    plans: join(dir, 'plans'),
    calls: join(dir, 'calls'),
    audit: join(dir, 'audit'),
    histories: join(dir, 'histories'),
    config: join(dir, 'config.yaml'),
    policy: join(dir, 'policy.yaml'),
    active: join(dir, 'active'),
  };
}

/**
 * The workspace that a directory belongs to: the nearest ancestor with a `.planwright/config.yaml`, otherwise the
 * directory itself.
 *
 * @throws UsageError where `start` is no directory
 */
export function findWorkspace(start: string): WorkspaceLayout {
  const from = resolve(start);
  if (!statSync(from, { throwIfNoEntry: false })?.isDirectory()) {
    throw new UsageError(`There is no directory ${from}.`, 'Give an existing directory with -C DIR.');
  }
  for (let at = realpathSync(from); ; at = dirname(at)) {
    if (existsSync(join(at, '.planwright', 'config.yaml'))) return workspaceLayout(at);
    if (dirname(at) === at) return workspaceLayout(from);
  }
}

/** The task queue on which a workspace's worker listens. */
export function taskQueueOf(workspaceId: string): string {
  return `planwright-${workspaceId}`;
}

/** The user's folders: `PLANWRIGHT_HOME` for all, or the XDG base directories. */
export interface UserFolders {
  state: string;
  cache: string;
  config: string;
}

/** @param env the process's environment; nothing is created */
export function userFolders(env: NodeJS.ProcessEnv): UserFolders {
  const home = env.PLANWRIGHT_HOME;
  if (home) {
    const root = resolve(home);
    return { state: join(root, 'state'), cache: join(root, 'cache'), config: join(root, 'config') };
  }
  const xdg = (name: string, fallback: string): string =>
    join(env[name] || join(env.HOME || homedir(), fallback), 'planwright');
  return {
    state: xdg('XDG_STATE_HOME', '.local/state'),
    cache: xdg('XDG_CACHE_HOME', '.cache'),
    config: xdg('XDG_CONFIG_HOME', '.config'),
  };
}
