import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { summarizeFacts } from '../../../activities/workspace/summary';
import { walk } from '../../../activities/workspace/walk';
import { objectsBeside, project, removeProjects, snapshotOf } from './fixture';

afterEach(removeProjects);

describe('the workspace snapshot', () => {
  it('keeps the files that match, with content and mode', async () => {
    const root = project({
      Dockerfile: 'FROM a\n',
      'api/Dockerfile': 'FROM b\n',
      'run.sh': '#!/bin/sh\n',
      'src/a.js': '',
    });
    chmodSync(join(root, 'run.sh'), 0o755);
    chmodSync(join(root, 'Dockerfile'), 0o644);
    const { files } = await snapshotOf(
      root,
      ['dockerfile', '*.sh', '.github/workflows/**'],
      ['src/a.js', 'absent.yml'],
    );
    expect(Object.keys(files)).toEqual(['Dockerfile', 'api/Dockerfile', 'run.sh', 'src/a.js']);
    expect(files.Dockerfile?.mode).toBe('0644');
    expect(files['run.sh']).toMatchObject({ mode: '0755', bytes: 10 });
    expect(await objectsBeside(root).text(files['api/Dockerfile']?.sha256 ?? '')).toBe('FROM b\n');
  });

  it('is the same for the same bytes', async () => {
    const root = project({ 'package.json': { name: 'a' }, 'b.sh': 'b', 'a.sh': 'a' });
    const [first, second] = [await snapshotOf(root, ['*.sh']), await snapshotOf(root, ['*.sh'])];
    expect(JSON.stringify(first)).toBe(JSON.stringify(second));
  });

  it('never reads secrets, also when it is asked to, and says so', async () => {
    const canary = 'sk-canary-do-not-read';
    const names = [
      ...[
        '.env',
        '.env.production',
        'prod.env',
        '.npmrc',
        '.netrc',
        'tls/server.key',
        'ca.pem',
        'id_rsa',
        'infra/terraform.tfstate',
      ],
      ...['infra/terraform.tfstate.backup', 'kubeconfig', '.docker/config.json'],
      ...[
        'deploy/kubeconfig.yaml',
        'prod-kubeconfig.yml',
        'plan.tfplan',
        'ansible/.vault_pass',
        'ansible/vault-password.txt',
      ],
    ];
    const root = project(Object.fromEntries(names.map((name) => [name, `TOKEN=${canary}\n`])));
    writeFileSync(join(root, '.env.example'), 'API_URL=\nexport TOKEN=abc\n');
    const snapshot = await snapshotOf(root, ['**'], names);
    expect(Object.keys(snapshot.files)).toEqual(['.env.example']);
    expect(snapshot.skipped?.map(({ path }) => path).sort()).toEqual([...names].sort());
    expect(snapshot.facts.envNames).toEqual(['API_URL', 'TOKEN']);
    expect(JSON.stringify(snapshot) + summarizeFacts(snapshot.facts)).not.toContain(canary);
    expect(() => execFileSync('grep', ['-r', canary, join(dirname(root), 'objects')])).toThrow();
  });

  it('follows no symbolic link, of a file, a directory or a parent', async () => {
    const outside = project({ 'secret.sh': 'outside', 'deep/secret.sh': 'outside' });
    const root = project({ 'real.sh': 'inside' });
    symlinkSync(join(outside, 'secret.sh'), join(root, 'link.sh'));
    symlinkSync(join(outside, 'deep'), join(root, 'folder'));
    const snapshot = await snapshotOf(
      root,
      ['*.sh'],
      ['link.sh', 'folder/secret.sh', '../shop/real.sh', '/etc/passwd'],
    );
    expect(Object.keys(snapshot.files)).toEqual(['real.sh']);
    expect(snapshot.skipped).toEqual([
      { path: '../shop/real.sh', reason: 'outside the workspace' },
      { path: '/etc/passwd', reason: 'outside the workspace' },
      { path: 'folder/secret.sh', reason: 'behind a symbolic link' },
      { path: 'link.sh', reason: 'behind a symbolic link' },
    ]);
  });

  it('does not wait on a named pipe', async () => {
    const root = project({});
    execFileSync('mkfifo', [join(root, 'pipe.sh')]);
    const snapshot = await snapshotOf(root, ['*.sh'], ['pipe.sh']);
    expect(snapshot.skipped).toEqual([{ path: 'pipe.sh', reason: 'not a regular file' }]);
  });

  it('lists a file that is too large', async () => {
    const root = project({ 'big.sh': 'x'.repeat(1024 * 1024 + 1), 'fits.sh': 'x'.repeat(1024 * 1024) });
    const { files, skipped } = await snapshotOf(root, ['*.sh']);
    expect(Object.keys(files)).toEqual(['fits.sh']);
    expect(skipped).toEqual([{ path: 'big.sh', reason: 'larger than 1 MiB' }]);
  });

  it('looks into nothing that tools made, and reads it when it is named', async () => {
    const root = project({
      'node_modules/a/x.sh': '',
      'vendor/x.sh': '',
      '.venv/x.sh': '',
      'env3/pyvenv.cfg': '',
      'env3/x.sh': '',
      'build/x.sh': '',
    });
    expect(Object.keys((await snapshotOf(root, ['*.sh'], ['build/x.sh'])).files)).toEqual(['build/x.sh']);
  });

  it('heeds .gitignore for facts, and still sees an ignored file that a skill would write', async () => {
    const root = project({
      '.gitignore': '# local\n/generated/\n*.local.js\nMakefile\n!keep.local.js\n',
      'package.json': { name: 'a', private: true, scripts: { start: 'node a.js' } },
      'generated/a.js': 'process.env.GENERATED',
      'x.local.js': 'process.env.LOCAL',
      'keep.local.js': 'process.env.KEPT',
      'src/generated/a.js': 'process.env.DEEPER',
      Makefile: 'a:\n',
    });
    const snapshot = await snapshotOf(root, ['Makefile']);
    expect(snapshot.facts.envNames).toEqual(['DEEPER', 'KEPT']);
    expect(Object.keys(snapshot.files)).toEqual(['Makefile']);
  });

  it('stops at its limits, and says so', async () => {
    const root = project({ 'a.sh': '', 'b.sh': '', 'c.sh': '' });
    expect(await walk(root, 2)).toMatchObject({ files: ['a.sh', 'b.sh'], truncated: true });
    const deep = Array.from({ length: 14 }, () => 'd').join('/');
    mkdirSync(join(root, deep), { recursive: true });
    writeFileSync(join(root, deep, 'e.sh'), '');
    const snapshot = await snapshotOf(root, ['*.sh']);
    expect(Object.keys(snapshot.files)).toEqual(['a.sh', 'b.sh', 'c.sh']);
    expect(snapshot.skipped?.[0]?.path).toBe('.');
  });
});

describe('the summary of facts', () => {
  it('is compact YAML with the name first and nothing that is absent', async () => {
    const root = project({
      'package.json': {
        name: 'a',
        private: true,
        scripts: { test: 'jest', evil: `x\nname: other ${'y'.repeat(900)}` },
      },
    });
    const text = summarizeFacts((await snapshotOf(root)).facts);
    expect(text.startsWith('name: a\nlanguage: node\n')).toBe(true);
    expect(text).toContain('test: npm test (package.json scripts.test)\n');
    expect(text).not.toContain('healthPath');
    expect(text).not.toMatch(/^name: other/m);
    expect(text.length).toBeLessThan(1000);
  });
});
