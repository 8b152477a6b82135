import { escapeForDisplay } from '../plan/display';
import { UsageError } from '../plan/errors';
import type { FallbackSettings } from '../plan/types';
import { checkUrl } from './base-url';
import { readConfigs, temperature, type UserConfig, userConfigPath, type WorkspaceConfig } from './config-file';
import type { WorkspaceLayout } from './layout';
import { type KeyFound, keyIn, keyOf } from './provider-keys';
import type { Price } from './providers';

/** Those that need no entry in a config. */
const BUILT_IN: readonly string[] = ['openai', 'template'];

const DEFAULT_MODEL = 'gpt-4o';
const TEMPLATE = 'template';
const DEFAULT_TEMPERATURE = 0.2;

export interface SettingFlags {
  provider?: string;
  model?: string;
  /** A provider's name, or "none". */
  fallback?: string;
  temperature?: number;
  baseUrl?: string;
}

/** How the LLM is reached, and who said so. The key itself is never here. */
export interface Settings {
  provider: string;
  model: string;
  /** The model that plans, where that is another. */
  planner?: string;
  /** Who is asked where the provider fails; only where somebody said so. */
  fallback?: FallbackSettings;
  /** 0 to 2. */
  temperature: number;
  /** null: the provider's own. */
  baseUrl: string | null;
  apiKeyPresent: boolean;
  /** For each setting: "flag", a variable's name, a file's path, or "default". */
  sources: { provider: string; model: string; temperature: string; baseUrl: string };
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
  const { key, providers, ...settings } = await settingsInForce(given);
  const { provider, fallback, apiKeyPresent, sources } = settings;
  if (provider !== TEMPLATE && !apiKeyPresent) throw key.fault ?? noKey(provider, sources.provider, providers);
  if (fallback) {
    const other = providers[fallback.provider]?.key;
    if (!other?.present) throw other?.key.fault ?? noKey(fallback.provider, 'the fallback', providers);
  }
  return settings;
}

/** What is known of one provider besides its key. */
export interface KnownProvider {
  key: { key: KeyFound; needed: boolean; present: boolean };
  /** Null: the provider's own. */
  baseUrl: string | null;
  keyEnv: string | null;
  models: { planner: string | null; executor: string | null };
  price: Price | null;
}

/** As `resolveSettings`, for looking at: a key that is missing or cannot be used is told and no error. */
export async function settingsInForce(
  given: Given,
): Promise<Settings & { key: KeyFound; providers: { [name: string]: KnownProvider } }> {
  const { flags, env, layout } = given;
  const { layers, keyFile, workspace, user } = await fileLayers(env, layout);
  const all = [flagLayer(flags), environmentLayer(env), ...layers];
  const { value: _, ...openaiKey } = findKey(env, keyFile, layout);
  // A key file that cannot be used still says what is wanted: falling back to the template would hide its fault.
  const implied = openaiKey.source === null ? pick(TEMPLATE, 'default') : pick('openai', openaiKey.source);
  const provider = first(all, 'provider') ?? implied;
  const name = knownProvider(provider, Object.keys(user.providers ?? {}));
  const providers = knownProviders(user, workspace, env, layout.config, openaiKey);
  const entry = user.providers?.[name];
  const key = name === 'openai' || name === TEMPLATE ? openaiKey : (providers[name]?.key.key ?? openaiKey);
  const apiKeyPresent =
    name === 'openai' || name === TEMPLATE
      ? openaiKey.source !== null && openaiKey.fault === null
      : providers[name]?.key.present === true;
  const { model, planner } = modelsFor(name, { flags, env, workspace, user });
  const fallback = fallbackFor(name, flags.fallback ?? user.fallback, { env, workspace, user });
  const heat = first(all, 'temperature') ?? pick(DEFAULT_TEMPERATURE, 'default');
  const own = entry?.baseUrl === undefined ? undefined : pick(entry.baseUrl, userConfigPath(env));
  const baseUrl = own ?? first(all, 'baseUrl');
  if (baseUrl) checkUrl(baseUrl);
  return {
    provider: name,
    model: model.value,
    ...(planner !== undefined && planner !== model.value ? { planner } : {}),
    ...(fallback ? { fallback } : {}),
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
    providers,
  };
}

function knownProviders(
  user: Partial<UserConfig>,
  workspace: Partial<WorkspaceConfig>,
  env: NodeJS.ProcessEnv,
  config: string,
  openaiKey: KeyFound,
): { [name: string]: KnownProvider } {
  const names = [...new Set(['openai', ...Object.keys(user.providers ?? {})])];
  return Object.fromEntries(
    names.map((name): [string, KnownProvider] => {
      const entry = user.providers?.[name] ?? {};
      const found = name === 'openai' ? openaiKey : keyOf(entry, env, config);
      const { source, file, fault } = found;
      const models = { ...entry.models, ...workspace.providers?.[name]?.models };
      return [
        name,
        {
          key: {
            key: { source, file, fault },
            needed: entry.key !== 'none',
            present: source !== null && fault === null,
          },
          baseUrl: entry.baseUrl ?? null,
          keyEnv: name === 'openai' ? 'OPENAI_API_KEY' : (entry.keyEnv ?? null),
          models: { planner: models.planner ?? null, executor: models.executor ?? null },
          price: entry.price ?? null,
        },
      ];
    }),
  );
}

