import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { mkdir, rename, symlink, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { asWrite, PathRefused, UnsafeTarget } from '../../../activities/files/errors';
import { writeArtifactFiles } from '../../../activities/files/writer';
import { sha256 } from '../../../plan/digest';
import { World } from './support/world';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.remove());

describe('writing the files of a task', () => {
  it('creates, modifies and leaves alone, and says which', async () => {
    world.put('Dockerfile', 'old\n', 0o600);
    world.put('Makefile', 'same\n');
    const files = [
      await world.file('.github/workflows/ci.yml', 'on: push\n'),
      await world.file('Dockerfile', 'new\n', 'old\n', '0600'),
      await world.file('Makefile', 'same\n', 'same\n'),
      await world.file('scripts/run.sh', '#!/bin/sh\n', null, '0755'),
    ];
    const result = await writeArtifactFiles(world.job(files));
    expect(result.conflicts).toEqual([]);
    expect(result.files.map(({ path, action, backup }) => ({ path, action, backup }))).toEqual([
      { path: '.github/workflows/ci.yml', action: 'create', backup: null },
      { path: 'Dockerfile', action: 'modify', backup: 'Dockerfile.bak' },
      { path: 'Makefile', action: 'unchanged', backup: null },
      { path: 'scripts/run.sh', action: 'create', backup: null },
    ]);
    expect(result.madeDirectories).toEqual(['.github', '.github/workflows', 'scripts']);
    expect([world.text('Dockerfile'), world.text('Dockerfile.bak')]).toEqual(['new\n', 'old\n']);
    expect([world.mode('Dockerfile'), world.mode('Dockerfile.bak'), world.mode('scripts/run.sh')]).toEqual([
      0o600, 0o600, 0o755,
    ]);
    expect((await world.objects.get(sha256('old\n'))).toString()).toBe('old\n');
    expect(world.list().filter((path) => path.includes('tmp'))).toEqual([]);
  });

  it('again is a success with the same answer, and never touches the backup', async () => {
    world.put('Dockerfile', 'old\n');
    const files = [await world.file('Dockerfile', 'new\n', 'old\n'), await world.file('k8s/a/x.yaml', 'a: 1\n')];
    const first = await writeArtifactFiles(world.job(files));
    expect(await writeArtifactFiles(world.job(files))).toEqual(first);
    expect(world.text('Dockerfile.bak')).toBe('old\n');
    expect(world.list()).toEqual(['Dockerfile', 'Dockerfile.bak', 'k8s', 'k8s/a', 'k8s/a/x.yaml']);
  });

  it('two writers at once come to one result', async () => {
    world.put('Dockerfile', 'old\n');
    const files = [await world.file('Dockerfile', 'new\n', 'old\n'), await world.file('k8s/x.yaml', 'a: 1\n')];
    const [a, b, c] = await Promise.all([1, 2, 3].map(() => writeArtifactFiles(world.job(files))));
    expect(b).toEqual(a);
    expect(c).toEqual(a);
    expect(a?.madeDirectories).toEqual(['k8s']);
    expect(world.text('Dockerfile.bak')).toBe('old\n');
    expect(world.list()).toEqual(['Dockerfile', 'Dockerfile.bak', 'k8s', 'k8s/x.yaml']);
  });

  it('two plans that want one file: the first gets it, the other has a conflict', async () => {
    world.put('Dockerfile', 'old\n');
    const contents = ['a\n', 'b\n', 'c\n'];
    const jobs = await Promise.all(
      contents.map(async (text) => world.job([await world.file('Dockerfile', text, 'old\n')], { key: text })),
    );
    const results = await Promise.all(jobs.map(writeArtifactFiles));
    const winners = contents.filter((_, at) => results[at]?.conflicts.length === 0);
    expect(winners).toEqual([world.text('Dockerfile')]);
    expect(results.filter(({ conflicts }) => conflicts[0] === 'Dockerfile')).toHaveLength(2);
    expect(world.list()).toEqual(['Dockerfile', 'Dockerfile.bak']);
  });

  it('never touches a .bak that was there before, not even one with the same bytes', async () => {
    world.put('Dockerfile', 'old\n');
    world.put('Dockerfile.bak', 'mine\n');
    symlinkSync('/nowhere', join(world.root, 'Dockerfile.bak.1'));
    world.put('Makefile', 'm\n');
    world.put('Makefile.bak', 'm\n');
    const files = [await world.file('Dockerfile', 'new\n', 'old\n'), await world.file('Makefile', 'n\n', 'm\n')];
    const { files: written } = await writeArtifactFiles(world.job(files));
    expect(written.map(({ backup }) => backup)).toEqual(['Dockerfile.bak.2', 'Makefile.bak.1']);
    expect([world.text('Dockerfile.bak'), world.text('Dockerfile.bak.2')]).toEqual(['mine\n', 'old\n']);
  });

  it('keeps the backup of an earlier run of the plan: our own output does not become the original', async () => {
    world.put('Dockerfile', 'original\n');
    await writeArtifactFiles(world.job([await world.file('Dockerfile', 'first\n', 'original\n')]));
    await writeArtifactFiles(world.job([await world.file('Makefile', 'made\n')], { key: 'x' }));
    const files = [
      await world.file('Dockerfile', 'second\n', 'first\n'),
      await world.file('Makefile', 'more\n', 'made\n'),
    ];
    const known = { Dockerfile: 'Dockerfile.bak', Makefile: null };
    const result = await writeArtifactFiles(world.job(files, { key: 'run-2', keepBackup: known }));
    expect(result.files.map(({ action, backup }) => [action, backup])).toEqual([
      ['modify', 'Dockerfile.bak'],
      ['modify', null],
    ]);
    expect(world.text('Dockerfile.bak')).toBe('original\n');
    expect(world.list()).toEqual(['Dockerfile', 'Dockerfile.bak', 'Makefile']);
    expect(await world.objects.has(sha256('first\n'))).toBe(true);
  });

  it('gives an unchanged file the mode that was approved', async () => {
    world.put('scripts/x.sh', 'a\n', 0o644);
    await writeArtifactFiles(world.job([await world.file('scripts/x.sh', 'a\n', 'a\n', '0755')]));
    expect(world.mode('scripts/x.sh')).toBe(0o755);
  });
});

