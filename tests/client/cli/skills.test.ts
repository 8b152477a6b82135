import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_ALLOWLIST } from '../../../plan/paths';
import { newSkill } from '../../../skills/new-skill';
import { skillSet } from '../../../skills/skill-set';
import { trialFaults } from '../../../skills/trial';
import { world } from './world';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'planwright-cli-skills-'));
  mkdirSync(join(root, '.planwright', 'skills'), { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const rooms = () => ({
  skills: () =>
    skillSet({ dir: join(root, '.planwright') }, { PLANWRIGHT_HOME: join(root, 'home') }, DEFAULT_ALLOWLIST),
  trySkill: trialFaults,
  newSkill: ({ name }: { name: string }) => newSkill(join(root, '.planwright', 'skills'), name),
});
const made = () => world({ rooms: rooms() });

it('lists the built-in skills and what is not used', async () => {
  mkdirSync(join(root, '.planwright', 'skills', 'bad'));
  writeFileSync(join(root, '.planwright', 'skills', 'bad', 'SKILL.md'), 'nothing');
  const w = made();
  expect(await w.run('skills', 'list')).toBe(0);
  expect(w.stdout.text).toContain('kubernetes');
  expect(w.stdout.text).toContain('.planwright/skills/bad is not used: it must start with front matter');
  const json = made();
  expect(await json.run('skills', 'list', '--json')).toBe(0);
  expect(JSON.parse(json.stdout.text).skills).toHaveLength(14);
});

it('shows one skill, and knows which there are', async () => {
  const w = made();
  expect(await w.run('skills', 'show', 'helm')).toBe(0);
  expect(w.stdout.text).toMatch(/may write +charts\/\*\*/);
  const wrong = made();
  expect(await wrong.run('skills', 'show', 'hlm')).toBe(2);
  expect(wrong.stderr.text).toContain('There are: ');
});

it('makes a skill that validates, and exits 2 for one with faults', async () => {
  expect(await made().run('skills', 'new', 'nightly')).toBe(0);
  expect(await made().run('skills', 'validate')).toBe(0);
  expect(await made().run('skills', 'new', 'nightly')).toBe(2);
  expect(await made().run('skills', 'new', 'Not Good')).toBe(2);
  expect(await made().run('skills', 'validate', 'other')).toBe(2);
  writeFileSync(join(root, '.planwright', 'skills', 'nightly', 'templates', 'script.sh.liquid'), '{{ nope }}');
  const w = made();
  expect(await w.run('skills', 'validate', 'nightly', '--json')).toBe(2);
  expect(JSON.parse(w.stdout.text)).toMatchObject({ ok: false, faults: [{ source: '.planwright/skills/nightly' }] });
});
