import { type Document, isMap, isScalar, isSeq } from 'yaml';
import { z } from 'zod';
import type { Finding } from '../../plan/types';
import { readTable, tableFolder } from './tables';
import { toolThread } from './tool-thread';

/** A schema of `schemas/`: its file without the ending. */
export type SchemaName = 'kubernetes' | 'gitlab-ci' | 'compose';

const errorsSchema = z.array(
  z.object({ path: z.array(z.string()), keyword: z.string(), message: z.string(), key: z.string().optional() }),
);
type SchemaError = z.output<typeof errorsSchema>[number];

/** Compiling takes a quarter of a second for a large schema, so it is done beside the worker's own thread, and once. */
const schemaThread = toolThread(
  'the schema validator',
  `
const { readFileSync } = require('node:fs');
const { gunzipSync } = require('node:zlib');
const known = new Map();
function validator(name, ref) {
  const key = name + '#' + ref;
  if (known.has(key)) return known.get(key);
  if (!known.has(name)) {
    const schema = JSON.parse(gunzipSync(readFileSync(data.folder + '/' + name + '.json.gz'), { maxOutputLength: 8e6 }));
    const Ajv = require(name === 'gitlab-ci' ? data.ajv : data.ajv2020).default;
    const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false, logger: false });
    delete schema.$schema;
    delete schema.kinds;
    schema.$id = 'root';
    ajv.addSchema(schema);
    known.set(name, ajv);
  }
  const compiled = known.get(name).compile({ $ref: 'root#' + ref });
  known.set(key, compiled);
  return compiled;
}
return async ({ name, ref, value }) => {
  const validate = validator(name, ref);
  if (validate(value)) return [];
  return validate.errors.slice(0, 400).map((error) => {
    const path = error.instancePath.split('/').slice(1).map((part) => part.replace(/~1/g, '/').replace(/~0/g, '~'));
    const { additionalProperty, unevaluatedProperty, missingProperty, allowedValues, type } = error.params;
    const key = additionalProperty || unevaluatedProperty || missingProperty;
    const values = allowedValues ? ': ' + allowedValues.filter((one) => one !== null).join(', ') : '';
    const types = Array.isArray(type) ? type.filter((one) => one !== 'null').join(' or ') : type;
    const message = type ? 'must be ' + types : (error.message || '') + values;
    return { path, keyword: error.keyword, message: message.slice(0, 400), ...(key === undefined ? {} : { key: String(key) }) };
  });
};`,
  () => ({ folder: tableFolder(), ajv: require.resolve('ajv'), ajv2020: require.resolve('ajv/dist/2020') }),
);

const TIMEOUT_MS = 30_000;

/** The schema of one kind as a file of its own, named as kubeconform looks for it; null of kinds that are not known. */
export function kubernetesSchema(version: string, kind: string): { file: string; text: string } | null {
  const definition = kubernetesKinds().get(`${version}/${kind}`);
  if (definition === undefined) return null;
  const table = z.object({ $defs: z.record(z.string(), z.unknown()) }).parse(readTable('kubernetes'));
  const suffix = version
    .split('/')
    .map((part) => part.split('.')[0])
    .join('-');
  const text = JSON.stringify({ $ref: `#/$defs/${definition}`, $defs: table.$defs });
  return { file: `${kind.toLowerCase()}-${suffix}.json`, text };
}

let kinds: ReadonlyMap<string, string> | null = null;

/** Kubernetes' own kinds: `apps/v1/Deployment` (core: `v1/Pod`) to the name of its definition. */
export function kubernetesKinds(): ReadonlyMap<string, string> {
  if (kinds) return kinds;
  const table = z.object({ kinds: z.record(z.string(), z.string()) }).parse(readTable('kubernetes'));
  kinds = new Map(Object.entries(table.kinds));
  return kinds;
}

/**
 * Validates a value against one of the schemas.
 *
 * @param ref JSON pointer of the definition; empty for the whole schema
 * @param document where the value comes from, for places; `prefix` leads to the value in it
 * @returns findings of the rule `schema`, or why there is no answer
 */
export async function validateBySchema(
  name: SchemaName,
  ref: string,
  value: unknown,
  from: { document: Document; prefix?: (string | number)[]; place(node: unknown): object; signal?: AbortSignal },
): Promise<{ findings: Finding[] } | { reason: string }> {
  const asked = await schemaThread.call({ name, ref, value }, TIMEOUT_MS, from.signal);
  if ('reason' in asked) return asked;
  const errors = telling(errorsSchema.parse(asked.answer));
  const seen = new Set<string>();
  const findings = errors.flatMap((error): Finding[] => {
    const path = [...(from.prefix ?? []), ...error.path];
    const node = nodeAt(from.document, path, error.keyword === 'required' ? undefined : error.key);
    const message = sentence(error);
    if (seen.has(message)) return [];
    seen.add(message);
    return [{ rule: 'schema', severity: 'error', message, ...from.place(node) }];
  });
  return { findings };
}

/** Keywords that only say that one of several forms fits; the forms' own errors are said, where there are any. */
const CHOICES = new Set(['oneOf', 'anyOf', 'if', 'allOf', 'not', 'unevaluatedProperties']);

/**
 * Of all errors the ones that tell something: those of the branch that got furthest. A choice says only that no form
 * fits; where some error lies deeper, that is the one to mend.
 */
function telling(errors: readonly SchemaError[]): SchemaError[] {
  const choices = errors.filter(({ keyword }) => keyword === 'oneOf' || keyword === 'anyOf');
  const covered = (path: readonly string[], by: readonly string[]): boolean =>
    by.length <= path.length && by.every((part, index) => part === path[index]);
  const plain = errors.filter(({ keyword }) => !CHOICES.has(keyword));
  const kept = plain.filter((error) => {
    const choice = choices.find(({ path }) => covered(error.path, path));
    if (!choice) return true;
    const depths = plain.filter(({ path }) => covered(path, choice.path)).map(({ path }) => path.length);
    const deepest = Math.max(...depths);
    return deepest > choice.path.length && error.path.length === deepest;
  });
  const silent = choices.filter(({ path }) => !kept.some((error) => covered(error.path, path)));
  const unevaluated = errors.filter(({ keyword }) => keyword === 'unevaluatedProperties');
  const all = [...kept, ...silent, ...unevaluated];
  return all.length > 0 ? all : [...errors];
}

function sentence({ path, keyword, message, key }: SchemaError): string {
  const where = path.length === 0 ? 'The document' : `"${path.join('.')}"`;
  if (keyword === 'required') return `${where} lacks the key "${key ?? ''}".`;
  if (keyword === 'additionalProperties' || keyword === 'unevaluatedProperties') {
    return `${where} has no key "${key ?? ''}".`;
  }
  if (keyword === 'oneOf' || keyword === 'anyOf') return `${where} has none of the forms that are allowed there.`;
  return `${where} ${message}.`;
}

function nodeAt(document: Document, path: readonly (string | number)[], key?: string): unknown {
  let node: unknown = document.contents;
  for (const part of path) {
    const next: unknown = isMap(node) ? node.get(part, true) : isSeq(node) ? node.get(Number(part), true) : undefined;
    if (next === undefined || next === null) break;
    node = next;
  }
  if (key !== undefined && isMap(node)) {
    const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === key);
    if (pair) return pair.key;
  }
  return node;
}
