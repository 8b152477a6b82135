import { Liquid, type Template } from 'liquidjs';
import picomatch from 'picomatch';
import { UsageError } from '../plan/errors';
import type { Json, JsonObject } from '../plan/types';
import { FILTERS, oneLine } from './filters';
import { appendLines, appendTargets } from './merge';
import { appendJobs, appendScrapes } from './merge-yaml';
import { type FullScope, fullScope } from './project';
import type { RenderedFile, RenderScope, Skill, SkillTemplate } from './types';

const LIMITS = { parseLimit: 1_000_000, renderLimit: 2_000, memoryLimit: 50_000_000 };

/** A scope in which the files are known: for outputs and the summary. */
export interface OutputScope extends RenderScope {
  /** Paths, in the order they are written. */
  files: string[];
  summary: string;
}

const NO_PARTIALS: { [name: string]: string } = {};

// An engine is made once for each set of partials; it holds nothing of a scope.
const engines = new WeakMap<object, Liquid>();

function engineOf(partials: { [name: string]: string }): Liquid {
  const known = engines.get(partials);
  if (known) return known;
  const engine = new Liquid({
    ...LIMITS,
    strictFilters: true,
    strictVariables: true,
    lenientIf: true,
    ownPropertyOnly: true,
    outputEscape: oneLine,
    templates: { ...partials },
    cache: true, // Of the partials, by name.
  });
  for (const [name, filter] of Object.entries(FILTERS)) engine.registerFilter(name, filter);
  engines.set(partials, engine);
  return engine;
}

// Parsing costs more than rendering, and a skill's few texts are rendered for every task.
const parsed = new WeakMap<Liquid, Map<string, Template[]>>();
const MOST_PARSED = 500;

function parse(engine: Liquid, text: string): Template[] {
  const known = parsed.get(engine) ?? new Map<string, Template[]>();
  parsed.set(engine, known);
  const template = known.get(text) ?? engine.parse(text);
  if (known.size < MOST_PARSED) known.set(text, template);
  return template;
}

/**
 * One Liquid text over a scope, with everything off that reaches beyond it: no file system (partials are given by name), own
 * properties only. Every output is one line of visible text unless a filter made it safe for its place (`FILTERS`) or the
 * template says `| raw`.
 *
 * @throws UsageError for an unknown variable or filter, bad syntax or a broken limit
 */
export function render(template: string, scope: object, partials: { [name: string]: string } = NO_PARTIALS): string {
  try {
    const engine = engineOf(partials);
    return String(engine.renderSync(parse(engine, template), scope));
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new UsageError(`A template cannot be rendered: ${why}.`, 'Correct the template of the skill.', {
      cause: error,
    });
  }
}

/**
 * The paths that a skill writes for this input and workspace, without repeats. One that holds a `$ref:` is not known yet and
 * comes back as it is.
 *
 * @throws UsageError where a path lies outside the skill's own scope
 */
export function outputPaths(skill: Skill, scope: RenderScope): string[] {
  const full = fullScope(scope);
  if (nothingFor(skill, full) !== '') return [];
  const paths = skill.paths.map((path) => render(path, full, skill.partials).trim()).filter((path) => path !== '');
  return [...new Set(paths.map((path) => (path.includes('$ref:') ? path : inScope(skill, path))))];
}

/** Why the skill has nothing to write for this project, as a sentence's part; empty where it has. */
export function nothingFor(skill: Skill, scope: RenderScope): string {
  return skill.nothing ? render(skill.nothing, fullScope(scope), skill.partials).trim().replace(/\s+/g, ' ') : '';
}

const scopes = new WeakMap<readonly string[], (path: string) => boolean>();

function inScope(skill: Skill, path: string): string {
  const matches = scopes.get(skill.scope) ?? picomatch(skill.scope, { dot: true });
  scopes.set(skill.scope, matches);
  if (matches(path) && !path.split('/').some((part) => part === '..' || part === '.' || part === '')) return path;
  throw new UsageError(
    `The skill ${skill.name} may not write "${path}": that is outside its scope (${skill.scope.join(', ')}).`,
    'Change the task\'s input, for example its "file".',
  );
}

