import { chmodSync, linkSync, mkdirSync, readFileSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UnsafeTarget } from '../../../activities/files/errors';
import { undoFiles } from '../../../activities/files/undo';
import { writeArtifactFiles } from '../../../activities/files/writer';
import { sha256 } from '../../../plan/digest';
import { History } from './support/history';
import { World } from './support/world';

// The very object that the code under test calls; what it does is real until a test says otherwise.
jest.mock('node:fs/promises', () => ({ ...jest.requireActual('node:fs/promises') }));
const fsp = jest.requireMock<typeof import('node:fs/promises')>('node:fs/promises');

let world: World;
let plan: History;
beforeEach(() => {
  world = new World();
  plan = new History(world);
});
afterEach(() => {
  jest.restoreAllMocks();
  world.remove();
});

/** The system refuses what the call does to names that end so. */
function refusing(name: 'unlink' | 'rename' | 'rmdir' | 'rm', ending: string, code: string): jest.SpyInstance {
  const real = fsp[name] as (...given: unknown[]) => Promise<void>;
  return jest.spyOn(fsp, name).mockImplementation((async (...given: unknown[]) => {
    if (given.some((one) => typeof one === 'string' && one.endsWith(ending)))
      throw Object.assign(new Error(code), { code });
    return real(...given);
  }) as never);
}

const outcomes = ({ files }: Awaited<ReturnType<typeof undoFiles>>): { [path: string]: string } =>
  Object.fromEntries(files.map(({ path, outcome }) => [path, outcome]));

