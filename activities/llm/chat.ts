/** What goes to a chat completions endpoint, as values: no I/O. */
import type { JsonObject } from '../../plan/types';
import type { ModelRequest } from './provider';

/** What some servers or models refuse, and we can do without. */
export type Feature =
  | 'temperature'
  | 'seed'
  | 'json_schema'
  | 'json_object'
  | 'stream'
  | 'stream_options'
  | 'max_completion_tokens'
  | 'max_tokens';

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
  stream?: true;
  stream_options?: { include_usage: true };
  max_completion_tokens?: number;
  /** The older name of the same. */
  max_tokens?: number;
}

/** @param maxTokens most tokens of an answer; null: the server's own limit */
export function bodyOf(request: ModelRequest, refused: ReadonlySet<Feature>, maxTokens: number | null): Body {
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
    ...(refused.has('stream') ? {} : { stream: true }),
    ...(refused.has('stream') || refused.has('stream_options') ? {} : { stream_options: { include_usage: true } }),
    ...limitOf(maxTokens, refused),
  };
}

function limitOf(most: number | null, refused: ReadonlySet<Feature>): Partial<Body> {
  if (most === null) return {};
  if (!refused.has('max_completion_tokens')) return { max_completion_tokens: most };
  return refused.has('max_tokens') ? {} : { max_tokens: most };
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
  if ('stream_options' in body && /\bstream_options\b|include_usage/i.test(said)) return 'stream_options';
  if ('stream' in body && /\bstream(ing)?\b/i.test(said)) return 'stream';
  // A limit that is too high for the model is the user's to lower, and not to be dropped.
  if (!/too (large|high|big)|at most|exceed|maximum/i.test(error.message)) {
    if ('max_completion_tokens' in body && /\bmax_completion_tokens\b/i.test(said)) return 'max_completion_tokens';
    if ('max_tokens' in body && /\bmax_tokens\b/i.test(said)) return 'max_tokens';
  }
  const format = body.response_format?.type;
  const named = /response_?format|json_?(schema|object|mode)|structured[ _-]?outputs?|guided/i.test(said);
  return named && (format === 'json_schema' || format === 'json_object') ? format : null;
}
