import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { UsageError } from '../../plan/errors';
import { loadSkills, packageRoot, skillRecord } from '../../skills/load';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'planwright-skills-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const SKILL = `---
name: notes
description: Writes a script.
metadata:
  version: "1.0.0"
  risk: LOW
  input: { type: object, additionalProperties: false, properties: {} }
  primary: script
  output: { type: object, properties: { script: { type: string } } }
  outputs: { script: "{{ files[0] }}" }
  paths: ["scripts/notes.sh"]
  scope: ["scripts/*.sh"]
  verifiers: []
  triggers: ["notes"]
  templates: [{ file: notes.sh.liquid, path: scripts/notes.sh }]
---
Write the script.
`;

function custom(text: string, name = 'notes'): { customDirs: string[] } {
  const folder = join(dir, 'skills', name);
  mkdirSync(join(folder, 'templates'), { recursive: true });
  writeFileSync(join(folder, 'SKILL.md'), text);
  writeFileSync(join(folder, 'templates', 'notes.sh.liquid'), '#!/bin/sh\n');
  return { customDirs: [join(dir, 'skills')] };
}

const refusal = async (text: string, name?: string): Promise<string> => {
  const error = await loadSkills(custom(text, name)).then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(UsageError);
  return error instanceof Error ? error.message : '';
};

const RISKS = {
  ansible: 'MEDIUM',
  'docker-compose': 'MEDIUM',
  dockerfile: 'MEDIUM',
  'github-actions': 'LOW',
  'gitlab-ci': 'LOW',
  helm: 'MEDIUM',
  jenkinsfile: 'LOW',
  kubernetes: 'MEDIUM',
  makefile: 'LOW',
  nginx: 'MEDIUM',
  prometheus: 'LOW',
  shell: 'LOW',
  systemd: 'MEDIUM',
  terraform: 'MEDIUM',
};

it('loads the fourteen built-in skills from the package root, with prompt, templates and digest', async () => {
  const skills = await loadSkills();
  expect([...skills.keys()]).toEqual(Object.keys(RISKS));
  const risks = [...skills.values()].map(({ name, risk }) => [name, risk]);
  expect(Object.fromEntries(risks)).toEqual(RISKS);
  for (const skill of skills.values()) {
    expect(skill).toMatchObject({
      type: 'built-in',
      source: 'built-in',
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(skill.prompt).toMatch(/data/);
    expect(skill.inputSchema.required).toBeUndefined();
    expect(skill.inputSchema.additionalProperties).toBe(false);
    expect(skill.outputs).toHaveProperty(skill.primary);
  }
});

it('finds the package root from any folder below it', () => {
  expect(packageRoot(__dirname)).toBe(dirname(dirname(__dirname)));
});

it('loads a custom skill beside the built-in ones and names where it came from', async () => {
  const skills = await loadSkills(custom(SKILL));
  expect(skills.size).toBe(15);
  const skill = skills.get('notes');
  expect(skill).toMatchObject({ type: 'custom', prompt: 'Write the script.\n' });
  expect(skill?.source).toMatch(/skills\/notes$/);
  expect(skill?.source.startsWith('/')).toBe(false);
});

it('changes the digest when any file of the folder changes', async () => {
  const options = custom(SKILL);
  const before = (await loadSkills(options)).get('notes')?.digest;
  expect((await loadSkills(options)).get('notes')?.digest).toBe(before);
  writeFileSync(join(dir, 'skills', 'notes', 'templates', 'notes.sh.liquid'), '#!/bin/sh\necho\n');
  const after = (await loadSkills(options)).get('notes')?.digest;
  expect(after).not.toBe(before);
  writeFileSync(join(dir, 'skills', 'notes', 'extra.md'), 'x');
  expect((await loadSkills(options)).get('notes')?.digest).not.toBe(after);
});

it('names the file and the key of an unknown key, at the top and under metadata', async () => {
  expect(await refusal(SKILL.replace('description:', 'descriptoin: x\ndescription:'))).toMatch(
    /SKILL\.md.*unknown key descriptoin/,
  );
  expect(await refusal(SKILL.replace('  risk: LOW', '  risk: LOW\n  risky: yes'))).toMatch(
    /unknown key metadata\.risky/,
  );
});

it.each([
  ['a wrong value', (text: string) => text.replace('risk: LOW', 'risk: NONE'), /metadata\.risk/],
  ['a missing template', (text: string) => text.replace('notes.sh.liquid', 'other.liquid'), /templates\/other\.liquid/],
  [
    'a primary key that is no output',
    (text: string) => text.replace('primary: script', 'primary: path'),
    /metadata\.primary/,
  ],
  [
    'an output that is always there',
    (text: string) => text.replace('{ script: "', '{ files: x, script: "'),
    /outputs\.files/,
  ],
  [
    'another name than its folder',
    (text: string) => text.replace('name: notes', 'name: other'),
    /folder is called "notes"/,
  ],
  ['no front matter', () => 'Write it.\n', /front matter/],
  ['an empty prompt', (text: string) => text.replace('Write the script.\n', ''), /prompt/],
  ['a duplicate key', (text: string) => text.replace('name: notes', 'name: notes\nname: notes'), /not YAML/],
  [
    'a schema with a misspelt keyword',
    (text: string) => text.replace('properties: {} }', 'propertys: {} }'),
    /metadata\.input.*propertys/,
  ],
])('refuses a skill with %s', async (_what, change, message) => {
  expect(await refusal(change(SKILL))).toMatch(message);
});

it.each([
  '**',
  '/etc/*',
  '../x/*',
  '!scripts/*',
  'src/**',
  '.git/hooks/*',
  '.env',
  '{scripts,src}/**',
  '{a,{b,c}}/*',
  's[c]ripts/*',
])('refuses a custom skill whose scope is %s', async (scope) => {
  expect(await refusal(SKILL.replace('scripts/*.sh"', `${scope}"`))).toMatch(/scope/);
});

it('refuses a custom skill with the name of a built-in one', async () => {
  expect(await refusal(SKILL.replace('name: notes', 'name: makefile'), 'makefile')).toMatch(
    /has the name of a built-in skill/,
  );
});

it('records which skill did the work', async () => {
  const skill = (await loadSkills(custom(SKILL))).get('notes');
  if (!skill) throw new Error('not loaded');
  expect(skillRecord(skill, 'abc')).toEqual({
    toolType: 'custom',
    toolVersion: '1.0.0',
    toolHash: skill.digest,
    toolSource: skill.source,
    systemPromptHash: 'abc',
  });
});

it('keeps every prompt within what a reader and a model can hold', async () => {
  for (const [name] of await loadSkills()) {
    const text = readFileSync(join(packageRoot(__dirname), 'skills', name, 'SKILL.md'), 'utf8');
    expect(text.split('\n').length).toBeLessThan(200);
  }
});