describe('a rollback', () => {
  it('deletes what was created, restores what was replaced with its mode, and takes backup and directories away', async () => {
    world.put('Dockerfile', 'original\n', 0o640);
    await plan.write('Dockerfile', 'ours\n', 'original\n');
    await plan.write('.github/workflows/ci.yml', 'on: push\n');
    expect(world.list()).toContain('Dockerfile.bak');
    const result = await undoFiles(plan.job());
    expect(outcomes(result)).toEqual({ Dockerfile: 'restored', '.github/workflows/ci.yml': 'deleted' });
    expect(result.directories).toEqual(['.github/workflows', '.github']);
    expect(world.list()).toEqual(['Dockerfile']);
    expect(world.text('Dockerfile')).toBe('original\n');
    expect(world.mode('Dockerfile')).toBe(0o640);
  });

  it('undoes every run, newest first', async () => {
    world.put('Dockerfile', 'original\n');
    await plan.write('Dockerfile', 'first\n', 'original\n');
    await plan.write('Dockerfile', 'second\n', 'first\n');
    const { files } = await undoFiles(plan.job());
    expect(files).toMatchObject([{ outcome: 'restored', undone: 2 }]);
    expect(world.text('Dockerfile')).toBe('original\n');
    expect(world.list()).toEqual(['Dockerfile']);
  });

  it('T33: keeps a file that a person changed, and takes the others back', async () => {
    world.put('Dockerfile', 'original\n');
    await plan.write('Dockerfile', 'ours\n', 'original\n');
    await plan.write('k8s/a.yaml', 'a: 1\n');
    world.put('Dockerfile', 'a person was here\n');
    const result = await undoFiles(plan.job());
    expect(result.files[0]).toMatchObject({ outcome: 'changed', undone: 0, backup: 'Dockerfile.bak' });
    expect(outcomes(result)).toEqual({ Dockerfile: 'changed', 'k8s/a.yaml': 'deleted' });
    expect(world.text('Dockerfile')).toBe('a person was here\n');
    expect(world.list()).toEqual(['Dockerfile', 'Dockerfile.bak']);
  });

  it('takes a changed file back too when told, and keeps its content as an object', async () => {
    world.put('Dockerfile', 'original\n');
    await plan.write('Dockerfile', 'ours\n', 'original\n');
    await plan.write('Makefile', 'all:\n');
    for (const path of ['Dockerfile', 'Makefile']) world.put(path, 'a person was here\n');
    const { files } = await undoFiles(plan.job({ overwriteChanged: true }));
    const kept = sha256('a person was here\n');
    expect(files).toMatchObject([
      { outcome: 'restored', kept },
      { outcome: 'deleted', kept },
    ]);
    expect((await world.objects.get(kept)).toString()).toBe('a person was here\n');
    expect(world.text('Dockerfile')).toBe('original\n');
    expect(world.list()).toEqual(['Dockerfile']);
  });

  it('puts back what a person made of it between two runs, and stops there', async () => {
    world.put('Dockerfile', 'original\n');
    await plan.write('Dockerfile', 'first\n', 'original\n');
    world.put('Dockerfile', 'a person between\n');
    await plan.write('Dockerfile', 'second\n', 'a person between\n');
    const { files } = await undoFiles(plan.job());
    expect(files).toMatchObject([{ outcome: 'changed', undone: 1, reason: expect.stringContaining('between') }]);
    expect(world.text('Dockerfile')).toBe('a person between\n');
    expect(world.text('Dockerfile.bak')).toBe('original\n');
    plan.forget('Dockerfile', 1);
    await undoFiles(plan.job({ overwriteChanged: true, key: 'undo-2' }));
    expect(world.text('Dockerfile')).toBe('original\n');
    expect(world.list()).toEqual(['Dockerfile']);
  });

  it('has nothing to do for a created file that was deleted, and restores a replaced one', async () => {
    world.put('Dockerfile', 'original\n');
    await plan.write('Dockerfile', 'ours\n', 'original\n');
    await plan.write('k8s/a.yaml', 'a: 1\n');
    unlinkSync(join(world.root, 'Dockerfile'));
    rmSync(join(world.root, 'k8s'), { recursive: true });
    expect(outcomes(await undoFiles(plan.job()))).toEqual({ Dockerfile: 'restored', 'k8s/a.yaml': 'gone' });
    expect(world.list()).toEqual(['Dockerfile']);
  });

  it('takes our backup away where a person restored the file by hand', async () => {
    world.put('Dockerfile', 'original\n');
    await plan.write('Dockerfile', 'ours\n', 'original\n');
    world.put('Dockerfile', 'original\n');
    expect(outcomes(await undoFiles(plan.job()))).toEqual({ Dockerfile: 'original' });
    expect(world.list()).toEqual(['Dockerfile']);
  });

  it('removes the backup that it made and no other', async () => {
    world.put('Dockerfile', 'original\n');
    world.put('Dockerfile.bak', 'original\n');
    await plan.write('Dockerfile', 'ours\n', 'original\n');
    expect(world.text('Dockerfile.bak.1')).toBe('original\n');
    await undoFiles(plan.job());
    expect(world.list()).toEqual(['Dockerfile', 'Dockerfile.bak']);
  });

  it('leaves a backup that a person changed, and names it', async () => {
    world.put('Dockerfile', 'original\n');
    await plan.write('Dockerfile', 'ours\n', 'original\n');
    world.put('Dockerfile.bak', 'notes\n');
    const { files } = await undoFiles(plan.job());
    expect(files).toMatchObject([{ outcome: 'restored', backup: 'Dockerfile.bak' }]);
    expect(world.text('Dockerfile.bak')).toBe('notes\n');
  });

  it('never removes a directory with content, nor one that was there before', async () => {
    mkdirSync(join(world.root, 'deploy'));
    await plan.write('deploy/a.yaml', 'a: 1\n');
    await plan.write('k8s/b/c.yaml', 'a: 1\n');
    world.put('k8s/notes', 'mine\n');
    expect((await undoFiles(plan.job())).directories).toEqual(['k8s/b']);
    expect(world.list()).toEqual(['deploy', 'k8s', 'k8s/notes']);
  });

  it('finds what a write that failed halfway has left, in its journal', async () => {
    world.put('k8s/b.yaml', 'original\n');
    const files = [
      await world.file('deploy/a.yaml', 'a: 1\n'),
      await world.file('k8s/b.yaml', 'ours\n', 'original\n'),
      await world.file('terraform/c.tf', 'c\n'),
    ];
    const refusal = refusing('rename', '/b.yaml', 'EACCES');
    await expect(plan.attempt(files)).rejects.toMatchObject({ errno: 'EACCES' });
    refusal.mockRestore();
    expect(world.list()).toEqual(['deploy', 'deploy/a.yaml', 'k8s', 'k8s/b.yaml', 'k8s/b.yaml.bak']);
    expect(outcomes(await undoFiles(plan.job()))).toEqual({
      'deploy/a.yaml': 'deleted',
      'k8s/b.yaml': 'original',
      'terraform/c.tf': 'gone',
    });
    expect(world.list()).toEqual(['k8s', 'k8s/b.yaml']);
  });
});

