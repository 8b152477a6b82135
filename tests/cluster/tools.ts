/** Where the programs of a cluster are on this machine. Nothing is downloaded here; scripts/test-cluster.mjs builds. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { userFolders } from '../../store/layout';

/** The version that docker-compose.temporal.yml runs; its binaries lie below a folder of that name. */
export const SERVER_VERSION = '1.31.2';

export interface ClusterTools {
  initdb: string;
  postgres: string;
  /** `temporal-sql-tool`. */
  sql: string;
  server: string;
  /** Temporal's command line. */
  temporal: string;
}

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function postgresFolders(): string[] {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  return versions.map((version) => join(debian, version, 'bin'));
}

/** @returns the tools, or the names of those that are missing and what would bring them */
export function findClusterTools(env: NodeJS.ProcessEnv): { tools: ClusterTools } | { missing: string } {
  const path = (env.PATH ?? '').split(delimiter).filter((folder) => folder.startsWith('/'));
  const cache = userFolders({ ...env, PLANWRIGHT_HOME: '' }).cache;
  const ours = env.PLANWRIGHT_CLUSTER_BIN ?? join(cache, 'cluster', SERVER_VERSION);
  const find = (name: string, folders: string[]): string | undefined =>
    folders.map((folder) => join(folder, name)).find(executable);
  const found = {
    initdb: find('initdb', [...postgresFolders(), ...path]),
    postgres: find('postgres', [...postgresFolders(), ...path]),
    sql: find('sql', [ours]) ?? find('temporal-sql-tool', path),
    server: find('server', [ours]) ?? find('temporal-server', path),
    temporal: env.PLANWRIGHT_TEMPORAL_BIN ?? find('temporal', [join(cache, 'bin'), ...path]),
  };
  const missing = Object.entries(found).flatMap(([name, at]) => (at ? [] : [name]));
  if (missing.length > 0) {
    return {
      missing: `${missing.join(', ')} not found: \`npm run test:cluster\` builds the server with Go; PostgreSQL comes with the system`,
    };
  }
  return { tools: found as ClusterTools };
}

/** An account that PostgreSQL may run as: it refuses to be root. Undefined where we are no root: then as ourselves. */
export function unprivileged(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string, user: string): number =>
    Number.parseInt(spawnSync('id', [flag, user], { encoding: 'utf8' }).stdout, 10);
  for (const user of ['postgres', 'nobody']) {
    const uid = id('-u', user);
    const gid = id('-g', user);
    if (Number.isInteger(uid) && Number.isInteger(gid)) return { uid, gid };
  }
  return { uid: 65_534, gid: 65_534 };
}
