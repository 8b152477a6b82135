import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { saveJournal } from '../../../activities/files/journal';
import { dirtyPaths, statusPaths } from '../../../activities/workspace/dirty';
import { sha256 } from '../../../plan/digest';
import { project, removeProjects } from './fixture';

afterEach(removeProjects);

const git = (root: string, ...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', ...args], {
    cwd: root,
    encoding: 'utf8',
    stdio: 'pipe',
  });

const PROJECT = { 'README.md': 'hello\n', 'src/app.js': '1\n', '.gitignore': 'node_modules\n' };

function repository(files: { [path: string]: string } = PROJECT): string {
  const root = project(files);
  git(root, 'init', '-q', '-b', 'main');
  git(root, 'add', '-A');
  git(root, 'commit', '-qm', 'first');
  return root;
}

const dirty = async (root: string): Promise<string[]> => {
  const { dirty: paths, gitFault } = await dirtyPaths(root, process.env);
  expect(gitFault).toBeNull();
  return paths;
};

const wrote = (root: string, path: string, content: string, base: string | null, backup: string | null = null) =>
  saveJournal(root, `key of ${path}`, { artifact: '', backups: new Map([[path, backup]]), madeDirectories: [] }, [
    {
      path,
      sha256: sha256(content),
      bytes: content.length,
      preSha256: base === null ? null : sha256(base),
      mode: '0644',
    },
  ]);

describe('the git working tree', () => {
  it('is clean after a commit, and what git ignores or planwright made for itself does not count', async () => {
    const root = repository();
    expect(await dirty(root)).toEqual([]);
    mkdirSync(join(root, '.planwright'));
    writeFileSync(join(root, '.planwright/config.yaml'), 'version: 1\n');
    mkdirSync(join(root, 'node_modules'));
    writeFileSync(join(root, 'node_modules/x'), '');
    expect(await dirty(root)).toEqual([]);
  });

  it('is dirty with a changed, a deleted, a staged, a renamed and an untracked file, whatever their names', async () => {
    const root = repository({ ...PROJECT, gone: '', 'old name': 'a long enough content to be a rename\n' });
    writeFileSync(join(root, 'README.md'), 'changed\n');
    rmSync(join(root, 'gone'));
    writeFileSync(join(root, 'staged'), '');
    git(root, 'add', 'staged');
    git(root, 'mv', 'old name', 'new name');
    mkdirSync(join(root, 'a b'));
    writeFileSync(join(root, 'a b/é\n"x'), '');
    expect(await dirty(root)).toEqual(['README.md', 'a b/é\n"x', 'gone', 'new name', 'old name', 'staged']);
  });

  it('is not dirty with a file that holds what a plan wrote or backed up, and is with any other bytes there', async () => {
    const root = repository();
    await wrote(root, 'Dockerfile', 'FROM node\n', null);
    await wrote(root, 'README.md', 'ours\n', 'hello\n', 'README.md.bak');
    writeFileSync(join(root, 'Dockerfile'), 'FROM node\n');
    writeFileSync(join(root, 'README.md'), 'ours\n');
    writeFileSync(join(root, 'README.md.bak'), 'hello\n');
    expect(await dirty(root)).toEqual([]);
    writeFileSync(join(root, 'Dockerfile'), 'FROM mine\n');
    writeFileSync(join(root, 'README.md.bak'), 'other\n');
    expect(await dirty(root)).toEqual(['Dockerfile', 'README.md.bak']);
  });

  it('concerns a workspace inside a larger repository only below its own folder', async () => {
    const root = repository({ ...PROJECT, 'service/a': '1' });
    writeFileSync(join(root, 'README.md'), 'changed\n');
    expect(await dirty(join(root, 'service'))).toEqual([]);
    writeFileSync(join(root, 'service/a'), '2');
    expect(await dirty(join(root, 'service'))).toEqual(['a']);
  });

  it('is no matter without a repository or without git', async () => {
    expect(await dirty(project({ a: '' }))).toEqual([]);
    const root = repository();
    writeFileSync(join(root, 'README.md'), 'changed\n');
    expect(await dirtyPaths(root, { PATH: join(root, 'nothing') })).toEqual({ dirty: [], gitFault: null });
  });

  it('says what git said where git cannot tell', async () => {
    const root = repository();
    writeFileSync(join(root, '.git/index'), 'broken');
    expect((await dirtyPaths(root, process.env)).gitFault).toMatch(/index/);
  });
});

