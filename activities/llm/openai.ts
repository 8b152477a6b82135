import { CancelledFailure } from '@temporalio/common';
import { LIMITS } from '../../plan/schema';
import { bodyOf, completionOf, type Feature, refusedFeature } from './chat';
import { type Asked, connectionFailure, finalFailure, httpFailure, masked, timeoutFailure } from './errors';
import type { Completion, ModelProvider, ModelRequest } from './provider';

export interface OpenAiSettings {
  /** The provider's name in messages and records. */
  name: string;
  /** Empty: not set; then every call fails with `Credentials`. */
  apiKey: string;
  /** Up to and with `/v1`; user and password in it are sent as basic authorization. */
  baseURL: string;
  /** Where the key comes from, for messages: a variable of the environment, or a file. */
  keyPlace: string;
  /** Attempt number of the activity that asks, from 1. */
  attempt: () => number;
}

/** What was refused, by base URL and model; it spares the second question for the rest of the process. */
const refusedBy = new Map<string, Set<Feature>>();

// Loading the package takes a tenth of a second: only a process that asks a model pays for it.
const loadSdk = () => import('openai');
type Sdk = Awaited<ReturnType<typeof loadSdk>>;
type Client = InstanceType<Sdk['OpenAI']>;

const PROGRESS_MS = 500;
/** A connection that was not made by then never reached anybody (undici gives up after 10 s). */
const CONNECT_MS = 30_000;

/**
 * Any server with OpenAI's chat completions. The SDK's own retries are off: Temporal is the only retry layer.
 * A server without `json_schema` is asked in JSON mode, then without a format; one that refuses `temperature` or
 * `seed` is asked without. Sources: OpenAI API reference, chat completions and structured outputs.
 */
export function openaiProvider(settings: OpenAiSettings): ModelProvider {
  const { baseURL, authorization } = splitCredentials(settings.baseURL);
  const { name, apiKey, keyPlace } = settings;
  return {
    name,
    complete: async (request) => {
      const asked: Asked = {
        provider: name,
        model: request.model,
        baseURL,
        key: apiKey,
        keyPlace,
        attempt: settings.attempt(),
      };
      if (apiKey === '' && authorization === null) {
        throw finalFailure(
          'Credentials',
          `${name} needs a key, and ${keyPlace} is not set. Set it, or choose --provider template, which needs none. ` +
            'A local server that checks no keys takes any word.',
        );
      }
      if (!/^[\x21-\x7e]*$/.test(apiKey)) {
        const message = `The key in ${keyPlace} has a blank or a character that no key has. Set it again, without quotes and line ends.`;
        throw finalFailure('Credentials', message);
      }
      const sdk = await loadSdk();
      const client = new sdk.OpenAI({
        apiKey: apiKey || 'none',
        baseURL,
        maxRetries: 0,
        // The SDK's limit ends with the headers; ours holds for the body too, and comes first.
        timeout: request.timeoutMs + 60_000,
        fetch: boundedFetch,
        logLevel: 'off',
        ...(authorization === null ? {} : { defaultHeaders: { Authorization: authorization } }),
      });
      return withDeadline(request, asked, (signal) => ask(client, request, asked, signal), sdk.APIError);
    },
  };
}

function splitCredentials(baseURL: string): { baseURL: string; authorization: string | null } {
  const url = URL.canParse(baseURL) ? new URL(baseURL) : null;
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw finalFailure(
      'BadInput',
      `The base URL "${masked(baseURL, '')}" is no http or https URL. Set OPENAI_BASE_URL to one like https://host/v1.`,
    );
  }
  const { username, password } = url;
  url.username = '';
  url.password = '';
  const shown = url.toString().replace(/\/$/, '');
  if (username === '' && password === '') return { baseURL: shown, authorization: null };
  const pair = `${decoded(username)}:${decoded(password)}`;
  return { baseURL: shown, authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** `fetch` that stops reading a body beyond twice the largest answer (JSON escapes make it longer). Threat T14. */
const boundedFetch: typeof fetch = async (input, init) => {
  const response = await fetch(input, init);
  if (!response.body) return response;
  let bytes = 0;
  const limit = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      if (bytes > 2 * LIMITS.answerBytes) {
        const message = `The provider sent more than ${2 * LIMITS.answerBytes} bytes; the rest was not read. Use a smaller task.`;
        controller.error(finalFailure('BadAnswer', message));
      } else controller.enqueue(chunk);
    },
  });
  const { status, statusText, headers } = response;
  return new Response(response.body.pipeThrough(limit), { status, statusText, headers });
};

/** Runs a call under its time limit and the caller's signal, beats while it is out, and maps what it throws. */
async function withDeadline<T>(
  request: ModelRequest,
  asked: Asked,
  call: (signal: AbortSignal) => Promise<T>,
  ApiError: Sdk['APIError'],
): Promise<T> {
  const abort = new AbortController();
  const started = Date.now();
  let late = false;
  const onCancel = (): void => abort.abort();
  const timer = setTimeout(() => {
    late = true;
    abort.abort();
  }, request.timeoutMs);
  const beat = setInterval(() => request.onProgress?.(), PROGRESS_MS);
  request.signal?.addEventListener('abort', onCancel, { once: true });
  if (request.signal?.aborted) abort.abort();
  try {
    return await call(abort.signal);
  } catch (error) {
    if (request.signal?.aborted) {
      throw request.signal.reason instanceof CancelledFailure
        ? request.signal.reason
        : new CancelledFailure('The call was cancelled.');
    }
    if (late) throw timeoutFailure(asked, request.timeoutMs);
    throw toFailure(error, asked, ApiError, Date.now() - started);
  } finally {
    clearTimeout(timer);
    clearInterval(beat);
    request.signal?.removeEventListener('abort', onCancel);
  }
}

function toFailure(error: unknown, asked: Asked, ApiError: Sdk['APIError'], elapsedMs: number): Error {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    if (at.name === 'ApplicationFailure') return at;
  }
  if (error instanceof ApiError && typeof error.status === 'number') {
    const headers: { get(name: string): string | null } = error.headers ?? new Headers();
    return httpFailure({ status: error.status, code: error.code ?? null, message: error.message, headers }, asked);
  }
  if (error instanceof Error && error.constructor.name === 'APIConnectionTimeoutError') {
    if (elapsedMs > CONNECT_MS) return timeoutFailure(asked, elapsedMs);
    return connectionFailure(Object.assign(new Error('connect timeout'), { code: 'UND_ERR_CONNECT_TIMEOUT' }), asked);
  }
  return connectionFailure(error, asked);
}

/** Asks until the server takes the question: each feature that it refuses is left out of the next. */
async function ask(client: Client, request: ModelRequest, asked: Asked, signal: AbortSignal): Promise<Completion> {
  const key = `${asked.baseURL}\n${request.model}`;
  const refused = refusedBy.get(key) ?? new Set<Feature>();
  refusedBy.set(key, refused);
  for (let calls = 1; ; calls++) {
    const body = bodyOf(request, refused);
    try {
      const answer: unknown = await client.chat.completions.create(body, { signal });
      return {
        ...completionOf(answer, asked, calls),
        temperatureSent: body.temperature ?? null,
        seedSent: body.seed ?? null,
      };
    } catch (error) {
      const feature = refusedFeature(error, body);
      if (feature === null) throw error;
      refused.add(feature);
    }
  }
}
