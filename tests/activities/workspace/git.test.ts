import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readGitFacts, readGitHead, withoutCredentials } from '../../../activities/workspace/git';
import { project, removeProjects } from './fixture';

afterEach(removeProjects);

const hash = 'a'.repeat(40);
const other = 'b'.repeat(40);

describe('git facts, read as plain files', () => {
  it('take the default branch from origin/HEAD and the remote without its credentials', async () => {
    const root = project({
      '.git/HEAD': 'ref: refs/heads/feature/x\n',
      '.git/refs/heads/feature/x': `${hash}\n`,
      '.git/refs/remotes/origin/HEAD': 'ref: refs/remotes/origin/trunk\n',
      '.git/config':
        '[core]\n\tbare = false\n[remote "origin"]\n\tfetch = +refs/heads/*:x\n\turl = https://me:ghp_secret@example.org/a/b.git\n',
    });
    expect(await readGitFacts(root)).toEqual({ defaultBranch: 'trunk', gitRemote: 'https://example.org/a/b.git' });
    expect(await readGitHead(root)).toBe(hash);
  });

  it('find a packed ref, and prefer main to the branch at hand', async () => {
    const root = project({
      '.git/HEAD': 'ref: refs/heads/work\n',
      '.git/packed-refs': `# pack-refs with: peeled\n${hash} refs/heads/work\n${other} refs/heads/main\n^${hash}\n`,
    });
    expect(await readGitHead(root)).toBe(hash);
    expect((await readGitFacts(root)).defaultBranch).toBe('main');
  });

  it('know the branch of a repository without a commit, and no head', async () => {
    const root = project({ '.git/HEAD': 'ref: refs/heads/develop\n' });
    expect(await readGitHead(root)).toBeNull();
    expect((await readGitFacts(root)).defaultBranch).toBe('develop');
  });

  it('follow the file of a linked worktree to its repository', async () => {
    const main = project({
      '.git/HEAD': 'ref: refs/heads/main\n',
      '.git/refs/heads/main': `${other}\n`,
      '.git/refs/heads/side': `${hash}\n`,
    });
    const own = join(main, '.git/worktrees/side');
    mkdirSync(own, { recursive: true });
    writeFileSync(join(own, 'HEAD'), 'ref: refs/heads/side\n');
    writeFileSync(join(own, 'commondir'), '../..\n');
    const root = project({ '.git': `gitdir: ${own}\n` });
    expect(await readGitHead(root)).toBe(hash);
    expect((await readGitFacts(root)).defaultBranch).toBe('main');
  });

  it('take a detached head, and refuse a ref that leads out of the repository', async () => {
    expect(await readGitHead(project({ '.git/HEAD': `${hash}\n` }))).toBe(hash);
    expect(await readGitHead(project({ '.git/HEAD': 'ref: refs/../../x\n', x: `${hash}\n` }))).toBeNull();
    expect(await readGitHead(project({}))).toBeNull();
  });

  it.each([
    ['https://token@host/a.git', 'https://host/a.git'],
    ['https://u:p@ss@host/a.git?token=x', 'https://host/a.git'],
    ['git@host:a/b.git', 'git@host:a/b.git'],
    ['ssh://git:pw@host/a', 'ssh://host/a'],
  ])('show the remote %s as %s', (url, shown) => {
    expect(withoutCredentials(url)).toBe(shown);
  });
});
