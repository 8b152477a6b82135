import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UsageError } from '../../plan/errors';
import { DEFAULT_ALLOWLIST } from '../../plan/paths';
import { newSkill } from '../../skills/new-skill';
import { type SkillSet, skillSet } from '../../skills/skill-set';
import { trialFaults } from '../../skills/trial';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'planwright-skill-set-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const workspace = () => join(root, 'ws', '.planwright', 'skills');
const user = () => join(root, 'home', 'config', 'skills');
const read = (allow: readonly string[] = DEFAULT_ALLOWLIST): Promise<SkillSet> =>
  skillSet({ dir: join(root, 'ws', '.planwright') }, { PLANWRIGHT_HOME: join(root, 'home') }, allow);
const file = (name: string, text: string): void => {
  const path = join(workspace(), name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
};
const why = async (): Promise<string> =>
  (await read()).faults.map((fault) => `${fault.source}: ${fault.why}`).join('\n');

it('is the built-in skills where nobody has any of their own', async () => {
  const { skills, faults } = await read();
  expect(skills.size).toBe(14);
  expect(faults).toEqual([]);
});

it('finds the skill that `skills new` makes, and its templates render', async () => {
  const files = await newSkill(workspace(), 'nightly-backup');
  expect(files.map((path) => path.slice(workspace().length))).toEqual([
    '/nightly-backup/SKILL.md',
    '/nightly-backup/templates/script.sh.liquid',
  ]);
  const { skills, faults } = await read();
  expect(faults).toEqual([]);
  const skill = skills.get('nightly-backup');
  expect(skill).toMatchObject({ type: 'custom', source: '.planwright/skills/nightly-backup' });
  expect(skill && trialFaults(skill)).toEqual([]);
});

it('gives a name to the workspace before the user, and says whose is not used', async () => {
  await newSkill(user(), 'mine');
  expect((await read()).skills.get('mine')?.source).toBe('user/skills/mine');
  await newSkill(workspace(), 'mine');
  const { skills, faults } = await read();
  expect(skills.get('mine')?.source).toBe('.planwright/skills/mine');
  expect(faults).toEqual([{ source: 'user/skills/mine', why: expect.stringContaining('.planwright/skills/mine') }]);
});

it('never lets one stand in for a built-in skill', async () => {
  await newSkill(workspace(), 'mine');
  const { readFileSync, renameSync } = await import('node:fs');
  const text = readFileSync(join(workspace(), 'mine', 'SKILL.md'), 'utf8').replace('name: mine', 'name: dockerfile');
  renameSync(join(workspace(), 'mine'), join(workspace(), 'dockerfile'));
  file('dockerfile/SKILL.md', text);
  const { skills, faults } = await read();
  expect(skills.get('dockerfile')?.type).toBe('built-in');
  expect(faults[0]?.why).toContain('belongs to a built-in skill, which is used instead');
  await expect(newSkill(workspace(), 'helm')).rejects.toThrow(UsageError);
});

it('leaves out the bad one and keeps the others', async () => {
  await newSkill(workspace(), 'good');
  file('bad/SKILL.md', 'no front matter');
  const { skills, faults } = await read();
  expect(skills.has('good')).toBe(true);
  expect(faults).toHaveLength(1);
});

it('is bounded by the policy in force', async () => {
  await newSkill(workspace(), 'mine');
  expect((await read(['k8s/**'])).faults[0]?.why).toContain('reaches beyond the write allowlist');
});

describe('what a stranger wrote', () => {
  beforeEach(() => newSkill(workspace(), 'mine'));

  it('is not reached through a symbolic link: a file, a folder, or all skills', async () => {
    writeFileSync(join(root, 'secret'), 'x');
    symlinkSync(join(root, 'secret'), join(workspace(), 'mine', 'templates', 'x.liquid'));
    expect(await why()).toContain('templates/x.liquid is a symbolic link');
    rmSync(join(workspace(), 'mine', 'templates', 'x.liquid'));
    symlinkSync(root, join(workspace(), 'mine', 'more'));
    expect(await why()).toContain('more is a symbolic link');
    rmSync(join(root, 'ws'), { recursive: true });
    mkdirSync(join(root, 'ws', '.planwright'), { recursive: true });
    mkdirSync(join(root, 'elsewhere'));
    symlinkSync(join(root, 'elsewhere'), workspace());
    expect(await why()).toContain('a symbolic link is not followed');
    await expect(newSkill(workspace(), 'other')).rejects.toThrow(/symbolic link/);
  });

  it('has limits of size, number and depth', async () => {
    file('mine/big.txt', 'x'.repeat(300 * 1024));
    expect(await why()).toContain('larger than');
    rmSync(join(workspace(), 'mine', 'big.txt'));
    file('mine/a/b/c/d/e.txt', 'x');
    expect(await why()).toContain('more than 4 deep');
    rmSync(join(workspace(), 'mine', 'a'), { recursive: true });
    for (let index = 0; index < 101; index += 1) file(`mine/n${index}.txt`, 'x');
    expect(await why()).toContain('more than 100 files');
  });

  it.each([
    ['brackets', `x: ${'['.repeat(60_000)}`],
    ['dashes', `x:\n  ${'- '.repeat(500)}a`],
  ])('has limits of nesting: %s', async (_what, yaml) => {
    file('mine/SKILL.md', `---\nname: mine\n${yaml}\n---\nx\n`);
    expect(await why()).toContain('nested more than 40 deep');
  });

  it('has no alias bomb and no bytes that are no text', async () => {
    const bomb = [
      'a: &a [x,x,x,x,x,x,x,x,x]',
      ...'bcdefgh'.split('').map((key, at) => `${key}: &${key} [${`*${'abcdefg'[at]},`.repeat(9)}]`),
    ];
    file('mine/SKILL.md', `---\nname: mine\n${bomb.join('\n')}\n---\nx\n`);
    expect(await why()).toContain('.planwright/skills/mine');
    writeFileSync(join(workspace(), 'mine', 'SKILL.md'), Buffer.from([0x2d, 0xff, 0xfe]));
    expect(await why()).toContain('not UTF-8');
  });

  it.each(['^(a+)+$', '(x|xx)*', '^(?=a)', 'a*a*a*b', `^${'a'.repeat(300)}$`])(
    'has no pattern that could run for ever: %s',
    async (pattern) => {
      const { readFileSync } = await import('node:fs');
      const path = join(workspace(), 'mine', 'SKILL.md');
      const text = readFileSync(path, 'utf8').replace(/pattern: "[^"]*"/, () => `pattern: '${pattern}'`);
      writeFileSync(path, text);
      expect(await why()).toContain('the pattern');
    },
  );

  it('is told where a template does not render, or writes what it did not declare', async () => {
    file('mine/templates/script.sh.liquid', '{{ nope }}');
    const broken = (await read()).skills.get('mine');
    expect(broken && trialFaults(broken)).toEqual([expect.stringContaining('nope')]);
  });
});
