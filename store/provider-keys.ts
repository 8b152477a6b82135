/** Where the keys of named providers are, and what a worker reaches with them. */
import { dirname } from 'node:path';
import { UsageError } from '../plan/errors';
import { readConfigs } from './config-file';
import { readKeyFile } from './key-file';
import type { WorkspaceLayout } from './layout';
import type { ProviderEntry } from './providers';

/** Where a key comes from; never the key. `source`: a variable's name, "keyFile", "none" where no key is needed, or null. */
export interface KeyFound {
  source: string | null;
  file: string | null;
  /** A key file is named and cannot be used. */
  fault: UsageError | null;
}

/** As `KeyFound`, with the key. @param config the workspace's config file; empty where there is no workspace */
export function keyOf(
  { keyEnv, keyFile, key }: ProviderEntry,
  env: NodeJS.ProcessEnv,
  config: string,
): KeyFound & { value: string | null } {
  if (key === 'none') return { source: 'none', file: null, fault: null, value: null };
  if (keyEnv !== undefined) {
    const value = env[keyEnv] || null;
    return { source: value === null ? null : keyEnv, file: null, fault: null, value };
  }
  return keyFile === undefined ? { source: null, file: null, fault: null, value: null } : keyIn(keyFile, config);
}

export function keyIn(file: string, config: string): KeyFound & { value: string | null } {
  try {
    const root = config === '' ? null : dirname(dirname(config));
    return { source: 'keyFile', file, fault: null, value: readKeyFile(file, root) };
  } catch (error) {
    if (error instanceof UsageError) return { source: 'keyFile', file, fault: error, value: null };
    throw error;
  }
}

/** A named provider with its key, for a worker; held in memory only. */
export interface ReachableProvider {
  name: string;
  baseUrl: string;
  /** Empty: not set. */
  key: string;
  /** For messages. */
  keyPlace: string;
  keyless: boolean;
  keyHeader?: string;
  maxTokens?: number;
}

/**
 * The named providers of the user's own config. One whose key is missing is among them, and fails when it is asked.
 * @throws UsageError for a config file that is wrong
 */
export async function reachableProviders(
  env: NodeJS.ProcessEnv,
  layout: Pick<WorkspaceLayout, 'config'>,
): Promise<ReachableProvider[]> {
  const { user } = await readConfigs(env, layout);
  return Object.entries(user.providers ?? {}).map(([name, entry]) => {
    const { keyEnv, keyFile, keyHeader, maxTokens, baseUrl = '' } = entry;
    return {
      name,
      baseUrl,
      key: keyOf(entry, env, layout.config).value ?? '',
      keyPlace: keyEnv ?? keyFile ?? 'your config',
      keyless: entry.key === 'none',
      ...(keyHeader === undefined ? {} : { keyHeader }),
      ...(maxTokens === undefined ? {} : { maxTokens }),
    };
  });
}