function findKey(
  env: NodeJS.ProcessEnv,
  file: string | null,
  { config }: Pick<WorkspaceLayout, 'config'>,
): KeyFound & { value: string | null } {
  if (env.OPENAI_API_KEY) return { source: 'OPENAI_API_KEY', file: null, fault: null, value: env.OPENAI_API_KEY };
  return file === null ? { source: null, file: null, fault: null, value: null } : keyIn(file, config);
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
): Promise<{
  layers: Layer[];
  keyFile: string | null;
  workspace: Partial<WorkspaceConfig>;
  user: Partial<UserConfig>;
}> {
  const { workspace, user } = await readConfigs(env, layout);
  const { keyFile } = user;
  const { provider, model, temperature: heat, baseUrl } = user;
  const layers: Layer[] = [
    {
      source: '.planwright/config.yaml',
      values: { provider: workspace.provider, model: workspace.model, temperature: workspace.temperature },
    },
    { source: userConfigPath(env), values: { provider, model, temperature: heat, baseUrl } },
  ];
  return { layers, keyFile: keyFile ?? null, workspace, user };
}

/** @param named those of the user's config. @throws UsageError listing the providers that there are */
export function knownProvider({ value, source }: Picked<string>, named: readonly string[]): string {
  const all = [...new Set([...BUILT_IN, ...named])];
  if (all.includes(value)) return value;
  throw new UsageError(
    `There is no provider "${escapeForDisplay(value)}" (from ${sourceText(source)}).`,
    `Known providers: ${all.join(', ')}.`,
  );
}

/** The names in the user's config. @throws UsageError for a file that is wrong */
export async function namedProviders(env: NodeJS.ProcessEnv): Promise<string[]> {
  return Object.keys((await readConfigs(env, { config: '' })).user.providers ?? {});
}

/** A source as people typed it. */
const sourceText = (source: string): string => (source === 'flag' ? '--provider' : source);

function noKey(provider: string, source: string, providers: { [name: string]: KnownProvider }): UsageError {
  const variable = providers[provider]?.keyEnv ?? 'its key file';
  const begin = `The provider ${provider} (from ${sourceText(source)}) needs a key, and ${variable} is not set.`;
  if (provider !== 'openai') return new UsageError(begin, `Set ${variable}, or use another provider.`);
  return new UsageError(
    begin,
    'Set OPENAI_API_KEY (a local server that needs no key takes any value), name a file that holds it (planwright provider add openai --key-file FILE), or use --provider template.',
  );
}

interface ModelSources {
  flags?: SettingFlags;
  env: NodeJS.ProcessEnv;
  workspace: Partial<WorkspaceConfig>;
  user: Partial<UserConfig>;
}

/**
 * The models of a provider: one that was named for all (flag, variable), else by file, the workspace's first. `model` at a file's top
 * level is about the provider that the file names, and about `openai` where it names none: another has not heard of it.
 * The template provider has no models: `--model` for it is a mistake, a model set for all commands is passed over.
 */
function modelsFor(
  provider: string,
  { flags = {}, env, workspace, user }: ModelSources,
): { model: Picked<string>; planner?: string } {
  if (provider === TEMPLATE) {
    if (flags.model && flags.model !== TEMPLATE) {
      throw new UsageError(
        `--model ${escapeForDisplay(flags.model)} has no meaning for the template provider.`,
        'Set OPENAI_API_KEY to use a model, or leave --model out.',
      );
    }
    return { model: pick(TEMPLATE, 'default') };
  }
  if (flags.model) return { model: pick(flags.model, 'flag') };
  if (env.PLANWRIGHT_MODEL) return { model: pick(env.PLANWRIGHT_MODEL, 'PLANWRIGHT_MODEL') };
  let found: Picked<string> | undefined;
  let planner: string | undefined;
  for (const [file, source] of [
    [workspace, '.planwright/config.yaml'],
    [user, userConfigPath(env)],
  ] as const) {
    const about = file.provider === undefined || file.provider === TEMPLATE ? 'openai' : file.provider;
    const models = file.providers?.[provider]?.models;
    if (file.model !== undefined && about === provider) found ??= pick(file.model, source);
    else {
      if (found === undefined) planner ??= models?.planner;
      if (models?.executor !== undefined) found ??= pick(models.executor, source);
    }
    if (found !== undefined) break;
  }
  found ??= provider === 'openai' ? pick(DEFAULT_MODEL, 'default') : undefined;
  if (found) return { model: found, ...(planner === undefined ? {} : { planner }) };
  throw new UsageError(
    `The provider ${provider} has no model.`,
    `Name one with --model, or in your config.yaml: providers: ${provider}: models: executor.`,
  );
}

/** @throws UsageError where the fallback is no provider with a model */
function fallbackFor(provider: string, asked: string | undefined, sources: ModelSources): FallbackSettings | undefined {
  if (asked === undefined || asked === 'none' || provider === TEMPLATE || asked === provider) return undefined;
  if (asked === TEMPLATE) {
    throw new UsageError('The template provider is no fallback: it is no model.', 'Name a provider with a model.');
  }
  const name = knownProvider(pick(asked, 'the fallback'), Object.keys(sources.user.providers ?? {}));
  // A variable names the model of the provider in force, not of another.
  const { model, planner } = modelsFor(name, { ...sources, env: { ...sources.env, PLANWRIGHT_MODEL: '' } });
  return { provider: name, model: model.value, ...(planner === undefined ? {} : { planner }) };
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
