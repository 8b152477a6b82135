/** What goes to a chat completions endpoint and what comes back, as values: no I/O. */
import { z } from 'zod';
import type { JsonObject } from '../../plan/types';
import { type Asked, finalFailure, httpFailure, masked } from './errors';
import type { Completion, ModelRequest } from './provider';

/** What some servers or models refuse, and we can do without. */
export type Feature = 'temperature' | 'seed' | 'json_schema' | 'json_object';

type Format =
  | { type: 'json_schema'; json_schema: { name: string; strict: true; schema: JsonObject } }
  | { type: 'json_object' };

/** The part of a request that we use (OpenAI API reference, "Create chat completion"). */
export interface Body {
  model: string;
  messages: { role: 'system' | 'user'; content: string }[];
  temperature?: number;
  seed?: number;
  response_format?: Format;
}

export function bodyOf(request: ModelRequest, refused: ReadonlySet<Feature>): Body {
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
    const { schemaName: name, schema } = request;
    return { response_format: { type: 'json_schema', json_schema: { name, strict: true, schema } } };
  }
  return refused.has('json_object') ? {} : { response_format: { type: 'json_object' } };
}

/** Which part of a question a server objects to, if it is one that can be left out. */
export function refusedFeature(error: unknown, body: Body): Feature | null {
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

export function completionOf(answer: unknown, asked: Asked, calls: number): Answered {
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
    return httpFailure(
      { status, code: code == null ? null : String(code), message: message ?? '', headers: new Headers() },
      asked,
    );
  }
  const said = masked(typeof answer === 'string' ? answer : JSON.stringify(answer ?? null), asked.key);
  return finalFailure(
    'BadRequest',
    `${asked.provider} (${asked.baseURL}) answered with something that is no chat completion: ${said} ` +
      'Check the base URL; it usually ends in /v1.',
  );
}
