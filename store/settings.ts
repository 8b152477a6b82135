import { dirname } from 'node:path';
import { escapeForDisplay } from '../plan/display';
import { UsageError } from '../plan/errors';
import { readConfigs, temperature, userConfigPath } from './config-file';
import { readKeyFile } from './key-file';
import type { WorkspaceLayout } from './layout';

const PROVIDERS = ['openai', 'template'] as const;
export type Provider = (typeof PROVIDERS)[number];

const DEFAULT_MODEL: { [provider in Provider]: string } = { openai: 'gpt-4o', template: 'template' };
const DEFAULT_TEMPERATURE = 0.2;

export interface SettingFlags {
  provider?: string;
  model?: string;
  temperature?: number;
  baseUrl?: string;
}

/** How the LLM is reached, and who said so. The key itself is never here. */
export interface Settings {
  provider: Provider;
  model: string;
  /** 0 to 2. */
  temperature: number;
  /** null: the provider's own. */
  baseUrl: string | null;
  apiKeyPresent: boolean;
  /** For each setting: "flag", a variable's name, a file's path, or "default". */
  sources: { provider: string; model: string; temperature: string; baseUrl: string };
}

/** Where the key comes from; never the key. `fault`: a key file is named and cannot be used. */
export interface KeyFound {
  source: 'OPENAI_API_KEY' | 'keyFile' | null;
  file: string | null;
  fault: UsageError | null;
}

/** In the environment of a worker's providers: the file that the key was read from, for messages. Set by us alone. */
export const KEY_PLACE = 'PLANWRIGHT_KEY_FILE_IN_USE';

interface Layer {
  source: string | { [key in keyof SettingFlags]: string };
  values: SettingFlags;
}

interface Given {
  flags: SettingFlags;
  env: NodeJS.ProcessEnv;
  layout: Pick<WorkspaceLayout, 'config'>;
}

/**
 * Settings in the contract's order: flag, environment, `.planwright/config.yaml`, the user's `config.yaml`,
 * default. The default provider is `openai` where OPENAI_API_KEY is set or the user's file names a key file, and
 * `template` otherwise. An empty variable counts as unset.
 *
 * @throws UsageError (exit 2) for an unknown provider, a bad value, a bad file, `openai` without a key, or
 *   `--model` for the template provider. A missing key is bad input; a key that is refused is exit 4, later.
 */
export async function resolveSettings(given: Given): Promise<Settings> {
  const { key, ...settings } = await settingsInForce(given);
  if (settings.provider === 'openai' && !settings.apiKeyPresent) throw key.fault ?? noKey(settings.sources.provider);
  return settings;
}

/** As `resolveSettings`, for looking at: a key that is missing or cannot be used is told and no error. */
export async function settingsInForce(given: Given): Promise<Settings & { key: KeyFound }> {
  const { flags, env, layout } = given;
  const { layers, keyFile } = await fileLayers(env, layout);
  const all = [flagLayer(flags), environmentLayer(env), ...layers];
  const { value: _, ...key } = findKey(env, keyFile, layout);
  const apiKeyPresent = key.source !== null && key.fault === null;
  // A key file that cannot be used still says what is wanted: falling back to the template would hide its fault.
  const implied = key.source === null ? pick('template', 'default') : pick('openai', key.source);
  const provider = first(all, 'provider') ?? implied;
  const name = knownProvider(provider);
  const model = modelFor(name, first(all, 'model'));
  const heat = first(all, 'temperature') ?? pick(DEFAULT_TEMPERATURE, 'default');
  const baseUrl = first(all, 'baseUrl');
  if (baseUrl) checkUrl(baseUrl);
  return {
    provider: name,
    model: model.value,
    temperature: heat.value,
    baseUrl: baseUrl?.value ?? null,
    apiKeyPresent,
    sources: {
      provider: provider.source,
      model: model.source,
      temperature: heat.source,
      baseUrl: baseUrl?.source ?? 'default',
    },
    key,
  };
}

function findKey(
  env: NodeJS.ProcessEnv,
  file: string | null,
  { config }: Pick<WorkspaceLayout, 'config'>,
): KeyFound & { value: string | null } {
  if (env.OPENAI_API_KEY) return { source: 'OPENAI_API_KEY', file: null, fault: null, value: env.OPENAI_API_KEY };
  if (file === null) return { source: null, file: null, fault: null, value: null };
  try {
    const root = config === '' ? null : dirname(dirname(config));
    return { source: 'keyFile', file, fault: null, value: readKeyFile(file, root) };
  } catch (error) {
    if (error instanceof UsageError) return { source: 'keyFile', file, fault: error, value: null };
    throw error;
  }
}

