/** T01 to T07, T26, T36: where a hostile answer wants to write. */
import { chmodSync, linkSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { useHostileWorld } from './hostile';

const world = useHostileWorld();
const FROM = 'FROM node:20-slim\nUSER node\n';

/** The answer is refused on the whole way, and nothing inside or outside the workspace has changed. */
async function refused(path: string, says: RegExp): Promise<void> {
  const before = [world().disk(), world().disk(world().outside)];
  await expect(world().carryOut('dockerfile', { [path]: FROM })).rejects.toThrow(says);
  expect([world().disk(), world().disk(world().outside)]).toEqual(before);
}

it.each(['../x', 'a/../../x', '..\\x', 'a//b', './a', 'a/..', '..'])('T01 traversal: %j is refused', async (path) => {
  await refused(path, /cannot be used/);
});

it.each(['/etc/cron.d/x', 'C:\\x', 'C:x', '\\\\srv\\x', '~/.ssh/x', 'file:///etc/x'])(
  'T02 absolute, drive, home and UNC: %j is refused',
  async (path) => {
    await refused(path, /cannot be used/);
  },
);

describe('T03 symbolic links', () => {
  it('a linked parent is refused', async () => {
    symlinkSync(world().outside, join(world().root, 'deploy'));
    await refused('deploy/Dockerfile', /deploy is a symbolic link/);
    rmSync(join(world().root, 'deploy'));
  });

  it('a linked target is refused, and what it points to stays', async () => {
    const target = join(world().outside, 'bashrc');
    writeFileSync(target, 'mine\n');
    symlinkSync(target, join(world().root, 'Dockerfile'));
    await refused('Dockerfile', /Dockerfile is a symbolic link/);
    expect(readFileSync(target, 'utf8')).toBe('mine\n');
    rmSync(join(world().root, 'Dockerfile'));
  });

  it('a parent that becomes a link between verification and write is refused', async () => {
    const between = (): void => symlinkSync(world().outside, join(world().root, 'docker'));
    await expect(world().carryOut('dockerfile', { 'docker/Dockerfile': FROM }, { between })).rejects.toThrow(
      /docker is a symbolic link/,
    );
    expect(world().disk(world().outside)).not.toHaveProperty('Dockerfile');
    rmSync(join(world().root, 'docker'));
  });
});

it('T04 a hard link to a file outside: its bytes stay', async () => {
  const outside = join(world().outside, 'shared');
  writeFileSync(outside, 'FROM mine\n');
  linkSync(outside, join(world().root, 'Dockerfile'));
  await refused('Dockerfile', /link/);
  expect(readFileSync(outside, 'utf8')).toBe('FROM mine\n');
  rmSync(join(world().root, 'Dockerfile'));
});

describe('T05 files that tools execute by themselves', () => {
  it.each([
    '.git/hooks/pre-commit',
    '.GIT/config',
    '.git /config',
    '.git./config',
    'git~1/config',
    '.g\u200bit/config',
    'sub/.git/hooks/x',
    '.npmrc',
    '.ssh/authorized_keys',
    '.planwright/policy.yaml',
    '.env',
  ])('%j is refused, whatever the flags', async (path) => {
    await refused(path, /cannot be used|never/);
  });

  it.each(['.husky/pre-commit', '.envrc', '.vscode/tasks.json', '.gitattributes'])(
    '%s is HIGH risk: --yes writes nothing',
    async (path) => {
      const { verified, written } = await world().carryOut('dockerfile', {
        [path]: path.endsWith('.json') ? '{}\n' : 'x\n',
      });
      expect(verified.files).toMatchObject([{ path, risk: 'HIGH' }]);
      expect(written).toBeNull();
      expect(world().disk()).not.toHaveProperty([path]);
    },
  );
});

it.each([
  ['case', ['docker/Dockerfile', 'docker/dockerfile']],
  ['Unicode form', ['docker/é.Dockerfile', 'docker/e\u0301.Dockerfile']],
])('T06 two paths that differ only by %s are refused', async (_what, paths) => {
  const before = world().disk();
  await expect(world().carryOut('dockerfile', Object.fromEntries(paths.map((path) => [path, FROM])))).rejects.toThrow(
    /cannot be used/,
  );
  expect(world().disk()).toEqual(before);
});

it.each(['Dockerfile\u0000', 'Docker\u001b[31mfile', 'Dockerfile\u202e', 'Docker\u200bfile', 'Dockerfile\n'])(
  'T07 %j is refused, and shown escaped',
  async (path) => {
    const error: unknown = await world()
      .carryOut('dockerfile', { [path]: FROM })
      .catch((caught: unknown) => caught);
    const message = error instanceof Error ? error.message : '';
    expect(message).toMatch(/\\x00|\\x1b|\\u202e|\\u200b|\\n/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(message).not.toMatch(/[\u0000-\u001f\u200b\u202e]/);
  },
);

it('T26 a file that a person edits between approval and write is a conflict, and kept', async () => {
  world().put('Dockerfile', 'FROM node:18\n');
  const { written } = await world().carryOut(
    'dockerfile',
    { Dockerfile: FROM },
    { between: () => world().put('Dockerfile', 'FROM mine\n') },
  );
  expect(written).toMatchObject({ files: [], conflicts: ['Dockerfile'] });
  expect(world().disk().Dockerfile).toBe('FROM mine\n');
  expect(Object.keys(world().disk())).not.toContain('Dockerfile.bak');
  rmSync(join(world().root, 'Dockerfile'));
});

it('T36 an object that somebody edited is refused by name, and nothing is written', async () => {
  const { result, workspace, plan } = await world().generate('dockerfile', {
    content: { files: [{ path: 'Dockerfile', content: FROM }], summary: '' },
  });
  const sha256 = result.files[0]?.sha256 ?? '';
  const object = join(world().layout.objects, sha256.slice(0, 2), sha256.slice(2));
  chmodSync(object, 0o600);
  writeFileSync(object, 'FROM evil\n');
  await expect(world().write(plan, 'dockerfile', workspace, result.files)).rejects.toMatchObject({
    type: 'Integrity',
    message: `Object ${sha256.slice(0, 12)} was changed after it was stored.`,
  });
  expect(world().disk()).not.toHaveProperty('Dockerfile');
});
