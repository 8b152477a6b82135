import { existsSync } from 'node:fs';
import { homedir, platform } from 'node:os';
import { join } from 'node:path';
import type { ClientConnectConfig } from '@temporalio/envconfig';
import { type PlanwrightError, UsageError } from '../plan/errors';

export interface ConnectionFlags {
  address?: string;
  namespace?: string;
  profile?: string;
}

/** A build of the worker within a deployment: the workers that are released together. */
export interface Release {
  deployment: string;
  buildId: string;
}

/**
 * The namespace, and beside it what `Connection.connect` and `NativeConnection.connect` take: `tls`, `apiKey` and
 * `metadata` are there only where they were configured.
 */
export type ConfiguredConnection = { address: string; namespace: string } & Pick<
  ClientConnectConfig['connectionOptions'],
  'tls' | 'apiKey' | 'metadata'
>;

export type ResolvedConnection = { kind: 'configured'; options: ConfiguredConnection } | { kind: 'embedded' };

/** Where Temporal's own tools look for profiles when `TEMPORAL_CONFIG_FILE` does not say. */
function defaultConfigFile(env: NodeJS.ProcessEnv): string {
  const home = env.HOME || homedir();
  if (platform() === 'darwin') return join(home, 'Library', 'Application Support', 'temporalio', 'temporal.toml');
  if (platform() === 'win32') return join(env.APPDATA || home, 'temporalio', 'temporal.toml');
  return join(env.XDG_CONFIG_HOME || join(home, '.config'), 'temporalio', 'temporal.toml');
}

/**
 * Which server to use: the one that a flag, `TEMPORAL_ADDRESS` or a TOML profile names (in this order, by Temporal's own
 * rules, with TLS, API key and headers), or the embedded one where none of them names an address.
 *
 * @throws UsageError where a profile or its file is missing or broken, or `--namespace` comes without an address
 */
export async function resolveConnection({
  flags,
  env,
}: {
  flags: ConnectionFlags;
  env: NodeJS.ProcessEnv;
}): Promise<ResolvedConnection> {
  const file = env.TEMPORAL_CONFIG_FILE || defaultConfigFile(env);
  const hasFile = existsSync(file);
  const profile = flags.profile || env.TEMPORAL_PROFILE || undefined;
  if (!hasFile && (profile || env.TEMPORAL_CONFIG_FILE)) {
    const what = profile ? `The profile "${profile}" is asked for` : 'TEMPORAL_CONFIG_FILE is set';
    throw new UsageError(`${what}, but there is no file ${file}.`, 'Make it, or unset the option.');
  }
  if (!flags.address && !env.TEMPORAL_ADDRESS && !hasFile) return embedded(flags);

  const config = await load(file, hasFile, profile, env);
  const address = flags.address || config.connectionOptions.address;
  if (!address) {
    if (!profile) return embedded(flags);
    throw new UsageError(`The profile "${profile}" in ${file} names no address.`, 'Add an "address" line to it.');
  }
  const namespace = flags.namespace || config.namespace || 'default';
  const { tls, apiKey, metadata } = config.connectionOptions;
  return {
    kind: 'configured',
    options: {
      address,
      namespace,
      ...(tls === undefined ? {} : { tls }),
      ...(apiKey === undefined ? {} : { apiKey }),
      ...(metadata === undefined ? {} : { metadata }),
    },
  };
}

/** As `connectionFault` of worker/connection-fault.ts, which is loaded for those alone whose server cannot be used. */
export function explainFault(error: unknown, server: ConfiguredConnection): Promise<PlanwrightError> {
  const { connectionFault } = require('./connection-fault') as typeof import('./connection-fault');
  return connectionFault(error, server);
}

function embedded(flags: ConnectionFlags): ResolvedConnection {
  if (flags.namespace && flags.namespace !== 'planwright') {
    throw new UsageError(
      `--namespace ${flags.namespace} is about a server elsewhere, and no address is given.`,
      'Add --address HOST:PORT, or leave it out: the embedded server has one namespace.',
    );
  }
  return { kind: 'embedded' };
}

async function load(
  file: string,
  hasFile: boolean,
  profile: string | undefined,
  env: NodeJS.ProcessEnv,
): Promise<ClientConnectConfig> {
  // Late: most commands use the embedded server, and need none of it.
  const { loadClientConnectConfig } = await import('@temporalio/envconfig');
  // An empty variable means the same as none; envconfig would take it for an address.
  const set = Object.entries(env).filter((entry): entry is [string, string] => Boolean(entry[1]));
  try {
    return loadClientConnectConfig({
      ...(hasFile ? { configSource: { path: file } } : { disableFile: true }),
      ...(profile ? { profile } : {}),
      overrideEnvVars: Object.fromEntries(set),
    });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`Temporal's settings cannot be used: ${why}`, `They come from ${file} and from TEMPORAL_*.`, {
      cause,
    });
  }
}
