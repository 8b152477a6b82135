import { join } from 'node:path';
import { z } from 'zod';
import { escapeForDisplay } from '../plan/display';
import { UsageError } from '../plan/errors';
import { userFolders, type WorkspaceLayout } from './layout';
import { readYamlFile } from './yaml-file';

const PROVIDERS = ['openai', 'template'] as const;
export type Provider = (typeof PROVIDERS)[number];

const DEFAULT_MODEL: { [provider in Provider]: string } = { openai: 'gpt-4o', template: 'template' };
const DEFAULT_TEMPERATURE = 0.2;

const temperature = z.number().min(0).max(2);
const version = z.literal(1, { error: 'expected version: 1, the only format this Planwright knows' });
const text = z.string().min(1).max(2000);
const common = { version, provider: text.optional(), model: text.optional(), temperature: temperature.optional() };

/**
 * A workspace's file comes with the repository, perhaps a stranger's: it must not say where the user's key is
 * sent. `baseUrl` is therefore a matter of the environment and of the user's own file.
 */
const workspaceShape = z.strictObject({
  ...common,
  baseUrl: z
    .undefined({ error: 'not allowed in a workspace; set OPENAI_BASE_URL, or baseUrl in your own config.yaml' })
    .optional(),
});
const userShape = z.strictObject({ ...common, baseUrl: text.optional() });

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

interface Layer {
  source: string | { [key in keyof SettingFlags]: string };
  values: SettingFlags;
}

/**
 * Settings in the contract's order: flag, environment, `.planwright/config.yaml`, the user's `config.yaml`,
 * default. The default provider is `openai` where OPENAI_API_KEY is set and `template` otherwise. An empty
 * variable counts as unset.
 *
 * @throws UsageError (exit 2) for an unknown provider, a bad value, a bad file, `openai` without a key, or
 *   `--model` for the template provider. A missing key is bad input; a key that is refused is exit 4, later.
 */
export async function resolveSettings(given: {
  flags: SettingFlags;
  env: NodeJS.ProcessEnv;
  layout: Pick<WorkspaceLayout, 'config'>;
}): Promise<Settings> {
  const { flags, env, layout } = given;
  const layers = [flagLayer(flags), environmentLayer(env), ...(await fileLayers(env, layout))];
  const apiKeyPresent = Boolean(env.OPENAI_API_KEY);
  const implied = apiKeyPresent ? pick('openai', 'OPENAI_API_KEY') : pick('template', 'default');
  const provider = first(layers, 'provider') ?? implied;
  const name = knownProvider(provider);
  if (name === 'openai' && !apiKeyPresent) throw noKey(provider.source);
  const model = modelFor(name, first(layers, 'model'));
  const heat = first(layers, 'temperature') ?? pick(DEFAULT_TEMPERATURE, 'default');
  const baseUrl = first(layers, 'baseUrl');
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
  };
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

async function fileLayers(env: NodeJS.ProcessEnv, layout: Pick<WorkspaceLayout, 'config'>): Promise<Layer[]> {
  const own = join(userFolders(env).config, 'config.yaml');
  const workspace = await readYamlFile<z.output<typeof workspaceShape>>(layout.config, workspaceShape);
  const user = await readYamlFile<z.output<typeof userShape>>(own, userShape);
  return [
    { source: '.planwright/config.yaml', values: workspace ?? {} },
    { source: own, values: user ?? {} },
  ];
}

function knownProvider({ value, source }: Picked<string>): Provider {
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
    'Set OPENAI_API_KEY (a local server that needs no key takes any value), or use --provider template.',
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

function checkUrl({ value, source }: Picked<string>): void {
  const url = URL.canParse(value) ? new URL(value) : null;
  if (url && (url.protocol === 'https:' || url.protocol === 'http:')) return;
  // The value itself stays out of the message: a base URL may hold a password.
  throw new UsageError(`The base URL from ${source} is not an http or https URL.`, 'Example: https://host/v1');
}

/**
 * The environment for a worker's providers: the base URL of the user's own config file stands in where no variable
 * names one. Errors as `resolveSettings`, for a bad file.
 */
export async function providerEnvironment(
  env: NodeJS.ProcessEnv,
  layout: Pick<WorkspaceLayout, 'config'>,
): Promise<NodeJS.ProcessEnv> {
  const baseUrl = first([environmentLayer(env), ...(await fileLayers(env, layout))], 'baseUrl');
  if (!baseUrl) return env;
  checkUrl(baseUrl);
  return { ...env, OPENAI_BASE_URL: baseUrl.value };
}