/**
 * Renders a skill's templates. A file that exists is kept or extended as its template says, unless `input.replace` is true; an
 * unchanged one is returned with its own bytes, so that the caller sees that nothing changes.
 *
 * @throws UsageError for a template that does not render or a path outside the skill's scope
 */
export function renderTemplates(skill: Skill, given: RenderScope): RenderedFile[] {
  const scope = fullScope(given);
  if (nothingFor(skill, scope) !== '') return [];
  return skill.templates.flatMap((template) => {
    const path = render(template.path, scope, skill.partials).trim();
    if (path === '') return [];
    return [{ path: inScope(skill, path), content: contentOf(template, path, skill, scope) }];
  });
}

const UPDATES = {
  keep: (before: string) => before,
  lines: appendLines,
  targets: appendTargets,
  jobs: appendJobs,
  scrapes: appendScrapes,
};

function contentOf(template: SkillTemplate, path: string, skill: Skill, scope: FullScope): string {
  const before = Object.hasOwn(scope.existing, path) && scope.input.replace !== true ? scope.existing[path] : undefined;
  const update = UPDATES[template.existing ?? 'keep'];
  if (before !== undefined && update === UPDATES.keep) return before;
  const text = `${render(template.template, { ...scope, path }, skill.partials)
    .trim()
    .replace(/[ \t]+$/gm, '')
    .replace(/\n{3,}/g, '\n\n')}\n`;
  return before === undefined ? text : update(before, text);
}

/**
 * One or two sentences on what `renderTemplates` did: the skill's own summary, and which existing files were left alone or only
 * extended.
 */
export function summaryOf(skill: Skill, scope: RenderScope, files: RenderedFile[]): string {
  const before = (path: string): string | undefined =>
    Object.hasOwn(scope.existing, path) ? scope.existing[path] : undefined;
  const kept = files.filter(({ path, content }) => before(path) === content).map(({ path }) => path);
  const extended = files
    .filter(
      ({ path, content }) =>
        content !== before(path) && before(path) !== undefined && content.startsWith(before(path) ?? ''),
    )
    .map(({ path }) => path);
  const fresh = files.map(({ path }) => path).filter((path) => !kept.includes(path) && !extended.includes(path));
  const own =
    fresh.length > 0 && skill.summary
      ? render(skill.summary, { ...fullScope(scope), files: fresh, kept, extended }, skill.partials).trim()
      : '';
  const sentences = [
    own || (fresh.length > 0 ? `Wrote ${fresh.join(', ')}.` : ''),
    extended.length > 0
      ? `Added only what was missing to ${extended.join(', ')}; nothing that stood there was changed.`
      : '',
    kept.length > 0
      ? `Left ${kept.join(', ')} as it is, because it exists; set the input "replace" to true to write it anew.`
      : '',
  ];
  return (
    sentences
      .filter((sentence) => sentence !== '')
      .join(' ')
      .replace(/\s+/g, ' ') || 'There was nothing to write.'
  );
}

/**
 * A task's output: the skill's own keys, typed by its output schema, and always `summary` and `files` (paths). A key that
 * renders to nothing, or not to its type, is left out.
 */
export function outputOf(skill: Skill, scope: OutputScope): JsonObject {
  const full = fullScope(scope);
  const output: JsonObject = {};
  for (const [key, template] of Object.entries(skill.outputs)) {
    const value = typed(render(template, full, skill.partials).trim(), propertyType(skill.outputSchema, key));
    if (value !== undefined) output[key] = value;
  }
  return { ...output, files: [...scope.files], summary: scope.summary };
}

function propertyType(schema: JsonObject, key: string): Json | undefined {
  const { properties } = schema;
  const property = isObject(properties) ? properties[key] : undefined;
  return isObject(property) ? property.type : undefined;
}

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function typed(text: string, type: Json | undefined): Json | undefined {
  if (text === '') return undefined;
  if (type === 'integer') return /^-?\d{1,15}$/.test(text) ? Number(text) : undefined;
  if (type === 'number') return Number.isFinite(Number(text)) ? Number(text) : undefined;
  if (type === 'boolean') return text === 'true' ? true : text === 'false' ? false : undefined;
  return text;
}
