/** What a running worker must have been started with; kept apart and light, since every command asks. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf, sha256 } from '../plan/digest';
import { userFolders } from './layout';

/** The variables that decide how a worker reaches its provider. */
const PROVIDER_VARIABLES = ['OPENAI_API_KEY', 'OPENAI_BASE_URL', 'PLANWRIGHT_PROVIDER', 'PLANWRIGHT_MODEL'] as const;

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

/**
 * `<settings>.<build>`: SHA-256 (hex) over the provider's variables and the user's own config file, and the digest of the code.
 * Another one means another worker. An empty variable counts as unset.
 */
export function workerDigest(env: NodeJS.ProcessEnv): string {
  const own = readIfThere(join(userFolders(env).config, 'config.yaml'));
  const variables = PROVIDER_VARIABLES.map((name): [string, string | null] => [name, env[name] || null]);
  const settings = digestOf({ ...Object.fromEntries(variables), config: own === null ? null : sha256(own) });
  const build = readIfThere(join(__dirname, '..', 'build-id')) ?? 'sources';
  return `${settings}.${build.trim()}`;
}

/** True where two digests differ in nothing but the code: the worker may be replaced at any time then. */
export function sameSettings(one: string, other: string): boolean {
  return one.split('.')[0] === other.split('.')[0];
}