describe('T26: the base is compared again in the write', () => {
  it('one changed file is a conflict for the whole task, and nothing is written', async () => {
    world.put('Dockerfile', 'edited since\n');
    const files = [await world.file('Makefile', 'm\n'), await world.file('Dockerfile', 'new\n', 'old\n')];
    expect(await writeArtifactFiles(world.job(files))).toEqual({
      files: [],
      conflicts: ['Dockerfile'],
      madeDirectories: [],
    });
    expect(world.list()).toEqual(['Dockerfile']);
  });
  it('so is a file that appeared, and one that vanished', async () => {
    world.put('Makefile', 'appeared\n');
    const files = [await world.file('Makefile', 'm\n'), await world.file('k8s/x.yaml', 'new\n', 'old\n')];
    expect((await writeArtifactFiles(world.job(files))).conflicts).toEqual(['Makefile', 'k8s/x.yaml']);
    expect(world.text('Makefile')).toBe('appeared\n');
  });
  it('a retry names what was in place already when a person has edited another file since', async () => {
    world.put('Dockerfile', 'old\n');
    const files = [await world.file('Makefile', 'm\n'), await world.file('Dockerfile', 'new\n', 'old\n')];
    await writeArtifactFiles(world.job(files));
    world.put('Dockerfile', 'a person was here\n');
    const again = await writeArtifactFiles(world.job(files));
    expect(again.conflicts).toEqual(['Dockerfile']);
    expect(again.files.map(({ path }) => path)).toEqual(['Makefile']);
    expect(world.list()).toEqual(['Dockerfile', 'Makefile']);
  });
});

