import type { ReachableProvider } from '../../store/provider-keys';
import { KEY_PLACE } from '../../store/settings';
import { TEMPLATE } from './context';
import { finalFailure } from './errors';
import { openaiProvider } from './openai';
import type { ModelProvider } from './provider';

const OPENAI_URL = 'https://api.openai.com/v1';

/**
 * The providers that a worker reaches: `openai`, which is any OpenAI-compatible server by `OPENAI_BASE_URL` and
 * `OPENAI_API_KEY` of its environment, and those that the user's config names. `template` is no model and never asked for here.
 *
 * @param attempt attempt number of the activity that asks, from 1
 * @returns a function that throws ApplicationFailure `BadInput` for any other name
 */
export function providersFrom(
  env: NodeJS.ProcessEnv,
  attempt: () => number,
  named: readonly ReachableProvider[] = [],
): (name: string) => ModelProvider {
  return (name) => {
    const found = named.find((one) => one.name === name);
    const limit = found?.maxTokens === undefined ? {} : { maxTokens: found.maxTokens };
    if (name === 'openai') {
      return openaiProvider({
        name,
        apiKey: env.OPENAI_API_KEY?.trim() ?? '',
        baseURL: env.OPENAI_BASE_URL?.trim() || OPENAI_URL,
        keyPlace: env[KEY_PLACE] ?? 'OPENAI_API_KEY',
        attempt,
        ...limit,
      });
    }
    if (!found) {
      const known = ['openai', TEMPLATE, ...named.map((one) => one.name).filter((one) => one !== 'openai')].join(', ');
      throw finalFailure('BadInput', `There is no provider "${name.slice(0, 60)}". Known are: ${known}.`);
    }
    const { baseUrl: baseURL, key, keyPlace, keyless, keyHeader } = found;
    return openaiProvider({
      ...{ name, apiKey: key.trim(), baseURL, keyPlace, keyless, attempt },
      ...(keyHeader === undefined ? {} : { keyHeader }),
      ...limit,
    });
  };
}
