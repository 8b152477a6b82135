import { CancelledFailure } from '@temporalio/common';
import { LIMITS } from '../../plan/schema';
import { addressOf } from './address';
import { completionOf, estimatedTokens } from './answer';
import { bodyOf, type Feature, refusedFeature } from './chat';
import { type Asked, brokenStream, connectionFailure, finalFailure, httpFailure, timeoutFailure } from './errors';
import type { Completion, ModelProvider, ModelRequest } from './provider';
import { AnswerFold, EventReader } from './sse';

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
  /** Header that takes the key as it is, in the place of `Authorization: Bearer`. */
  keyHeader?: string;
  /** True: the server checks no keys. */
  keyless?: boolean;
  /** Most tokens of an answer; the server's own limit unless told. */
  maxTokens?: number;
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
 * Answers are streamed, so that people see how far they are; a server that does not stream answers at once. One without
 * `json_schema` is asked in JSON mode, then without a format; what else it refuses by name (`temperature`, `seed`,
 * `stream`, `stream_options`, `max_completion_tokens`) is left out. Sources: OpenAI API reference, chat completions,
 * streaming, and structured outputs.
 */
export function openaiProvider(settings: OpenAiSettings): ModelProvider {
  const { baseURL, query, authorization } = addressOf(settings.baseURL);
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
      if (apiKey === '' && authorization === null && !settings.keyless) {
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
        ...(Object.keys(query).length === 0 ? {} : { defaultQuery: query }),
        defaultHeaders: {
          ...(settings.keyHeader && apiKey ? { Authorization: null, [settings.keyHeader]: apiKey } : {}),
          ...(authorization === null ? {} : { Authorization: authorization }),
        },
      });
      return withDeadline(request, asked, (progress) => ask(client, request, asked, settings, progress), sdk.APIError);
    },
  };
}

const isStream = (response: Response): boolean =>
  /^text\/event-stream\b/i.test(response.headers.get('content-type')?.trim() ?? '');

/**
 * `fetch` that stops reading a body beyond twice the largest answer (JSON escapes make it longer), and a stream, where
 * each token comes in an envelope, beyond sixteen times. Unpacked bytes count. Threat T14.
 */
const boundedFetch: typeof fetch = async (input, init) => {
  const response = await fetch(input, init);
  if (!response.body) return response;
  const most = (isStream(response) ? 16 : 2) * LIMITS.answerBytes;
  let bytes = 0;
  const limit = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      if (bytes > most) {
        const message = `The provider sent more than ${most} bytes; the rest was not read. Use a smaller task.`;
        controller.error(finalFailure('BadAnswer', message));
      } else controller.enqueue(chunk);
    },
  });
  const { status, statusText, headers } = response;
  return new Response(response.body.pipeThrough(limit), { status, statusText, headers });
};

/** What a call shares with those who watch it. */
interface Progress {
  signal: AbortSignal;
  /** Written so far, by estimate. */
  tokens: number;
}

/** Runs a call under its time limit and the caller's signal, beats while it is out, and maps what it throws. */
async function withDeadline<T>(
  request: ModelRequest,
  asked: Asked,
  call: (progress: Progress) => Promise<T>,
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
  const progress: Progress = { signal: abort.signal, tokens: 0 };
  const beat = setInterval(() => request.onProgress?.(progress.tokens), PROGRESS_MS);
  request.signal?.addEventListener('abort', onCancel, { once: true });
  if (request.signal?.aborted) abort.abort();
  try {
    return await call(progress);
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
async function ask(
  client: Client,
  request: ModelRequest,
  asked: Asked,
  { maxTokens = null }: { maxTokens?: number | null },
  progress: Progress,
): Promise<Completion> {
  const key = `${asked.baseURL}\n${request.model}`;
  const refused = refusedBy.get(key) ?? new Set<Feature>();
  refusedBy.set(key, refused);
  for (let calls = 1; ; calls++) {
    const body = bodyOf(request, refused, maxTokens);
    try {
      const response = await client.post('/chat/completions', { body, signal: progress.signal }).asResponse();
      const answer = isStream(response) ? await streamed(response, asked, progress) : jsonOrText(await response.text());
      return {
        ...completionOf(answer, asked, calls, request),
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

/** The whole answer of a stream. What broke off is no answer: it is asked again, like a connection that was closed. */
async function streamed(response: Response, asked: Asked, progress: Progress): Promise<unknown> {
  const fold = new AnswerFold();
  const reader = new EventReader();
  const take = (events: string[]): boolean =>
    events.some((event) => {
      const over = fold.add(event);
      progress.tokens = estimatedTokens(fold.written);
      return over;
    });
  try {
    for await (const bytes of response.body ?? []) if (take(reader.read(bytes))) break;
    take(reader.end());
  } catch (error) {
    if (error instanceof SyntaxError) throw brokenStream(asked, 'it sent what is no part of an answer');
    throw error;
  }
  if (!fold.complete) throw brokenStream(asked, 'it ended before the answer did');
  return fold.answer();
}

/** A body that is no JSON stays a text: it is shown to whoever has to find out what it is. */
function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