describe('T03: links are not followed', () => {
  it.each(['deploy/x.yaml', 'deploy/a/x.yaml'])('a linked parent of %s is refused', async (path) => {
    symlinkSync(world.outside, join(world.root, 'deploy'));
    await expect(writeArtifactFiles(world.job([await world.file(path, 'x')]))).rejects.toThrow(UnsafeTarget);
    expect(readdirSync(world.outside)).toEqual([]);
  });
  it.each([null, 'bash\n'])('a linked target is refused (base %j)', async (before) => {
    const victim = join(world.outside, '.bashrc');
    writeFileSync(victim, 'bash\n');
    symlinkSync(victim, join(world.root, 'Dockerfile'));
    const files = [await world.file('Makefile', 'm'), await world.file('Dockerfile', 'x', before)];
    await expect(writeArtifactFiles(world.job(files))).rejects.toThrow(/Dockerfile is a symbolic link/);
    expect(readFileSync(victim, 'utf8')).toBe('bash\n');
    expect(world.list()).toEqual(['Dockerfile']);
  });
  it('a link that points nowhere is refused too', async () => {
    symlinkSync(join(world.outside, 'new'), join(world.root, 'Dockerfile'));
    await expect(writeArtifactFiles(world.job([await world.file('Dockerfile', 'x')]))).rejects.toThrow(UnsafeTarget);
    expect(readdirSync(world.outside)).toEqual([]);
  });
  const onLinux = process.platform === 'linux' ? it : it.skip;
  onLinux('a parent that is exchanged for a link while we write leads nowhere', async () => {
    const deploy = join(world.root, 'deploy');
    const passOver = () => undefined;
    let over = false;
    const exchange = (async () => {
      for (let at = 0; !over; at++) {
        await mkdir(deploy).catch(passOver);
        await rename(deploy, join(world.root, `away${at}`)).catch(passOver);
        await symlink(world.outside, deploy).catch(passOver);
        await unlink(deploy).catch(passOver);
      }
    })();
    for (let at = 0; at < 40; at++) {
      const files = [await world.file(`deploy/${at}.yaml`, 'x'), await world.file(`deploy/sub${at}/x.yaml`, 'x')];
      await writeArtifactFiles(world.job(files, { key: `${at}` })).catch(() => undefined);
    }
    over = true;
    await exchange;
    expect(readdirSync(world.outside)).toEqual([]);
  });
  it('a .planwright that is a link is refused', async () => {
    symlinkSync(world.outside, join(world.root, '.planwright'));
    const files = [await world.file('Makefile', 'm')];
    await expect(writeArtifactFiles(world.job(files))).rejects.toThrow(UnsafeTarget);
    expect(readdirSync(world.outside)).toEqual(['objects']);
  });
  it('a directory, a pipe and a file in the way are refused without hanging', async () => {
    mkdirSync(join(world.root, 'Makefile'));
    execFileSync('mkfifo', [join(world.root, 'Dockerfile')]);
    world.put('k8s', 'a file');
    for (const path of ['Makefile', 'Dockerfile', 'k8s/x.yaml']) {
      await expect(writeArtifactFiles(world.job([await world.file(path, 'x')]))).rejects.toThrow(UnsafeTarget);
    }
  });
});

describe('T04: hard links', () => {
  it('a target with another name is refused, and the other name keeps its bytes', async () => {
    const other = join(world.outside, 'other');
    writeFileSync(other, 'old\n');
    linkSync(other, join(world.root, 'Dockerfile'));
    const files = [await world.file('Dockerfile', 'new\n', 'old\n')];
    await expect(writeArtifactFiles(world.job(files))).rejects.toThrow(/2 names/);
    unlinkSync(join(world.root, 'Dockerfile'));
    expect(readFileSync(other, 'utf8')).toBe('old\n');
  });
});

