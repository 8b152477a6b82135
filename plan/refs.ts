/**
 * References between tasks. A string of an input may hold `$ref:<task>` or `$ref:<task>.<key>`.
 *
 * After `$ref:` comes the longest run of `[A-Za-z0-9._-]` that does not end in a dot (so a full stop after a
 * reference belongs to the sentence). An id may itself contain dots: the run is split at the longest prefix that is
 * a known task id and is followed by a dot or by nothing. `$ref:` with nothing of that kind after it is plain text.
 * Only values are read, never the keys of an object. Pure: the workflow uses this too.
 */
import type { Json, JsonObject } from './types';

/** A reference: the task, and the key of its output, or null for the task as a whole. */
export interface Ref {
  task: string;
  key: string | null;
}

/** What a referenced task gave: its output, and the key that a scalar reference stands for. */
export interface ReferencedOutput {
  output: JsonObject;
  primary: string | null;
}

/** A reference that cannot be resolved; the message names it and says why. */
export class RefError extends Error {
  override readonly name = 'RefError';
}

type Path = readonly (string | number)[];

const TOKEN = /\$ref:([A-Za-z0-9._-]*[A-Za-z0-9_-])/g;

/** Splits a token at the longest known id. Without a match the first dot ends the id, so that a message can name it. */
function split(token: string, isTask: (id: string) => boolean): Ref {
  if (isTask(token)) return { task: token, key: null };
  for (let dot = token.lastIndexOf('.'); dot > 0; dot = token.lastIndexOf('.', dot - 1)) {
    const id = token.slice(0, dot);
    if (isTask(id)) return { task: id, key: token.slice(dot + 1) };
  }
  const dot = token.indexOf('.', 1);
  return dot < 0 ? { task: token, key: null } : { task: token.slice(0, dot), key: token.slice(dot + 1) };
}

/**
 * Rebuilds a JSON value with each string replaced by what `change` gives for it.
 * Recursive, so the caller bounds the depth (`plan/schema.ts` allows 32).
 */
function mapStrings(value: Json, path: Path, change: (text: string, path: Path) => Json): Json {
  if (typeof value === 'string') return change(value, path);
  if (Array.isArray(value)) return value.map((item, index) => mapStrings(item, [...path, index], change));
  if (value !== null && typeof value === 'object') return mapObject(value, path, change);
  return value;
}

function mapObject(value: JsonObject, path: Path, change: (text: string, path: Path) => Json): JsonObject {
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, mapStrings(item, [...path, key], change)]),
  );
}

/**
 * All references of an input, each once, in the order in which they stand.
 *
 * @param ids the ids of the plan's tasks; without them an id is taken to end at its first dot
 */
export function refsIn(input: JsonObject, ids: { has(id: string): boolean } = { has: () => false }): Ref[] {
  const found = new Map<string, Ref>();
  mapObject(input, [], (text) => {
    for (const match of text.matchAll(TOKEN)) {
      const ref = split(match[1] ?? '', (id) => ids.has(id));
      found.set(`${ref.task}\n${ref.key ?? ''}`, ref);
    }
    return text;
  });
  return [...found.values()];
}

/**
 * Replaces the references of an input by what they stand for. What is inserted is data: it is not read again.
 *
 * A string that is one reference keeps the value's type: `$ref:<task>.<key>` gives that key's value, `$ref:<task>`
 * the whole output where `takesObjectAt` says so and the primary key's value elsewhere. Inside a longer string only
 * strings, numbers and booleans can stand.
 *
 * @throws RefError for an unknown task, an unknown key, a task without a primary key, or a list, object or null
 * inside a longer string
 */
export function resolveRefs(
  input: JsonObject,
  outputs: { [task: string]: ReferencedOutput },
  takesObjectAt: (path: Path) => boolean,
): JsonObject {
  const isTask = (id: string): boolean => Object.hasOwn(outputs, id);
  return mapObject(input, [], (text, path) => {
    const whole = text.match(/^\$ref:([A-Za-z0-9._-]*[A-Za-z0-9_-])$/);
    if (whole) return referenced(split(whole[1] ?? '', isTask), outputs, takesObjectAt(path));
    return text.replace(TOKEN, (token, name: string) => {
      const value = referenced(split(name, isTask), outputs, false);
      if (value === null || typeof value === 'object') {
        throw new RefError(
          `${token} in "${excerpt(text)}" is ${kind(value)}: inside a longer string only text, numbers and true or ` +
            'false can stand. Make the reference the whole value, or pick another key.',
        );
      }
      return String(value);
    });
  });
}

function referenced(ref: Ref, outputs: { [task: string]: ReferencedOutput }, whole: boolean): Json {
  const source = Object.hasOwn(outputs, ref.task) ? outputs[ref.task] : undefined;
  if (!source) throw new RefError(`$ref:${ref.task} names no task that has completed before this one.`);
  if (ref.key === null && whole) return source.output;
  const key = ref.key ?? source.primary;
  if (key === null) {
    throw new RefError(
      `$ref:${ref.task} stands where one value is wanted, and its skill names no primary key. Pick one.`,
    );
  }
  const value = Object.hasOwn(source.output, key) ? source.output[key] : undefined;
  if (value === undefined) {
    const keys = Object.keys(source.output).join(', ') || 'none';
    throw new RefError(`$ref:${ref.task}.${key}: the output of task "${ref.task}" has no "${key}". It has: ${keys}.`);
  }
  return value;
}

function kind(value: Json): string {
  return value === null ? 'null' : Array.isArray(value) ? 'a list' : 'an object';
}

function excerpt(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/**
 * Says where a JSON Schema takes an object and no scalar: there a bare `$ref:<task>` stands for the whole output.
 * Reads `properties`, `additionalProperties`, `items`, `type`, `anyOf` and `oneOf`; a place that the schema leaves
 * open takes a scalar.
 */
export function objectPlaces(schema: JsonObject): (path: Path) => boolean {
  return (path) => {
    let at: Json | undefined = schema;
    for (const step of path) {
      if (!isObject(at)) return false;
      at = typeof step === 'number' ? at.items : (property(at, step) ?? at.additionalProperties);
    }
    if (at === true || at === undefined) return false;
    const types = new Set(typesOf(at));
    return types.has('object') && !['string', 'number', 'integer', 'boolean'].some((scalar) => types.has(scalar));
  };
}

function property(schema: JsonObject, name: string): Json | undefined {
  const properties = schema.properties;
  return isObject(properties) && Object.hasOwn(properties, name) ? properties[name] : undefined;
}

function typesOf(schema: Json | undefined): string[] {
  if (!isObject(schema)) return [];
  if (typeof schema.type === 'string') return [schema.type];
  if (Array.isArray(schema.type)) return schema.type.filter((type) => typeof type === 'string');
  const branches = [schema.anyOf, schema.oneOf].find(Array.isArray);
  if (branches) return branches.flatMap(typesOf);
  return isObject(schema.properties) ? ['object'] : [];
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
