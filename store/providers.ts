/** Providers by name, as the user's own config file describes them. */
import { z } from 'zod';
import { checkUrl } from './base-url';

const PROVIDER_NAME = /^[a-z][a-z0-9-]{0,30}$/;
const text = z.string().min(1).max(2000);

const models = z.strictObject({ planner: text.optional(), executor: text.optional() });
/** For a million tokens, in one currency. */
const price = z.strictObject({
  prompt: z.number().min(0),
  completion: z.number().min(0),
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/)
    .default('USD'),
});
export type Price = z.output<typeof price>;

const baseUrl = text.refine(isUrl, { error: 'expected an http or https URL such as https://host/v1' });

function isUrl(value: string): boolean {
  try {
    checkUrl({ value, source: 'the config' });
    return true;
  } catch {
    return false;
  }
}

const entry = z.strictObject({
  baseUrl: baseUrl.optional(),
  keyEnv: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/, { error: 'expected the name of a variable, not a key' })
    .optional(),
  keyFile: text.refine((path) => path.startsWith('/'), { error: 'expected an absolute path' }).optional(),
  key: z.literal('none').optional(),
  keyHeader: z
    .string()
    .regex(/^[A-Za-z0-9-]{1,60}$/)
    .optional(),
  models: models.optional(),
  price: price.optional(),
  maxTokens: z.int().min(1).max(10_000_000).optional(),
});
export type ProviderEntry = z.output<typeof entry>;

/** `providers:` of the user's own file. */
export const userProviders = z.record(z.string(), entry).superRefine((all, context) => {
  for (const [key, value] of Object.entries(all)) {
    const fault = faultOf(key, value);
    if (fault) context.addIssue({ code: 'custom', path: [key], message: fault });
  }
});

function faultOf(provider: string, { baseUrl, keyEnv, keyFile, key, keyHeader }: ProviderEntry): string | null {
  if (!PROVIDER_NAME.test(provider)) return 'a name has small letters, digits and hyphens';
  if (provider === 'template') return 'the template provider has no settings';
  const keys = [keyEnv, keyFile, key].filter((one) => one !== undefined).length;
  if (provider === 'openai') {
    const own = keys > 0 || baseUrl !== undefined || keyHeader !== undefined;
    return own
      ? 'openai is reached by baseUrl and keyFile at the top level; here it has models, price and maxTokens'
      : null;
  }
  if (baseUrl === undefined) return 'baseUrl is missing';
  return keys === 1 ? null : 'expected one of keyEnv: NAME, keyFile: FILE, key: none';
}

/** `providers:` of a workspace's file, perhaps a stranger's: which models suit the project, never where a key is sent. */
export const workspaceProviders = z.record(z.string(), z.strictObject({ models: models.optional() }), {
  error: 'in a workspace a provider has models alone; the rest belongs in your own config.yaml',
});
