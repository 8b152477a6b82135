/** What a running worker must have been started with; kept apart and light, since every command asks. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf, sha256 } from '../plan/digest';
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

/** Of the keys that the user's config points to, by file or variable; null where it points to none. */
function keyDigest(config: string, env: NodeJS.ProcessEnv): string | null {
  // YAML is loaded for those alone who have such a line.
  if (!config.includes('keyFile') && !config.includes('keyEnv')) return null;
  const { parse } = require('yaml') as typeof import('yaml');
  try {
    const found = keysIn(parse(config));
    return digestOf([
      found.files.map(ofFile),
      found.variables.map((name) => [name, env[name] ? sha256(env[name]) : null]),
    ]);
  } catch {
    // Whoever reads the file for its settings says what is wrong with it.
    return null;
  }
}

/** Every `keyFile` and `keyEnv`, at the top level and of each provider. */
function keysIn(config: unknown): { files: string[]; variables: string[] } {
  const member = (of: unknown, name: string): unknown =>
    typeof of === 'object' && of !== null ? Reflect.get(of, name) : undefined;
  const providers = member(config, 'providers');
  const all = [config, ...(typeof providers === 'object' && providers !== null ? Object.values(providers) : [])];
  const texts = (name: string): string[] =>
    all.map((one) => member(one, name)).filter((value) => typeof value === 'string');
  return { files: texts('keyFile'), variables: texts('keyEnv') };
}

function ofFile(path: string): string | null {
  try {
    return sha256(readKeyFile(path, null));
  } catch {
    return null;
  }
}

/**
 * `<settings>.<build>`: SHA-256 (hex) over the provider's variables, the user's own config file and the keys that it points to,
 * and the digest of the code.
 * Another one means another worker. An empty variable counts as unset.
 */
export function workerDigest(env: NodeJS.ProcessEnv): string {
  const own = readIfThere(join(userFolders(env).config, 'config.yaml'));
  const variables = PROVIDER_VARIABLES.map((name): [string, string | null] => [name, env[name] || null]);
  const settings = digestOf({
    ...Object.fromEntries(variables),
    config: own && sha256(own),
    key: own && keyDigest(own, env),
  });
  const build = readIfThere(join(__dirname, '..', 'build-id')) ?? 'sources';
  return `${settings}.${build.trim()}`;
}

/** True where two digests differ in nothing but the code: the worker may be replaced at any time then. */
export function sameSettings(one: string, other: string): boolean {
  return one.split('.')[0] === other.split('.')[0];
}
