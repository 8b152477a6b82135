import { CancelledFailure } from '@temporalio/common';
import type { APIError, OpenAI } from 'openai' with { 'resolution-mode': 'import' };
import { z } from 'zod';
import { LIMITS } from '../../plan/schema';
import { type Asked, connectionFailure, finalFailure, httpFailure, masked, timeoutFailure } from './errors';
import type { Completion, ModelProvider, ModelRequest } from './provider';

export interface OpenAiSettings {
  /** The provider's name in messages and records. */
  name: string;
  /** Empty: not set; then every call fails with `Credentials`. */
  apiKey: string;
  /** Up to and with `/v1`; user and password in it are sent as basic authorization. */
  baseURL: string;
  /** The environment variable that holds the key, for messages. */
  keyVariable: string;
  /** Attempt number of the activity that asks, from 1. */
  attempt: () => number;
}

/** What some servers or models refuse, and we can do without. */
type Feature = 'temperature' | 'seed' | 'json_schema' | 'json_object';

/** What was refused, by base URL and model; it spares the second question for the rest of the process. */
const refusedBy = new Map<string, Set<Feature>>();

const PROGRESS_MS = 250;
/** A connection that was not made by then never reached anybody (undici gives up after 10 s). */
const CONNECT_MS = 30_000;

/**
 * Any server with OpenAI's chat completions. The SDK's own retries are off: Temporal is the only retry layer.
 * A server without `json_schema` is asked in JSON mode, then without a format; one that refuses `temperature` or
 * `seed` is asked without. Sources: OpenAI API reference, chat completions and structured outputs.
 */