describe('T01, T02, T05, T06, T14: refused before anything is touched', () => {
  it.each(['../x', '/etc/x', '.git/hooks/x', '.GIT/x', 'README.md', '.npmrc'])('%j', async (path) => {
    const files = [await world.file('Makefile', 'm'), await world.file(path, 'x')];
    await expect(writeArtifactFiles(world.job(files))).rejects.toThrow(PathRefused);
    expect(world.list()).toEqual([]);
  });
  it('allow-all-paths lifts the allowlist alone', async () => {
    const lifted = { allowAllPaths: true };
    await writeArtifactFiles(world.job([await world.file('README.md', 'x')], lifted));
    expect(world.text('README.md')).toBe('x');
    await expect(writeArtifactFiles(world.job([await world.file('.npmrc', 'x')], lifted))).rejects.toThrow(PathRefused);
  });
  it('two paths equal but for case', async () => {
    const files = [await world.file('Dockerfile', 'x'), await world.file('dockerfile', 'y')];
    await expect(writeArtifactFiles(world.job(files))).rejects.toThrow(/only by case/);
  });
  it('more or larger files than the policy allows', async () => {
    const files = [await world.file('Dockerfile', 'xx'), await world.file('Makefile', 'y')];
    const limits = { fileBytes: 1, filesPerTask: 1 };
    await expect(writeArtifactFiles(world.job(files, { limits }))).rejects.toThrow(
      /fileBytes allows 1(.|\n)*filesPerTask allows 1/,
    );
  });
  it('a mode with more than permission bits', async () => {
    const files = [await world.file('Makefile', 'm', null, '4755')];
    await expect(writeArtifactFiles(world.job(files))).rejects.toThrow(/mode 4755/);
  });
});

describe('errors that say what to do', () => {
  it('a key that is used for other files is refused', async () => {
    await writeArtifactFiles(world.job([await world.file('Makefile', 'm')]));
    await expect(writeArtifactFiles(world.job([await world.file('Dockerfile', 'd')]))).rejects.toMatchObject({
      name: 'JournalMismatch',
      retryable: false,
    });
  });
  it('a missing object stops it before the first file', async () => {
    const missing = { ...(await world.file('Dockerfile', 'd')), sha256: sha256('never stored') };
    await expect(writeArtifactFiles(world.job([await world.file('Makefile', 'm'), missing]))).rejects.toThrow(
      /missing/,
    );
    expect(world.list()).toEqual([]);
  });
  it('says of each error of the system whether it may pass', async () => {
    const failing = (code: string) =>
      asWrite('Dockerfile', () => Promise.reject(Object.assign(new Error(code), { code })));
    for (const errno of ['ENOSPC', 'EIO', 'EMFILE'])
      await expect(failing(errno)).rejects.toMatchObject({ errno, retryable: true });
    for (const errno of ['EACCES', 'EROFS', 'EPERM'])
      await expect(failing(errno)).rejects.toMatchObject({ errno, retryable: false });
    await expect(failing('ENOSPC')).rejects.toThrow('Could not write Dockerfile: ENOSPC.');
    await expect(failing('ERR_OUR_BUG')).rejects.not.toHaveProperty('retryable');
  });
  const asUser = process.getuid?.() === 0 ? it.skip : it;
  asUser('a directory without permission is a lasting failure with advice', async () => {
    mkdirSync(join(world.root, 'k8s'));
    chmodSync(join(world.root, 'k8s'), 0o555);
    await expect(writeArtifactFiles(world.job([await world.file('k8s/x.yaml', 'm')]))).rejects.toMatchObject({
      name: 'WriteFailed',
      errno: 'EACCES',
      retryable: false,
      advice: expect.stringContaining('permission'),
    });
    chmodSync(join(world.root, 'k8s'), 0o755);
  });
});
