import { spawn } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeArtifactFiles } from '../../../activities/files/writer';
import type { WriteResult } from '../../../plan/steps';
import type { ArtifactFile } from '../../../plan/types';
import { compileRooms, REPOSITORY } from './support/compiled';
import { World } from './support/world';

jest.setTimeout(180_000);

let compiled: string;
beforeAll(() => {
  compiled = compileRooms(['plan', 'store', 'activities/files']);
});
afterAll(() => rmSync(compiled, { recursive: true, force: true }));

interface Ended {
  signal: NodeJS.Signals | null;
  out: string;
  err: string;
}

function write(world: World, files: ArtifactFile[], killAt: number): Promise<Ended> {
  const { root, key } = world.job(files);
  const script = join(__dirname, 'support/killed.js');
  const env = { PATH: process.env.PATH, NODE_PATH: join(REPOSITORY, 'node_modules'), KILL_AT: String(killAt) };
  const child = spawn(process.execPath, [script, compiled, JSON.stringify({ root, key, files })], { env });
  const ended: Ended = { signal: null, out: '', err: '' };
  child.stdout.on('data', (chunk) => (ended.out += chunk));
  child.stderr.on('data', (chunk) => (ended.err += chunk));
  return new Promise((resolve) => child.on('close', (_, signal) => resolve({ ...ended, signal })));
}

async function prepared(): Promise<{ world: World; files: ArtifactFile[] }> {
  const world = new World();
  world.put('Dockerfile', 'original\n');
  const files = [
    await world.file('Dockerfile', 'new\n', 'original\n'),
    await world.file('.github/workflows/ci.yml', 'on: push\n'),
  ];
  return { world, files };
}

function expectRight(world: World, result: WriteResult): void {
  expect(result.conflicts).toEqual([]);
  expect(result.files.map(({ action, backup }) => [action, backup])).toEqual([
    ['modify', 'Dockerfile.bak'],
    ['create', null],
  ]);
  expect(result.madeDirectories).toEqual(['.github', '.github/workflows']);
  expect(world.text('Dockerfile')).toBe('new\n');
  expect(world.text('Dockerfile.bak')).toBe('original\n');
  expect(world.text('.github/workflows/ci.yml')).toBe('on: push\n');
  expect(world.list()).toEqual([
    '.github',
    '.github/workflows',
    '.github/workflows/ci.yml',
    'Dockerfile',
    'Dockerfile.bak',
  ]);
}

it('killed before any of its changes to the disk, the write is finished by a retry as if nothing had been', async () => {
  let kills = 0;
  for (let at = 1; ; at++) {
    const { world, files } = await prepared();
    const { signal, out, err } = await write(world, files, at);
    if (signal === null) {
      expect(err).toBe('');
      expectRight(world, JSON.parse(out).result);
      world.remove();
      break;
    }
    kills++;
    expectRight(world, await writeArtifactFiles(world.job(files, { lockTimeoutMs: 5000 })));
    world.remove();
  }
  expect(kills).toBeGreaterThan(25);
});

it('killed twice in a row, at two places, it is still finished', async () => {
  for (const [first, second] of [
    [14, 6],
    [18, 18],
    [24, 12],
    [30, 3],
  ] as const) {
    const { world, files } = await prepared();
    expect((await write(world, files, first)).signal).toBe('SIGKILL');
    await write(world, files, second);
    expectRight(world, await writeArtifactFiles(world.job(files, { lockTimeoutMs: 5000 })));
    world.remove();
  }
});

it('two processes and this one write at once, and all report the same', async () => {
  const { world, files } = await prepared();
  const [here, ...children] = await Promise.all([
    writeArtifactFiles(world.job(files)),
    write(world, files, 0),
    write(world, files, 0),
  ]);
  expectRight(world, here);
  for (const { out } of children) expect(JSON.parse(out).result).toEqual(here);
  expect(readdirSync(join(world.root, '.planwright', 'write.lock'))).toHaveLength(1);
  world.remove();
});
