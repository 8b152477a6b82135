/** What a running worker must have been started with; kept apart and light, since every command asks. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf, sha256 } from '../plan/digest';
import { KEY_FILE, KEYS } from './codec/keys';
import { readKeyFile } from './key-file';
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

/** Of the key in the file that the user's config names; null where none is named or it cannot be used. */
function keyDigest(config: string): string | null {
  // YAML is loaded for those alone who have such a line.
  if (!config.includes('keyFile')) return null;
  const { parseDocument } = require('yaml') as typeof import('yaml');
  const path: unknown = parseDocument(config).get('keyFile');
  if (typeof path !== 'string') return null;
  try {
    return sha256(readKeyFile(path, null));
  } catch {
    return null;
  }
}

/**
 * `<settings>.<build>`: SHA-256 (hex) over the provider's variables, the user's own config file and the key file that it names,
 * the codec keys, and the digest of the code.
 * Another one means another worker. An empty variable counts as unset.
 */
export function workerDigest(env: NodeJS.ProcessEnv): string {
  const own = readIfThere(join(userFolders(env).config, 'config.yaml'));
  const variables = PROVIDER_VARIABLES.map((name): [string, string | null] => [name, env[name] || null]);
  const codecText = env[KEYS] || (env[KEY_FILE] && (readIfThere(env[KEY_FILE]) ?? ''));
  const codec = codecText ? sha256(codecText) : null;
  const settings = digestOf({
    ...Object.fromEntries(variables),
    config: own && sha256(own),
    key: own && keyDigest(own),
    // Only where they are used: the digest of those who do not encrypt stays what it was.
    ...(codec ? { codec } : {}),
  });
  const build = readIfThere(join(__dirname, '..', 'build-id')) ?? 'sources';
  return `${settings}.${build.trim()}`;
}

/** True where two digests differ in nothing but the code: the worker may be replaced at any time then. */
export function sameSettings(one: string, other: string): boolean {
  return one.split('.')[0] === other.split('.')[0];
}
