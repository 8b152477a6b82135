/** Permissions in earnest: root is above them, so as root the rollback runs in a child that is nobody. */
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { UndoJob } from '../../../activities/files/undo';
import type { UndoResult } from '../../../plan/steps';
import { compileRooms, REPOSITORY } from './support/compiled';
import { History } from './support/history';
import { World } from './support/world';

jest.setTimeout(120_000);

const root = process.getuid?.() === 0;
const nobody = 65_534;

let compiled: string;
let world: World;
let plan: History;
beforeAll(() => {
  compiled = compileRooms(['plan', 'store', 'activities/files']);
  chmodSync(compiled, 0o755);
});
afterAll(() => rmSync(compiled, { recursive: true, force: true }));
beforeEach(() => {
  world = new World();
  plan = new History(world);
});
afterEach(() => {
  execFileSync('chmod', ['-R', 'u+rwX', world.root]);
  world.remove();
});

/** Takes back as a user for whom permissions hold. */
async function undo(job: Partial<UndoJob> = {}): Promise<UndoResult> {
  if (root) execFileSync('chown', ['-R', `${nobody}:${nobody}`, world.root]);
  const env = {
    ...{ PATH: process.env.PATH, NODE_PATH: join(REPOSITORY, 'node_modules'), KILL_AT: '0', CALL: 'undo' },
  };
  const script = join(__dirname, 'support/killed.js');
  const as = root ? { uid: nobody, gid: nobody } : {};
  const child = spawn(process.execPath, [script, compiled, JSON.stringify(plan.job(job))], { env, ...as, cwd: '/' });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => (out += chunk));
  child.stderr.on('data', (chunk) => (err += chunk));
  await new Promise((resolve) => child.on('close', resolve));
  if (err !== '') throw new Error(err);
  return (JSON.parse(out) as { result: UndoResult }).result;
}

const outcomes = ({ files }: UndoResult) => Object.fromEntries(files.map(({ path, outcome }) => [path, outcome]));

it('a file in a read-only directory is left and named, the rest goes on, and it works once the permissions are mended', async () => {
  world.put('k8s/app.yaml', 'original: 1\n');
  world.put('Dockerfile', 'original\n');
  await plan.write('k8s/app.yaml', 'ours: 1\n', 'original: 1\n');
  await plan.write('k8s/new.yaml', 'new: 1\n');
  await plan.write('Dockerfile', 'ours\n', 'original\n');
  await plan.write('Makefile', 'all:\n');
  chmodSync(join(world.root, 'k8s'), 0o555);
  const first = await undo();
  expect(outcomes(first)).toEqual({
    'k8s/app.yaml': 'failed',
    'k8s/new.yaml': 'failed',
    Dockerfile: 'restored',
    Makefile: 'deleted',
  });
  for (const { outcome, reason, advice } of first.files) {
    if (outcome === 'failed') expect([reason, advice]).toEqual([expect.stringContaining('EACCES'), expect.anything()]);
  }
  expect(first.files.find(({ path }) => path === 'k8s/app.yaml')?.backup).toBe('k8s/app.yaml.bak');
  expect(world.text('k8s/app.yaml')).toBe('ours: 1\n');
  chmodSync(join(world.root, 'k8s'), 0o755);
  const second = await undo({ key: 'p/undo-2' });
  expect(outcomes(second)).toMatchObject({ 'k8s/app.yaml': 'restored', 'k8s/new.yaml': 'deleted' });
  expect(world.list()).toEqual(['Dockerfile', 'k8s', 'k8s/app.yaml']);
  expect(world.text('k8s/app.yaml')).toBe('original: 1\n');
});

it('a directory of the plan in a read-only one stays, is named, and goes the next time', async () => {
  world.put('deploy/kept.txt', 'mine\n');
  await plan.write('deploy/k8s/a.yaml', 'a: 1\n');
  chmodSync(join(world.root, 'deploy'), 0o555);
  const first = await undo();
  expect(outcomes(first)).toEqual({ 'deploy/k8s/a.yaml': 'deleted' });
  expect(first.directoriesLeft).toMatchObject([{ path: 'deploy/k8s', reason: expect.stringContaining('EACCES') }]);
  chmodSync(join(world.root, 'deploy'), 0o755);
  expect((await undo({ key: 'p/undo-2' })).directories).toEqual(['deploy/k8s']);
  expect(world.list()).toEqual(['deploy', 'deploy/kept.txt']);
});

it('a file that cannot be read is left: nobody can tell whose bytes it has', async () => {
  await plan.write('Makefile', 'all:\n');
  await plan.write('k8s/a.yaml', 'a: 1\n');
  chmodSync(join(world.root, 'Makefile'), 0o000);
  expect(outcomes(await undo())).toEqual({ Makefile: 'failed', 'k8s/a.yaml': 'deleted' });
  chmodSync(join(world.root, 'Makefile'), 0o644);
  expect(outcomes(await undo({ key: 'p/undo-2' }))).toMatchObject({ Makefile: 'deleted' });
});

it('a backup that stood there before the plan is nobody of ours: neither the write nor the rollback touches it', async () => {
  world.put('Dockerfile', 'original\n');
  world.put('Dockerfile.bak', 'a person kept this\n');
  await plan.write('Dockerfile', 'ours\n', 'original\n');
  expect(world.list()).toEqual(['Dockerfile', 'Dockerfile.bak', 'Dockerfile.bak.1']);
  await undo();
  expect(world.list()).toEqual(['Dockerfile', 'Dockerfile.bak']);
  expect([world.text('Dockerfile'), world.text('Dockerfile.bak')]).toEqual(['original\n', 'a person kept this\n']);
});
