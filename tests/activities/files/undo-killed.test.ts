import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type UndoJob, undoFiles } from '../../../activities/files/undo';
import type { UndoResult } from '../../../plan/steps';
import { compileRooms, REPOSITORY } from './support/compiled';
import { History } from './support/history';
import { World } from './support/world';

jest.setTimeout(180_000);

let compiled: string;
beforeAll(() => {
  compiled = compileRooms(['plan', 'store', 'activities/files']);
});
afterAll(() => rmSync(compiled, { recursive: true, force: true }));

function undo(job: UndoJob, killAt: number): Promise<{ signal: NodeJS.Signals | null; out: string; err: string }> {
  const script = join(__dirname, 'support/killed.js');
  const env = {
    PATH: process.env.PATH,
    NODE_PATH: join(REPOSITORY, 'node_modules'),
    KILL_AT: String(killAt),
    CALL: 'undo',
  };
  const child = spawn(process.execPath, [script, compiled, JSON.stringify(job)], { env });
  const ended = { out: '', err: '' };
  child.stdout.on('data', (chunk) => (ended.out += chunk));
  child.stderr.on('data', (chunk) => (ended.err += chunk));
  return new Promise((resolve) => child.on('close', (_, signal) => resolve({ ...ended, signal })));
}

/** A plan that replaced a file twice, created one in new directories, and one that a person changed since. */
async function prepared(): Promise<{ world: World; plan: History }> {
  const world = new World();
  const plan = new History(world);
  world.put('Dockerfile', 'original\n', 0o640);
  await plan.write('Dockerfile', 'first\n', 'original\n');
  await plan.write('Dockerfile', 'second\n', 'first\n');
  await plan.write('.github/workflows/ci.yml', 'on: push\n');
  await plan.write('Makefile', 'all:\n');
  world.put('Makefile', 'a person:\n');
  return { world, plan };
}

function expectRight(world: World, result: UndoResult): void {
  expect(result.files.map(({ path, outcome, undone }) => [path, outcome, undone])).toEqual([
    ['Dockerfile', 'restored', 2],
    ['.github/workflows/ci.yml', 'deleted', 1],
    ['Makefile', 'changed', 0],
  ]);
  expect(world.text('Dockerfile')).toBe('original\n');
  expect(world.mode('Dockerfile')).toBe(0o640);
  expect(world.text('Makefile')).toBe('a person:\n');
  expect(world.list()).toEqual(['Dockerfile', 'Makefile']);
}

it('killed before any of its changes to the disk, the rollback is finished by a retry as if nothing had been', async () => {
  let kills = 0;
  for (let at = 1; ; at++) {
    const { world, plan } = await prepared();
    const { signal, out, err } = await undo(plan.job(), at);
    if (signal === null) {
      expect(err).toBe('');
      const { result } = JSON.parse(out) as { result: UndoResult };
      expect(result.directories).toEqual(['.github/workflows', '.github']);
      expectRight(world, result);
      world.remove();
      break;
    }
    kills++;
    expectRight(world, await undoFiles(plan.job({ lockTimeoutMs: 5_000 })));
    world.remove();
  }
  expect(kills).toBeGreaterThan(15);
});

it('killed twice in a row, at two places, it is still finished', async () => {
  for (const [first, second] of [
    [9, 4],
    [12, 8],
    [15, 10],
  ] as const) {
    const { world, plan } = await prepared();
    expect((await undo(plan.job(), first)).signal).toBe('SIGKILL');
    await undo(plan.job(), second);
    expectRight(world, await undoFiles(plan.job({ lockTimeoutMs: 5_000 })));
    world.remove();
  }
});

it('two processes and this one take back at once, and all report the same', async () => {
  const { world, plan } = await prepared();
  const [here, ...children] = await Promise.all([undoFiles(plan.job()), undo(plan.job(), 0), undo(plan.job(), 0)]);
  expectRight(world, here);
  for (const { out } of children) expect(JSON.parse(out).result.files).toEqual(here.files);
  world.remove();
});