describe('a clean', () => {
  it('removes what the plan made and keeps the backups', async () => {
    world.put('Dockerfile', 'original\n');
    await plan.write('Dockerfile', 'ours\n', 'original\n');
    await plan.write('k8s/a.yaml', 'a: 1\n');
    const { files, directories } = await undoFiles(plan.job({ kind: 'clean' }));
    expect(files).toMatchObject([
      { outcome: 'deleted', backup: 'Dockerfile.bak' },
      { outcome: 'deleted', backup: null },
    ]);
    expect(directories).toEqual(['k8s']);
    expect(world.list()).toEqual(['Dockerfile.bak']);
  });

  it('refuses a file that was changed since, unless told', async () => {
    await plan.write('Makefile', 'all:\n');
    world.put('Makefile', 'mine:\n');
    expect(outcomes(await undoFiles(plan.job({ kind: 'clean' })))).toEqual({ Makefile: 'changed' });
    const { files } = await undoFiles(plan.job({ kind: 'clean', overwriteChanged: true, key: 'again' }));
    expect(files).toMatchObject([{ outcome: 'deleted', kept: sha256('mine:\n') }]);
    expect(world.list()).toEqual([]);
  });
});

describe('what stands in the way is left and named', () => {
  it.each(['rollback', 'clean'] as const)(
    'a %s does not touch a symbolic link in the place of a file',
    async (kind) => {
      const victim = join(world.outside, 'victim');
      await plan.write('Makefile', 'all:\n');
      unlinkSync(join(world.root, 'Makefile'));
      writeFileSync(victim, 'all:\n');
      symlinkSync(victim, join(world.root, 'Makefile'));
      const { files } = await undoFiles(plan.job({ kind, overwriteChanged: true }));
      expect(files).toMatchObject([{ outcome: 'refused', reason: expect.stringContaining('symbolic link') }]);
      expect(readFileSync(victim, 'utf8')).toBe('all:\n');
      expect(world.list()).toEqual(['Makefile']);
    },
  );

  it('a linked parent leads nowhere, also for backups and directories', async () => {
    world.put('k8s/a.yaml', 'original\n');
    await plan.write('k8s/a.yaml', 'ours\n', 'original\n');
    await plan.write('k8s/deep/b.yaml', 'b\n');
    rmSync(join(world.root, 'k8s'), { recursive: true });
    for (const [name, text] of [
      ['a.yaml', 'ours\n'],
      ['a.yaml.bak', 'original\n'],
    ] as const)
      writeFileSync(join(world.outside, name), text);
    mkdirSync(join(world.outside, 'deep'));
    symlinkSync(world.outside, join(world.root, 'k8s'));
    const result = await undoFiles(plan.job({ overwriteChanged: true }));
    expect(outcomes(result)).toEqual({ 'k8s/a.yaml': 'refused', 'k8s/deep/b.yaml': 'refused' });
    expect((await fsp.readdir(world.outside)).sort()).toEqual(['a.yaml', 'a.yaml.bak', 'deep']);
  });

  it('a file with a second name, a directory in its place, and a .planwright that is a link', async () => {
    await plan.write('Makefile', 'all:\n');
    await plan.write('Dockerfile', 'ours\n');
    linkSync(join(world.root, 'Makefile'), join(world.outside, 'other'));
    unlinkSync(join(world.root, 'Dockerfile'));
    mkdirSync(join(world.root, 'Dockerfile'));
    expect(outcomes(await undoFiles(plan.job()))).toEqual({ Makefile: 'refused', Dockerfile: 'refused' });
    await fsp.rename(join(world.root, '.planwright'), join(world.outside, 'away'));
    symlinkSync(join(world.outside, 'away'), join(world.root, '.planwright'));
    await expect(undoFiles(plan.job())).rejects.toThrow(UnsafeTarget);
  });

  it.each([
    ['missing', (path: string) => unlinkSync(path)],
    [
      'damaged',
      (path: string) => {
        unlinkSync(path);
        writeFileSync(path, 'forged\n');
      },
    ],
  ])('an object that is %s is refused before anything is touched', async (_, damage) => {
    world.put('Dockerfile', 'original\n');
    await plan.write('Dockerfile', 'ours\n', 'original\n');
    const digest = sha256('original\n');
    damage(join(world.root, '.planwright', 'objects', digest.slice(0, 2), digest.slice(2)));
    const { files } = await undoFiles(plan.job());
    expect(files).toMatchObject([{ outcome: 'refused', error: 'Integrity', undone: 0, backup: 'Dockerfile.bak' }]);
    expect(world.text('Dockerfile')).toBe('ours\n');
    expect(world.list()).toEqual(['Dockerfile', 'Dockerfile.bak']);
  });

  it('a path that no write could have had', async () => {
    const step = { task: '1', order: 1, sha256: sha256('x'), preSha256: null, mode: '0644', backup: null };
    const files = [
      { path: '../outside', steps: [step] },
      { path: '.git/config', steps: [step] },
    ];
    const result = await undoFiles(plan.job({ files }));
    expect(outcomes(result)).toEqual({ '../outside': 'refused', '.git/config': 'refused' });
  });
});

