/** Taking back what a plan wrote, as a person does it in a terminal, with a model that counts its calls. */
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ModelServer, startModelServer } from '../support/model-server';
import { Installation, useInstallation } from './installation';

const GOAL = 'Set up CI, a Dockerfile and docker-compose';
const ORIGINAL = 'FROM node:20-alpine\nCMD ["node", "original.js"]\n';

let model: ModelServer;
beforeAll(async () => {
  model = await startModelServer();
});
afterAll(() => model.close());

const installation = useInstallation(async () => {
  while (!model) await sleep(10);
  return new Installation({ OPENAI_API_KEY: 'sk-test', OPENAI_BASE_URL: model.url, PLANWRIGHT_MODEL: 'm' });
});

const at = (path: string): string => join(installation().workspace, path);
let before: { [path: string]: string };

beforeEach(() => {
  writeFileSync(at('Dockerfile'), ORIGINAL);
  before = installation().files();
});

/** A plan that replaced the Dockerfile and created two files. */
async function applied(): Promise<string> {
  await installation().ok(['plan', GOAL]);
  await installation().ok(['apply', '--yes']);
  expect(installation().files().Dockerfile).not.toBe(ORIGINAL);
  expect(installation().files()['Dockerfile.bak']).toBe(ORIGINAL);
  return (await installation().view()).id;
}

it('a rollback from any directory, outside of git, leaves the workspace as it was; apply again calls no model', async () => {
  const id = await applied();
  const after = installation().files();
  expect(existsSync(at('.git'))).toBe(false);
  const { stdout } = await installation().ok(['rollback', id], { cwd: at('src') });
  expect(stdout).toContain('✓ Restored: Dockerfile');
  expect(stdout).toContain('✓ Deleted: .github/workflows/ci.yml');
  expect(stdout).toContain('Rollback complete: 2 files deleted, 1 restored.');
  expect(installation().files()).toEqual(before);
  expect(existsSync(at('.github'))).toBe(false);
  expect((await installation().view(id)).status).toBe('rolled_back');

  const calls = model.calls.length;
  await installation().ok(['apply', id, '--yes']);
  expect(model.calls.length - calls).toBe(0);
  expect(installation().files()).toEqual(after);
  await installation().ok(['rollback', id]);
  expect(installation().files()).toEqual(before);
  expect((await installation().run(['rollback', id])).code).toBe(5);
});

it('keeps an edited file and says how to take it back too, exit 1; a worker that is killed meanwhile changes nothing', async () => {
  const id = await applied();
  writeFileSync(at('docker-compose.yml'), 'mine: true\n');
  rmSync(at('.github'), { recursive: true });
  symlinkSync('/nowhere', at('.github'));
  const running = installation().start(['rollback', id]);
  await installation().kill('worker');
  const { code, stdout, stderr } = await running.done;
  expect(code).toBe(1);
  expect(stdout).toContain('✗ Kept: docker-compose.yml');
  expect(stdout).toContain('✗ Refused: .github/workflows/ci.yml');
  expect(stderr).toContain('--overwrite-changed');
  expect(installation().files()).toEqual({ ...before, 'docker-compose.yml': 'mine: true\n' });
  const view = await installation().view(id);
  expect(view.status).toBe('partial');
  expect(view.tasks['2']?.status).toBe('pending');
  expect(view.tasks['3']?.status).toBe('completed');

  rmSync(at('.github'));
  const again = await installation().ok(['rollback', id, '--overwrite-changed', '--json']);
  const { files } = JSON.parse(again.stdout) as { files: { path: string; outcome: string; kept: string | null }[] };
  expect(files.map(({ path, outcome }) => [path, outcome]).sort()).toEqual([
    ['.github/workflows/ci.yml', 'gone'],
    ['docker-compose.yml', 'deleted'],
  ]);
  const kept = files.find(({ path }) => path === 'docker-compose.yml')?.kept ?? '';
  expect(existsSync(at(join('.planwright', 'objects', kept.slice(0, 2), kept.slice(2))))).toBe(true);
  expect(installation().files()).toEqual(before);
});

it('destroy removes what the plan wrote, keeps the backup, and leaves alone what stands beside it', async () => {
  const id = await applied();
  mkdirSync(at('.github/ISSUE_TEMPLATE'));
  writeFileSync(at('.github/ISSUE_TEMPLATE/bug.md'), 'mine\n');
  const { stdout } = await installation().ok(['destroy', id]);
  expect(stdout).toContain('What stood there before the plan stays in Dockerfile.bak.');
  const { Dockerfile: _, ...others } = before;
  expect(installation().files()).toEqual({
    ...others,
    'Dockerfile.bak': ORIGINAL,
    '.github/ISSUE_TEMPLATE/bug.md': 'mine\n',
  });
  expect((await installation().view(id)).status).toBe('cleaned');
  rmSync(at('Dockerfile.bak'));
  rmSync(at('.github'), { recursive: true });
});

it('plan delete and plan clean end plans and remove their files of record; what was written stays', async () => {
  const id = await applied();
  await installation().ok(['plan', 'show', id]);
  const files = installation().files();
  const { stdout } = await installation().ok(['plan', 'delete', id]);
  expect(stdout).toContain('The files that it wrote stay: .github/workflows/ci.yml, Dockerfile, docker-compose.yml.');
  expect(installation().files()).toEqual(files);
  expect((await installation().run(['plan', 'show', id])).code).toBe(2);
  // The projection follows within a second; it must not bring the file back.
  await sleep(2_500);
  expect(readdirSync(at('.planwright/plans'))).not.toContain(`${id}.json`);
  expect(readdirSync(at('.planwright/calls'))).not.toContain(id);
  expect((await installation().run(['plan', 'clean'])).code).toBe(0);
  const left = JSON.parse((await installation().ok(['plan', 'list', '--json'])).stdout) as { status: string }[];
  expect(left.map(({ status }) => status).sort()).toEqual(['cleaned', 'rolled_back', 'rolled_back']);
});
