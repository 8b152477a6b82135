import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { parseDocument } from 'yaml';
import type { z } from 'zod';
import { digestOf } from '../plan/digest';
import { UsageError } from '../plan/errors';
import { DEFAULT_ALLOWLIST, isAllowed } from '../plan/paths';
import type { SkillRecord } from '../plan/types';
import { patternFault, readCustomFolder } from './custom-folder';
import { fault } from './fault';
import { checkSchemas } from './input';
import { FRONT_MATTER, type FrontMatter, scopeFaults } from './schema';
import type { Skill } from './types';

const MAX_FILES = 100;
const MAX_BYTES = 256 * 1024;

export interface LoadOptions {
  /** The directory that holds package.json and skills/; found by walking up from this file unless given. */
  root?: string;
  /** Directories whose sub-directories are custom skills, for example a workspace's `.planwright/skills`. */
  customDirs?: string[];
  /** The write allowlist: a custom skill's scope must lie within it. `DEFAULT_ALLOWLIST` unless given. */
  allow?: readonly string[];
}

/**
 * Loads the built-in skills and then the custom ones, by name.
 *
 * @throws UsageError naming the file and the key that is wrong: a SKILL.md that cannot be parsed, an unknown key, a template
 * that is missing, a custom skill with a built-in one's name or a scope that reaches too far
 */
export async function loadSkills(options: LoadOptions = {}): Promise<Map<string, Skill>> {
  const root = join(options.root ?? packageRoot(__dirname), 'skills');
  const skills = new Map<string, Skill>();
  for (const folder of await skillFolders(root)) {
    const skill = await loadSkill(folder, 'built-in', 'built-in');
    skills.set(skill.name, skill);
  }
  for (const dir of options.customDirs ?? []) {
    for (const folder of await skillFolders(dir)) {
      const skill = await loadSkill(folder, 'custom', shownSource(dir, folder), options.allow ?? DEFAULT_ALLOWLIST);
      const taken = skills.get(skill.name);
      if (taken) {
        throw new UsageError(
          `The custom skill ${skill.name} (${folder}) has the name of ${taken.type === 'built-in' ? 'a built-in skill' : 'another custom skill'}.`,
          'Give it another name, in its folder and in the front matter of its SKILL.md.',
        );
      }
      skills.set(skill.name, skill);
    }
  }
  return skills;
}

/** What a plan records of the skill that carried out a task. @param systemPromptHash SHA-256 (hex) of the prompt as sent */
export function skillRecord(skill: Skill, systemPromptHash: string): SkillRecord {
  return {
    toolType: skill.type,
    toolVersion: skill.version,
    toolHash: skill.digest,
    toolSource: skill.source,
    systemPromptHash,
  };
}

/** The nearest directory upwards with a package.json: the sources and dist/ have the same one. */
export function packageRoot(start: string): string {
  for (let at = start; ; at = dirname(at)) {
    if (existsSync(join(at, 'package.json'))) return at;
    if (dirname(at) === at) throw new Error(`no package.json above ${start}`);
  }
}

/** A custom skill is shown by the end of its path that tells it apart; an absolute path would differ between machines. */
function shownSource(dir: string, folder: string): string {
  return [basename(dirname(dir)), basename(dir), relative(dir, folder)].join('/');
}

export async function skillFolders(dir: string): Promise<string[]> {
  if (!existsSync(dir)) return [];
  const entries = await readdir(dir, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && existsSync(join(dir, entry.name, 'SKILL.md')))
    .map((entry) => join(dir, entry.name))
    .sort();
}

/**
 * One skill's folder. A custom one is read as what a stranger may have written: see `readCustomFolder`.
 *
 * @param allow the write allowlist that bounds its scope; none for a built-in one
 * @throws UsageError naming the file and the key that is wrong
 */
