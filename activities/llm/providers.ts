import { KEY_PLACE } from '../../store/settings';
import { TEMPLATE } from './context';
import { finalFailure } from './errors';
import { openaiProvider } from './openai';
import type { ModelProvider } from './provider';

const OPENAI_URL = 'https://api.openai.com/v1';

/**
 * The providers that a worker's environment reaches: `openai`, which is any OpenAI-compatible server by `OPENAI_BASE_URL`
 * and `OPENAI_API_KEY`. `template` is no model and never asked for here.
 *
 * @param attempt attempt number of the activity that asks, from 1
 * @returns a function that throws ApplicationFailure `BadInput` for any other name
 */
export function providersFrom(env: NodeJS.ProcessEnv, attempt: () => number): (name: string) => ModelProvider {
  return (name) => {
    if (name !== 'openai') {
      throw finalFailure('BadInput', `There is no provider "${name.slice(0, 60)}". Known are: openai, ${TEMPLATE}.`);
    }
    return openaiProvider({
      name,
      apiKey: env.OPENAI_API_KEY?.trim() ?? '',
      baseURL: env.OPENAI_BASE_URL?.trim() || OPENAI_URL,
      keyPlace: env[KEY_PLACE] ?? 'OPENAI_API_KEY',
      attempt,
    });
  };
}
