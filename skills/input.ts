import Ajv2020, { type ErrorObject, type ValidateFunction } from 'ajv/dist/2020';
import type { Json, JsonObject } from '../plan/types';
import type { Skill } from './types';

const REFERENCE = '$ref:';
const COMBINING = /\/(anyOf|oneOf|not|if|then|else|contains|dependentSchemas)(\/|$)/;

const AJV = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true });
const compiled = new WeakMap<JsonObject, ValidateFunction>();

/**
 * Checks a task's input against its skill's schema (JSON Schema draft 2020-12).
 *
 * @param options.references 'in-place': strings that hold `$ref:` are not resolved yet and satisfy any type where they stand;
 * 'resolved': they are ordinary strings
 * @returns faults in words, empty where there are none
 */
export function checkInput(
  skill: Skill,
  input: JsonObject,
  options: { references: 'in-place' | 'resolved' },
): string[] {
  const validate = validatorOf(skill.inputSchema);
  if (validate(input)) return [];
  const open = options.references === 'in-place' ? referencePlaces(input) : [];
  const faults = (validate.errors ?? [])
    .filter((error) => !excused(error, open))
    .map((error) => faultText(error, skill, input));
  return [...new Set(faults)];
}

/** What is wrong with a skill's own schemas, or null: they are compiled once, strictly, when the skill is loaded. */
export function checkSchemas(skill: Pick<Skill, 'inputSchema' | 'outputSchema'>): string | null {
  for (const [key, schema] of [
    ['input', skill.inputSchema],
    ['output', skill.outputSchema],
  ] as const) {
    try {
      validatorOf(schema);
    } catch (error) {
      return `metadata.${key}: ${error instanceof Error ? error.message : String(error)}`;
    }
  }
  return null;
}

function validatorOf(schema: JsonObject): ValidateFunction {
  const known = compiled.get(schema);
  if (known) return known;
  const validate = AJV.compile(schema);
  compiled.set(schema, validate);
  return validate;
}

/** JSON pointers of all strings that hold a reference. */
function referencePlaces(value: Json, at = ''): string[] {
  if (typeof value === 'string') return value.includes(REFERENCE) ? [at] : [];
  if (value === null || typeof value !== 'object') return [];
  const members = Array.isArray(value)
    ? value.map((item, index) => [String(index), item] as const)
    : Object.entries(value);
  return members.flatMap(([key, item]) =>
    referencePlaces(item, `${at}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`),
  );
}

/**
 * An error at a reference says nothing yet. One inside a combining keyword may come from a branch that the resolved value
 * does not take, so it waits for the second check as well.
 */
function excused(error: ErrorObject, open: readonly string[]): boolean {
  if (open.includes(error.instancePath)) return true;
  const combining = COMBINING.test(error.schemaPath);
  return combining && open.some((place) => place.startsWith(`${error.instancePath}/`));
}

function faultText(error: ErrorObject, skill: Skill, input: JsonObject): string {
  const where = error.instancePath.slice(1).replaceAll('/', '.').replaceAll('~1', '/').replaceAll('~0', '~');
  if (error.keyword === 'additionalProperties') {
    const key = `${where === '' ? '' : `${where}.`}${String(error.params.additionalProperty)}`;
    const known = where === '' ? Object.keys(propertiesOf(skill.inputSchema)) : [];
    return `input.${key} is not known to ${skill.name}${known.length > 0 ? ` (it knows ${known.join(', ')})` : ''}`;
  }
  const allowed = error.keyword === 'enum' ? `: ${JSON.stringify(error.params.allowedValues)}` : '';
  const got = JSON.stringify(valueAt(input, error.instancePath)) ?? 'nothing';
  const shown = got.length > 60 ? `${got.slice(0, 60)}…` : got;
  return `${where === '' ? 'input' : `input.${where}`} ${error.message ?? 'is not valid'}${allowed}, but is ${shown}`;
}

function propertiesOf(schema: JsonObject): JsonObject {
  const { properties } = schema;
  return properties !== null && typeof properties === 'object' && !Array.isArray(properties) ? properties : {};
}

function valueAt(value: Json, pointer: string): Json | undefined {
  let here: Json | undefined = value;
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (here === null || typeof here !== 'object') return undefined;
    here = Array.isArray(here) ? here[Number(key)] : here[key];
  }
  return here;
}
