/**
 * What a model, or a file given with `--graph`, may hand us: zod schemas that refuse everything else, and the JSON
 * Schemas that are sent to the model. Not for the workflow: zod stays out of its bundle.
 */
import { z } from 'zod';
import type { Json, JsonObject, TaskGraph } from './types';

/** Limits on one answer (threat T14). Sizes in bytes of UTF-8. */
export const LIMITS = {
  answerBytes: 8 * 1024 * 1024,
  files: 50,
  inputBytes: 64 * 1024,
  depth: 32,
  summary: 4000,
} as const;

/** An answer that breaks a rule; the message is written so that a model or a person can repair it. */
export class SchemaError extends Error {
  override readonly name = 'SchemaError';
}

/** Says what is wrong with a JSON value beyond its shape: nested too deeply, or a `__proto__` key (threat T20). */
function jsonFault(value: unknown): string | null {
  const open: { value: unknown; depth: number }[] = [{ value, depth: 1 }];
  for (let at = open.pop(); at; at = open.pop()) {
    if (typeof at.value !== 'object' || at.value === null) continue;
    if (at.depth > LIMITS.depth) return `it is nested more than ${LIMITS.depth} levels deep`;
    if (Object.hasOwn(at.value, '__proto__')) return 'it has a key "__proto__"';
    for (const member of Object.values(at.value)) open.push({ value: member, depth: at.depth + 1 });
  }
  return null;
}

/** A JSON object, given as one or as a string that holds one. */
const inputSchema = z.unknown().transform((given, context): JsonObject => {
  const issue = (message: string): never => {
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  };
  let value = given;
  if (typeof given === 'string') {
    try {
      value = given.trim() === '' ? {} : JSON.parse(given);
    } catch {
      return issue('is a string that holds no JSON; it must hold one JSON object');
    }
  }
  const fault = jsonFault(value);
  if (fault) return issue(`is refused: ${fault}`);
  if (!isJsonObject(value)) return issue('must be a JSON object');
  if (Buffer.byteLength(JSON.stringify(value)) > LIMITS.inputBytes)
    return issue(`is larger than ${LIMITS.inputBytes} bytes`);
  return value;
});

function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && isJson(value);
}

/** Only for values whose depth has been checked. */
function isJson(value: unknown): value is Json {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  return typeof value === 'object' && Object.values(value).every(isJson);
}

const node = z.strictObject({
  id: z.string(),
  tool: z.string(),
  description: z.string(),
  // Absent means none: hand-written graphs leave these out. The schema sent to a model demands them.
  input: inputSchema.default({}),
  deps: z
    .array(z.string())
    .default([])
    .transform((deps) => [...new Set(deps)]),
});

/** A task graph's shape; whether it makes a plan is for `checkGraph`. Repeated dependencies are folded. */
const TaskGraphSchema = z.strictObject({ nodes: z.array(node).max(10_000) });

const file = z.strictObject({ path: z.string().min(1), content: z.string() });

export const GeneratedFilesSchema = z.strictObject({
  files: z.array(file).min(1).max(LIMITS.files),
  summary: z.string().transform((text) => text.slice(0, LIMITS.summary)),
});

export type GeneratedFiles = z.infer<typeof GeneratedFilesSchema>;

/**
 * Reads a model's answer: JSON, alone or inside one code fence (servers in JSON mode like to add it).
 *
 * @param what begins the messages
 * @throws SchemaError for prose, half a JSON, a shape that is not the schema's, or a limit that is exceeded
 */
export function parseAnswer<T>(schema: z.ZodType<T>, text: string, what = 'The answer'): T {
  const bytes = Buffer.byteLength(text);
  if (bytes > LIMITS.answerBytes) {
    throw new SchemaError(`${what} has ${bytes} bytes; at most ${LIMITS.answerBytes} are allowed.`);
  }
  const body = text.trim().replace(/^```(?:json)?[ \t]*\n([\s\S]*)\n```$/, '$1');
  if (body === '') throw new SchemaError(`${what} is empty; one JSON object was expected.`);
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (error) {
    const begin = `${what} is not ${body.startsWith('{') ? 'complete ' : ''}JSON`;
    throw new SchemaError(`${begin} (${error instanceof Error ? error.message.slice(0, 160) : 'unreadable'}).`);
  }
  const fault = jsonFault(value);
  if (fault) throw new SchemaError(`${what} is refused: ${fault}.`);
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new SchemaError(`${what} does not have the right shape: ${issues(parsed.error)}.`);
  return parsed.data;
}

function issues(error: z.ZodError): string {
  const plain = (message: string): string =>
    message.replace(/^Invalid input: /, '').replace(/^(expected .+), received undefined$/, 'missing; $1');
  const all = error.issues.map((issue) => `${issue.path.join('.') || 'the object'}: ${plain(issue.message)}`);
  return all.slice(0, 10).join('; ') + (all.length > 10 ? `; and ${all.length - 10} more` : '');
}

/**
 * Reads a task graph made elsewhere (`--graph FILE`): `{ nodes: [{ id, tool, description, input?, deps? }] }`.
 * @throws SchemaError as `parseAnswer`
 */
export function parseTaskGraph(text: string, what?: string): TaskGraph {
  return parseAnswer(TaskGraphSchema, text, what);
}

const strict = (properties: JsonObject): JsonObject => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
});

/**
 * `task_graph` as it is sent to a model. In strict mode every object must list its properties, so a task's free-form
 * `input` goes over the wire as a string that holds a JSON object; an object is read as well, for servers that do not
 * enforce the schema.
 */
export const TASK_GRAPH_WIRE: JsonObject = strict({
  nodes: {
    type: 'array',
    items: strict({
      id: { type: 'string', description: 'Short and unique: "1", "2", …' },
      tool: { type: 'string', description: 'Name of one of the listed skills.' },
      description: { type: 'string', description: 'What this task makes, in one sentence.' },
      input: {
        type: 'string',
        description: 'A JSON object, encoded as a string, by the skill\'s input schema; "{}" for none.',
      },
      deps: { type: 'array', items: { type: 'string' }, description: 'Ids of the tasks that must finish first.' },
    }),
  },
});

/** `generated_files` as it is sent to a model. */
export const GENERATED_FILES_WIRE: JsonObject = strict({
  files: {
    type: 'array',
    items: strict({
      path: { type: 'string', description: 'Relative to the workspace, with "/" between directories.' },
      content: { type: 'string', description: 'The whole content of the file.' },
    }),
  },
  summary: { type: 'string', description: 'What was made and why, in one to three sentences.' },
});