interface Picked<T> {
  value: T;
  source: string;
}

const pick = <T>(value: T, source: string): Picked<T> => ({ value, source });

function first<K extends keyof SettingFlags>(
  layers: Layer[],
  key: K,
): Picked<NonNullable<SettingFlags[K]>> | undefined {
  for (const { source, values } of layers) {
    const value = values[key];
    if (value !== undefined && value !== null && value !== '') {
      return pick(value, typeof source === 'string' ? source : (source[key] ?? 'environment'));
    }
  }
  return undefined;
}

function flagLayer(values: SettingFlags): Layer {
  if (values.temperature !== undefined && !temperature.safeParse(values.temperature).success) {
    throw new UsageError('--temperature takes a number from 0 to 2.');
  }
  return { source: 'flag', values };
}

function environmentLayer(env: NodeJS.ProcessEnv): Layer {
  return {
    source: { provider: 'PLANWRIGHT_PROVIDER', model: 'PLANWRIGHT_MODEL', baseUrl: 'OPENAI_BASE_URL' },
    values: { provider: env.PLANWRIGHT_PROVIDER, model: env.PLANWRIGHT_MODEL, baseUrl: env.OPENAI_BASE_URL },
  };
}

async function fileLayers(
  env: NodeJS.ProcessEnv,
  layout: Pick<WorkspaceLayout, 'config'>,
): Promise<{ layers: Layer[]; keyFile: string | null }> {
  const { workspace, user } = await readConfigs(env, layout);
  const { keyFile, ...own } = user;
  const layers = [
    { source: '.planwright/config.yaml', values: workspace },
    { source: userConfigPath(env), values: own },
  ];
  return { layers, keyFile: keyFile ?? null };
}

/** @throws UsageError listing the providers that there are */
export function knownProvider({ value, source }: Picked<string>): Provider {
  const known = PROVIDERS.find((name) => name === value);
  if (known) return known;
  throw new UsageError(
    `There is no provider "${escapeForDisplay(value)}" (from ${named(source)}).`,
    `Known providers: ${PROVIDERS.join(', ')}.`,
  );
}

/** A source as people typed it. */
const named = (source: string): string => (source === 'flag' ? '--provider' : source);

function noKey(source: string): UsageError {
  return new UsageError(
    `The provider openai (from ${named(source)}) needs a key, and OPENAI_API_KEY is not set.`,
    'Set OPENAI_API_KEY (a local server that needs no key takes any value), name a file that holds it (planwright provider add openai --key-file FILE), or use --provider template.',
  );
}

/** The template provider has no models: `--model` for it is a mistake, a model set for all commands is passed over. */
function modelFor(provider: Provider, asked: Picked<string> | undefined): Picked<string> {
  if (provider !== 'template') return asked ?? pick(DEFAULT_MODEL[provider], 'default');
  if (asked?.source === 'flag' && asked.value !== DEFAULT_MODEL.template) {
    throw new UsageError(
      `--model ${escapeForDisplay(asked.value)} has no meaning for the template provider.`,
      'Set OPENAI_API_KEY to use a model, or leave --model out.',
    );
  }
  return pick(DEFAULT_MODEL.template, 'default');
}

/** @throws UsageError where it is no http or https URL */
export function checkUrl({ value, source }: Picked<string>): void {
  const url = URL.canParse(value) ? new URL(value) : null;
  if (url && (url.protocol === 'https:' || url.protocol === 'http:')) return;
  // The value itself stays out of the message: a base URL may hold a password.
  throw new UsageError(`The base URL from ${source} is not an http or https URL.`, 'Example: https://host/v1');
}

/**
 * The environment for a worker's providers: the base URL and the key file of the user's own config file stand in where
 * no variable gives them. Errors as `resolveSettings`, for a bad file, the key file among them.
 */
export async function providerEnvironment(
  env: NodeJS.ProcessEnv,
  layout: Pick<WorkspaceLayout, 'config'>,
): Promise<NodeJS.ProcessEnv> {
  const { layers, keyFile } = await fileLayers(env, layout);
  const baseUrl = first([environmentLayer(env), ...layers], 'baseUrl');
  if (baseUrl) checkUrl(baseUrl);
  const { value, fault, file } = findKey(env, keyFile, layout);
  if (fault) throw fault;
  const { [KEY_PLACE]: _, ...rest } = env;
  return {
    ...rest,
    ...(file === null ? {} : { [KEY_PLACE]: file }),
    ...(baseUrl ? { OPENAI_BASE_URL: baseUrl.value } : {}),
    ...(value === null ? {} : { OPENAI_API_KEY: value }),
  };
}