export async function loadSkill(
  folder: string,
  type: Skill['type'],
  source: string,
  allow?: readonly string[],
): Promise<Skill> {
  const file = join(folder, 'SKILL.md');
  const contents = type === 'custom' ? await readCustomFolder(folder) : await readFolder(folder);
  const { front, body } = parseSkill(file, contents.get('SKILL.md') ?? '');
  const meta = front.metadata;
  if (front.name !== basename(folder)) {
    throw fault(file, `name: is "${front.name}", but the folder is called "${basename(folder)}"`);
  }
  const faults = scopeFaults(meta.scope, (path) => allow === undefined || isAllowed(path, allow));
  if (faults[0]) throw fault(file, `metadata.${faults[0]}`);
  for (const key of Object.keys(meta.outputs)) {
    if (key === 'files' || key === 'summary')
      throw fault(file, `metadata.outputs.${key}: is always there and cannot be set`);
  }
  if (!(meta.primary in meta.outputs)) throw fault(file, `metadata.primary: there is no output "${meta.primary}"`);

  const skill: Skill = {
    name: front.name,
    version: meta.version,
    description: front.description,
    risk: meta.risk,
    type,
    source,
    digest: digestOf([...contents].map(([path, content]) => ({ path, content }))),
    inputSchema: meta.input,
    primary: meta.primary,
    outputSchema: meta.output,
    outputs: meta.outputs,
    paths: meta.paths,
    scope: meta.scope,
    verifiers: meta.verifiers,
    prompt: body,
    templates: meta.templates.map((template) => {
      const text = contents.get(`templates/${template.file}`);
      if (text === undefined) throw fault(file, `metadata.templates: there is no file templates/${template.file}`);
      return { path: template.path, template: text, existing: template.existing ?? 'keep' };
    }),
    partials: partialsOf(contents),
    nothing: meta.nothing,
    summary: meta.summary,
    triggers: meta.triggers,
  };
  // Those of the built-in skills are compiled by the tests, and here only when they are used: every command loads them.
  const bad = type === 'custom' ? (patternFault(skill) ?? checkSchemas(skill)) : null;
  if (bad) throw fault(file, bad);
  return skill;
}

function parseSkill(file: string, text: string): { front: FrontMatter; body: string } {
  const parts = /^---\r?\n([\s\S]*?)\r?\n---\r?\n([\s\S]*)$/.exec(text);
  if (!parts) throw fault(file, 'it must start with front matter between two lines of ---');
  const document = parseDocument(parts[1] ?? '', { uniqueKeys: true });
  const broken = document.errors[0] ?? document.warnings[0];
  if (broken) throw fault(file, `the front matter is not YAML: ${broken.message.split('\n')[0]}`);
  const front = FRONT_MATTER.safeParse(document.toJS({ maxAliasCount: 10 }));
  if (!front.success) {
    throw fault(file, front.error.issues.map(issueText).join('; '));
  }
  const body = (parts[2] ?? '').trim();
  if (body === '') throw fault(file, 'the text after the front matter is the prompt, and it is empty');
  return { front: front.data, body: `${body}\n` };
}

function issueText(issue: z.core.$ZodIssue): string {
  const where = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => `unknown key ${where === '' ? key : `${where}.${key}`}`).join('; ');
  }
  return `${where || 'front matter'}: ${issue.message}`;
}

function partialsOf(contents: ReadonlyMap<string, string>): { [name: string]: string } {
  const partials: { [name: string]: string } = {};
  for (const [path, content] of contents) {
    const name = /^templates\/(_[\w-]+)\.liquid$/.exec(path)?.[1];
    // A partial stands within a line or between lines; the line end of its last line is the includer's.
    if (name) partials[name] = content.replace(/\r?\n$/, '');
  }
  return partials;
}

/** Every regular file of a skill, as text, by relative path with `/`, sorted: what its digest covers. */
async function readFolder(folder: string): Promise<Map<string, string>> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  if (files.length > MAX_FILES) throw fault(join(folder, 'SKILL.md'), `its folder has more than ${MAX_FILES} files`);
  const named = files.map((file) => [relative(folder, file).split(sep).join('/'), file] as const);
  named.sort(([a], [b]) => (a < b ? -1 : 1));
  const contents = new Map<string, string>();
  for (const [path, file] of named) {
    const bytes = await readFile(file);
    if (bytes.length > MAX_BYTES) throw fault(join(folder, 'SKILL.md'), `${path} is larger than ${MAX_BYTES} bytes`);
    contents.set(path, bytes.toString('utf8'));
  }
  return contents;
}