/** T34: each line of the configuration names a program that git would start when somebody looks at the state. */
describe('a hostile repository', () => {
  const hostile = (): { root: string; marker: string; started(): string[] } => {
    const root = repository({
      ...PROJECT,
      '.gitattributes': '*.js filter=evil diff=evil\n*.bin filter=evil.two\n*.txt filter=a=b\n',
      'x.bin': '1',
      'x.txt': '1',
    });
    const outside = project({});
    const marker = (name: string): string => join(outside, name);
    const script = (name: string): string => {
      const path = join(outside, `${name}.sh`);
      writeFileSync(path, `#!/bin/sh\necho ran >> '${marker(name)}.marker'\ncat 2>/dev/null\n`);
      chmodSync(path, 0o755);
      return path;
    };
    const config: [string, string][] = [
      ['core.fsmonitor', script('fsmonitor')],
      ['core.pager', script('pager')],
      ['core.sshCommand', script('ssh')],
      ['core.editor', script('editor')],
      ['diff.external', script('external')],
      ['diff.evil.command', script('diff-command')],
      ['diff.evil.textconv', script('textconv')],
      ['filter.evil.clean', script('clean')],
      ['filter.evil.smudge', script('smudge')],
      ['filter.evil.required', 'true'],
      ['filter.evil.two.process', script('process')],
      ['filter.a=b.clean', script('named')],
      ['core.hooksPath', join(outside, 'hooks')],
      ['core.alternateRefsCommand', script('alternate')],
      ['status.submoduleSummary', 'true'],
    ];
    for (const [name, value] of config) git(root, 'config', name, value);
    mkdirSync(join(outside, 'hooks'));
    for (const hook of ['post-index-change', 'pre-commit', 'fsmonitor-watchman', 'post-checkout']) {
      writeFileSync(join(outside, 'hooks', hook), `#!/bin/sh\ntouch '${marker(hook)}.marker'\n`, { mode: 0o755 });
    }
    // The same size and another time: git has to look at the content, by way of the filter.
    writeFileSync(join(root, 'src/app.js'), '2\n');
    writeFileSync(join(root, 'x.bin'), '2');
    writeFileSync(join(root, 'x.txt'), '2');
    return { root, marker: outside, started: () => readdirSync(outside).filter((name) => name.endsWith('.marker')) };
  };

  it('starts nothing when it is looked at, though a plain git status does', async () => {
    const { root, started } = hostile();
    expect((await dirtyPaths(root, process.env)).dirty).toEqual(['src/app.js', 'x.bin', 'x.txt']);
    expect(started()).toEqual([]);
    try {
      git(root, 'status');
    } catch {
      // What it starts is enough.
    }
    const plain = ['fsmonitor.marker', 'clean.marker', 'named.marker'];
    expect(started()).toEqual(expect.arrayContaining(plain));
  });

  it('starts nothing of a submodule, nor a git that lies in the workspace', async () => {
    const { root, started, marker } = hostile();
    const inner = hostile();
    execFileSync(
      'git',
      ['-c', 'protocol.file.allow=always', 'clone', '-q', '--no-checkout', inner.root, join(root, 'sub')],
      {
        stdio: 'pipe',
      },
    );
    git(join(root, 'sub'), 'config', 'core.fsmonitor', join(marker, 'fsmonitor.sh'));
    execFileSync('git', ['-c', 'core.fsmonitor=false', 'add', 'sub'], { cwd: root, stdio: 'pipe' });
    for (const name of started()) rmSync(join(marker, name));
    writeFileSync(join(root, 'git'), `#!/bin/sh\ntouch '${marker}/fake-git.marker'\n`, { mode: 0o755 });
    await dirtyPaths(root, { ...process.env, PATH: `.:${process.env.PATH}` });
    expect(started()).toEqual([]);
    expect(inner.started()).toEqual([]);
    expect(existsSync(join(marker, 'fake-git.marker'))).toBe(false);
  });

  it('gets no variable of the caller that would turn git elsewhere', async () => {
    const root = repository();
    const other = repository({ a: '1' });
    writeFileSync(join(other, 'a'), '2');
    const env = { ...process.env, GIT_DIR: join(other, '.git'), GIT_WORK_TREE: other, GIT_EXTERNAL_DIFF: 'x' };
    expect((await dirtyPaths(root, env)).dirty).toEqual([]);
  });
});

describe('the output of git status', () => {
  it('is read with renames, conflicts and spaces', () => {
    const hash = 'a'.repeat(40);
    const output = [
      '# branch.oid x',
      `1 .M N... 100644 100644 100644 ${hash} ${hash} a b`,
      `2 R. N... 100644 100644 100644 ${hash} ${hash} R100 new name`,
      'old name',
      `u UU N... 100644 100644 100644 100644 ${hash} ${hash} ${hash} both`,
      '? un tracked',
      '',
    ].join('\0');
    expect(statusPaths(output)).toEqual(['a b', 'new name', 'old name', 'both', 'un tracked']);
  });
});