export function openaiProvider(settings: OpenAiSettings): ModelProvider {
  const { baseURL, authorization } = splitCredentials(settings.baseURL);
  const { name, apiKey, keyVariable } = settings;
  return {
    name,
    complete: async (request) => {
      const asked: Asked = { provider: name, model: request.model, baseURL, key: apiKey, keyVariable, attempt: settings.attempt() };
      if (apiKey === '' && authorization === null) {
        throw finalFailure(
          'Credentials',
          `${name} needs a key, and ${keyVariable} is not set. Set it, or choose --provider template, which needs none. ` +
            'A local server that checks no keys takes any word.',
        );
      }
      // Loading the package takes a tenth of a second: only a process that asks a model pays for it.
      const sdk = await import('openai');
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
  let url: URL;
  try {
    url = new URL(baseURL);
  } catch {
    throw finalFailure('BadInput', `The base URL "${masked(baseURL, '')}" is no URL. Set OPENAI_BASE_URL to one like https://host/v1.`);
  }
  const { username, password } = url;
  url.username = '';
  url.password = '';
  const shown = url.toString().replace(/\/$/, '');
  if (username === '' && password === '') return { baseURL: shown, authorization: null };
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { baseURL: shown, authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
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
  ApiError: typeof APIError,
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
      throw request.signal.reason instanceof CancelledFailure ? request.signal.reason : new CancelledFailure('The call was cancelled.');
    }
    if (late) throw timeoutFailure(asked, request.timeoutMs);
    throw toFailure(error, asked, ApiError, Date.now() - started);
  } finally {
    clearTimeout(timer);
    clearInterval(beat);
    request.signal?.removeEventListener('abort', onCancel);
  }
}

function toFailure(error: unknown, asked: Asked, ApiError: typeof APIError, elapsedMs: number): Error {
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
async function ask(client: OpenAI, request: ModelRequest, asked: Asked, signal: AbortSignal): Promise<Completion> {
  const key = `${asked.baseURL}\n${request.model}`;
  const refused = refusedBy.get(key) ?? new Set<Feature>();
  refusedBy.set(key, refused);
  for (let calls = 1; ; calls++) {
    const body = bodyOf(request, refused);
    try {
      const answer: unknown = await client.chat.completions.create(body, { signal });
      return { ...completionOf(answer, asked, calls), temperatureSent: body.temperature ?? null, seedSent: body.seed ?? null };
    } catch (error) {
      const feature = refusedFeature(error, body);
      if (feature === null) throw error;
      refused.add(feature);
    }
  }
}

type Body = OpenAI.Chat.Completions.ChatCompletionCreateParamsNonStreaming;

function bodyOf(request: ModelRequest, refused: ReadonlySet<Feature>): Body {
  const strict = !refused.has('json_schema');
  const shape =
    `Answer with one JSON object and nothing else. It must have this JSON Schema ("${request.schemaName}"):\n` +
    JSON.stringify(request.schema);
  return {
    model: request.model,
    messages: [
      { role: 'system', content: strict ? request.system : `${request.system}\n\n${shape}` },
      { role: 'user', content: request.user },
    ],
    ...(refused.has('temperature') ? {} : { temperature: request.temperature }),
    ...(refused.has('seed') || request.seed === null ? {} : { seed: request.seed }),
    ...formatOf(request, refused),
  };
}

function formatOf(request: ModelRequest, refused: ReadonlySet<Feature>): Pick<Body, 'response_format'> {
  if (!refused.has('json_schema')) {
    const json_schema = { name: request.schemaName, strict: true, schema: request.schema };
    return { response_format: { type: 'json_schema', json_schema } };
  }
  return refused.has('json_object') ? {} : { response_format: { type: 'json_object' } };
}

/** Which part of a question a server objects to, if it is one that can be left out. */
function refusedFeature(error: unknown, body: Body): Feature | null {
  if (!(error instanceof Error) || !('status' in error) || (error.status !== 400 && error.status !== 422)) return null;
  const param = 'param' in error ? String(error.param) : '';
  const said = `${param} ${error.message}`;
  if ('temperature' in body && /\btemperature\b/i.test(said)) return 'temperature';
  if ('seed' in body && /\bseed\b/i.test(said)) return 'seed';
  const format = body.response_format?.type;
  const named = /response_?format|json_?(schema|object|mode)|structured[ _-]?outputs?|guided/i.test(said);
  return named && (format === 'json_schema' || format === 'json_object') ? format : null;
}

const answerSchema = z.object({
  id: z.string().nullish(),
  model: z.string().nullish(),
  choices: z.array(
    z.object({
      finish_reason: z.string().nullish(),
      message: z.object({ content: z.string().nullish(), refusal: z.string().nullish() }),
    }),
  ),
  usage: z.object({ prompt_tokens: z.number().nullish(), completion_tokens: z.number().nullish() }).nullish(),
});

const errorSchema = z.object({
  error: z.object({ message: z.string().optional(), code: z.union([z.string(), z.number()]).nullish() }),
});

type Answered = Omit<Completion, 'temperatureSent' | 'seedSent'>;

function completionOf(answer: unknown, asked: Asked, calls: number): Answered {
  const parsed = answerSchema.safeParse(answer);
  if (!parsed.success) throw notACompletion(answer, asked);
  const { id, model, choices, usage } = parsed.data;
  const choice = choices[0];
  return {
    // A lone surrogate has no UTF-8 form, and so no digest.
    text: (choice?.message.content ?? '').toWellFormed(),
    model: model ?? asked.model,
    responseId: id ?? null,
    finishReason: choice?.finish_reason ?? null,
    refusal: choice?.message.refusal?.toWellFormed() ?? null,
    usage: { promptTokens: usage?.prompt_tokens ?? 0, completionTokens: usage?.completion_tokens ?? 0, calls },
  };
}

/** A success that holds no completion: a gateway's error in disguise, or a page of some other server. */
function notACompletion(answer: unknown, asked: Asked): Error {
  const wrapped = errorSchema.safeParse(answer);
  if (wrapped.success) {
    const { code, message } = wrapped.data.error;
    const status = Number(code) >= 400 && Number(code) < 600 ? Number(code) : 502;
    return httpFailure({ status, code: code == null ? null : String(code), message: message ?? '', headers: new Headers() }, asked);
  }
  const said = masked(typeof answer === 'string' ? answer : JSON.stringify(answer ?? null), asked.key);
  return finalFailure(
    'BadRequest',
    `${asked.provider} (${asked.baseURL}) answered with something that is no chat completion: ${said} ` +
      'Check the base URL; it usually ends in /v1.',
  );
}
