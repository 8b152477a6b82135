import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ModelServer, startModelServer } from '../support/model-server';
import { Installation, useInstallation } from './installation';

const GOAL = 'Set up CI/CD with GitHub Actions, a Dockerfile and docker-compose for this Node.js app';

/** The workshop of the seed, as far as it goes without a rollback, in a git repository with a model that counts its calls. */
describe('preview, target and replay with a model, in a git repository', () => {
  let model: ModelServer;
  const traps = mkdtempSync(join(tmpdir(), 'planwright-e2e-traps-'));
  const installation = useInstallation(async () => {
    model = await startModelServer({ apiKey: 'sk-test' });
    return new Installation({ OPENAI_API_KEY: 'sk-test', OPENAI_BASE_URL: model.url });
  });
  afterAll(async () => {
    await model?.close();
    rmSync(traps, { recursive: true, force: true });
  });

  const git = (...args: string[]): string =>
    execFileSync('git', ['-c', 'core.fsmonitor=false', '-c', 'user.name=t', '-c', 'user.email=t@t', ...args], {
      cwd: installation().workspace,
      encoding: 'utf8',
    });
  const put = (path: string, content: string): void => writeFileSync(join(installation().workspace, path), content);
  const shown = (before: { [path: string]: string }): { [path: string]: string } =>
    Object.fromEntries(Object.entries(installation().files()).filter(([path, text]) => before[path] !== text));
  let untouched: { [path: string]: string };

  it('previews right after init, with nothing committed of planwright, and writes nothing', async () => {
    git('init', '-q', '-b', 'main');
    put('Dockerfile', 'FROM node:18\n');
    git('add', '-A');
    git('commit', '-qm', 'first');
    await installation().ok(['init']);
    await installation().ok(['plan', GOAL]);
    untouched = installation().files();
    const { code, stdout } = await installation().run(['apply', '--dry-run', '--detailed-exitcode']);
    expect(code).toBe(2);
    expect(stdout).toContain('Would create: .github/workflows/ci.yml');
    expect(stdout).toContain('Would modify: Dockerfile');
    expect(stdout).toContain('backup Dockerfile.bak');
    expect(stdout).toContain('-FROM node:18');
    expect(installation().files()).toEqual(untouched);
    expect(model.calls).toHaveLength(4);
  });

  it('shows the same again, from the object store', async () => {
    const { stdout, code } = await installation().run(['plan', 'diff', '--detailed-exitcode']);
    expect(code).toBe(2);
    expect(stdout).toContain('-FROM node:18');
    expect(model.calls).toHaveLength(4);
  });

  it('refuses a dirty tree, and does not start what the repository names', async () => {
    const marker = join(traps, 'ran');
    const trap = join(traps, 'trap.sh');
    writeFileSync(trap, `#!/bin/sh\ntouch '${marker}'\n`, { mode: 0o755 });
    git('config', 'core.fsmonitor', trap);
    untouched = installation().files();
    put('notes.txt', 'mine\n');
    const { code, stderr } = await installation().run(['apply', '--yes']);
    expect(code).toBe(5);
    expect(stderr).toContain('notes.txt');
    expect(stderr).toContain('--allow-dirty');
    expect(existsSync(marker)).toBe(false);
    rmSync(join(installation().workspace, 'notes.txt'));
    expect(installation().files()).toEqual(untouched);
  });

  it('refuses a stale artifact and names it', async () => {
    put('Dockerfile', 'FROM node:20\n');
    const { code, stderr } = await installation().run(['apply', '--yes', '--allow-dirty']);
    expect(code).toBe(5);
    expect(stderr).toMatch(/stale[\s\S]*Dockerfile[\s\S]*--refresh/);
    put('Dockerfile', 'FROM node:18\n');
    expect(model.calls).toHaveLength(4);
  });

  it('writes a part of it with no further call, exactly the bytes that were shown', async () => {
    const dry = await installation().view();
    const { stderr } = await installation().ok(['apply', '--yes', '--only', '2']);
    expect(stderr).toContain('This run takes task 2; 2 other tasks stay as they are.');
    await installation().ok(['apply', '--yes']);
    expect(model.calls).toHaveLength(4);
    const view = await installation().view();
    expect(view.status).toBe('completed');
    for (const [id, task] of Object.entries(view.tasks)) {
      expect(task.files.map(({ path, sha256 }) => [path, sha256])).toEqual(
        dry.tasks[id]?.files.map(({ path, sha256 }) => [path, sha256]),
      );
    }
    expect(installation().files()['Dockerfile.bak']).toBe('FROM node:18\n');
    expect(Object.keys(shown(untouched))).toContain('docker-compose.yml');
  });

  it('takes its own uncommitted files for no dirt, and makes one task anew', async () => {
    await installation().ok(['apply', '--task', '2', '--instruct', 'use Alpine', '--yes']);
    expect(model.calls).toHaveLength(5);
    expect(model.calls.at(-1)?.user).toContain('use Alpine');
    const { stdout } = await installation().ok(['plan', 'show', '--task', '2']);
    expect(stdout).toMatch(/Revision 2 +use Alpine/);
    expect(installation().files()['Dockerfile.bak']).toBe('FROM node:18\n');
    await installation().ok(['plan', 'diff', '--task', '2', '--attempts', '1,2']);
  });

  it('writes the record again without a call, and replays it with one call for each task', async () => {
    const before = installation().files();
    rmSync(join(installation().workspace, 'docker-compose.yml'));
    await installation().ok(['apply', '--replay', '--recorded', '--yes']);
    expect(installation().files()).toEqual(before);
    expect(model.calls).toHaveLength(5);
    const { code, stderr, stdout } = await installation().run(['apply', '--replay', '--yes']);
    expect(model.calls).toHaveLength(8);
    expect(model.calls.at(-1)?.body.temperature).toBe(0);
    expect(stderr).toContain('✓ provider: openai');
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Every byte is the recorded one.'),
    });
  });

  it('refuses a replay with another model, by flag and by environment, and shows expected and actual', async () => {
    for (const options of [{ args: ['--model', 'other'] }, { args: [], env: { PLANWRIGHT_MODEL: 'other' } }]) {
      const { code, stderr } = await installation().run(['apply', '--replay', '--yes', ...options.args], options);
      expect(code).toBe(5);
      expect(stderr).toContain('! model: expected gpt-4o, actual other');
    }
    expect(model.calls).toHaveLength(8);
  });
});
