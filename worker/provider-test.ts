/** One tiny real question to a provider, asked as a worker of this workspace would ask it. */
import { ApplicationFailure } from '@temporalio/common';
import { jsonPart } from '../activities/llm/content';
import { providersFrom } from '../activities/llm/providers';
import { UnreachableError } from '../plan/errors';
import { GENERATED_FILES_WIRE, GeneratedFilesSchema, parseAnswer } from '../plan/schema';
import { shownUrl } from '../store/base-url';
import type { WorkspaceLayout } from '../store/layout';
import { reachableProviders } from '../store/provider-keys';
import { providerEnvironment, resolveSettings, type SettingFlags } from '../store/settings';

const OPENAI_HOST = 'https://api.openai.com/v1';
const TIMEOUT_MS = 60_000;

export interface ProviderTest {
  provider: string;
  model: string;
  /** Without user and password. */
  baseUrl: string;
  /** The model as it named itself. */
  answeredBy: string;
  ms: number;
  promptTokens: number;
  completionTokens: number;
  /** Whether the answer had the form that plans need; where it has not, a plan asks again and may fail. */
  form: 'kept' | 'broken';
  /** The server takes a temperature and a seed; a replay needs both. */
  temperature: boolean;
  seed: boolean;
}

/**
 * @returns null for the template provider, which asks nobody
 * @throws UsageError where the settings cannot be used, a missing key among them
 * @throws UnreachableError where the provider cannot be reached, refuses the credentials, or gives no answer
 */
export async function testProvider(
  layout: WorkspaceLayout,
  env: NodeJS.ProcessEnv,
  flags: SettingFlags,
): Promise<ProviderTest | null> {
  const { provider, model, temperature, baseUrl } = await resolveSettings({ flags, env, layout });
  if (provider === 'template') return null;
  const found = await providerEnvironment(env, layout);
  const named = await reachableProviders(env, layout);
  const began = performance.now();
  try {
    // The last attempt: what is passing elsewhere is the answer here.
    const { complete } = providersFrom(found, () => Number.MAX_SAFE_INTEGER, named)(provider);
    const answer = await complete({
      schemaName: 'generated_files',
      schema: GENERATED_FILES_WIRE,
      system:
        'This is a test of the connection. Answer with one file, path "ok.txt", content "ok", and the summary "ok".',
      user: 'Answer now.',
      ...{ model, temperature, seed: 1, timeoutMs: TIMEOUT_MS },
    });
    const { promptTokens, completionTokens } = answer.usage;
    return {
      ...{ provider, model, baseUrl: shownUrl(baseUrl ?? OPENAI_HOST), answeredBy: answer.model },
      ms: Math.round(performance.now() - began),
      ...{ promptTokens, completionTokens, form: formOf(answer.text) },
      ...{ temperature: answer.temperatureSent !== null, seed: answer.seedSent !== null },
    };
  } catch (error) {
    if (!(error instanceof ApplicationFailure)) throw error;
    throw new UnreachableError(error.message, 'See what is in force: planwright provider list');
  }
}

function formOf(text: string): ProviderTest['form'] {
  try {
    parseAnswer(GeneratedFilesSchema, jsonPart(text));
    return 'kept';
  } catch {
    return 'broken';
  }
}