describe('a read-only directory', () => {
  it.each([
    ['unlink', 'Makefile', 'EACCES'],
    ['rename', 'Dockerfile', 'EROFS'],
    ['rm', 'Dockerfile.bak', 'EPERM'],
  ] as const)(
    'where %s of %s is refused with %s: the rest goes on, and it works again afterwards',
    async (call, name, code) => {
      world.put('Dockerfile', 'original\n');
      await plan.write('Dockerfile', 'ours\n', 'original\n');
      await plan.write('Makefile', 'all:\n');
      await plan.write('k8s/a.yaml', 'a: 1\n');
      const refusal = refusing(call, `/${name}`, code);
      const first = await undoFiles(plan.job());
      const failed = first.files.filter(({ outcome }) => outcome === 'failed');
      expect(failed).toMatchObject([
        { path: name.replace('.bak', ''), undone: 0, reason: expect.stringContaining(code) },
      ]);
      if (name !== 'Makefile') expect(failed[0]?.backup).toBe('Dockerfile.bak');
      expect(world.list()).not.toContain('k8s');
      refusal.mockRestore();
      const second = await undoFiles(plan.job({ key: 'undo-2' }));
      expect(second.files.map(({ outcome }) => outcome)).not.toContain('failed');
      expect(world.list()).toEqual(['Dockerfile']);
      expect(world.text('Dockerfile')).toBe('original\n');
    },
  );

  const asUser = process.getuid?.() === 0 ? it.skip : it;
  asUser('in earnest: its file is left, and taken back once the permissions are mended', async () => {
    await plan.write('k8s/a.yaml', 'a: 1\n');
    await plan.write('Makefile', 'all:\n');
    chmodSync(join(world.root, 'k8s'), 0o555);
    const first = await undoFiles(plan.job());
    expect(outcomes(first)).toEqual({ 'k8s/a.yaml': 'failed', Makefile: 'deleted' });
    chmodSync(join(world.root, 'k8s'), 0o755);
    expect(outcomes(await undoFiles(plan.job({ key: 'undo-2' })))).toEqual({
      'k8s/a.yaml': 'deleted',
      Makefile: 'gone',
    });
    expect(world.list()).toEqual([]);
  });

  it('keeps a directory that cannot be removed, and says so', async () => {
    await plan.write('k8s/a.yaml', 'a: 1\n');
    const refusal = refusing('rmdir', '/k8s', 'EACCES');
    expect((await undoFiles(plan.job())).directoriesLeft).toMatchObject([
      { path: 'k8s', reason: expect.stringContaining('EACCES') },
    ]);
    refusal.mockRestore();
    expect((await undoFiles(plan.job({ key: 'undo-2' }))).directories).toEqual(['k8s']);
  });
});

it('comes before or after a write of the workspace, never in the middle of it', async () => {
  await plan.write('Makefile', 'all:\n');
  const again = [await world.file('Makefile', 'again:\n', null)];
  const [undone, written] = await Promise.all([
    undoFiles(plan.job()),
    writeArtifactFiles(world.job(again, { key: 'next' })),
  ]);
  expect(outcomes(undone)).toEqual({ Makefile: 'deleted' });
  expect(world.list()).toEqual(written.conflicts.length > 0 ? [] : ['Makefile']);
});
