/** A plan that is made and previewed on one machine, and approved and applied on another that has no key at all. */
import { readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type ModelServer, startModelServer } from '../support/model-server';
import { Installation, useInstallation } from './installation';

const KEY = 'sk-canary-1234567890abcdef';
const GOAL = 'Set up CI, a Dockerfile and docker-compose';

let model: ModelServer;
const here = useInstallation(async () => {
  model = await startModelServer({ apiKey: KEY });
  return new Installation({ OPENAI_API_KEY: KEY, OPENAI_BASE_URL: model.url });
});
const there = useInstallation(() => new Installation());
afterAll(() => model?.close());

const file = (): string => join(here().home, 'plan.pwx');
const put = (installation: Installation, path: string, text: string): void =>
  writeFileSync(join(installation.workspace, path), text);

it('is exported with what a dry run made, once and again the same bytes, and without the key', async () => {
  for (const installation of [here(), there()]) put(installation, 'Dockerfile', 'FROM node:18\n');
  await here().ok(['plan', GOAL]);
  await here().ok(['apply', '--dry-run']);
  const { stdout } = await here().ok(['plan', 'export', file()]);
  expect(stdout).toMatch(/✓ Exported plan-[0-9a-f]{8} .*3 tasks, 3 with generated files/);
  expect((await here().run(['plan', 'export', file()])).code).toBe(2);
  const first = readFileSync(file());
  await here().ok(['plan', 'export', file(), '--overwrite']);
  expect(readFileSync(file())).toEqual(first);
  const text = gunzipSync(first).toString('utf8');
  expect(text).not.toContain('canary');
  expect(text).not.toContain(here().workspace);
  expect(text).not.toContain(model.url);
});

it('is refused where it was cut short, is nothing of ours, or was made for another file', async () => {
  const packed = readFileSync(file());
  const bad = join(here().home, 'bad.pwx');
  writeFileSync(bad, packed.subarray(0, packed.length / 2));
  expect(await there().run(['plan', 'import', bad])).toMatchObject({
    code: 3,
    stderr: expect.stringContaining('damaged'),
  });
  writeFileSync(bad, 'hello');
  expect(await there().run(['plan', 'import', bad])).toMatchObject({ code: 2 });
  put(there(), 'Dockerfile', 'FROM node:20\n');
  const refused = await there().run(['plan', 'import', file()]);
  expect(refused).toMatchObject({ code: 5, stderr: expect.stringContaining('Dockerfile: made for') });
  expect(refused.stderr).toContain('--refresh');
  put(there(), 'Dockerfile', 'FROM node:18\n');
});

it('is imported as a new plan, approved and applied to the same bytes, and no model is asked', async () => {
  const { stdout, stderr } = await there().ok(['plan', 'import', file()]);
  expect(stdout).toMatch(/Plan plan-[0-9a-f]{8} .* ready/);
  expect(stderr).toContain('3 tasks of 3 brought generated files');
  expect((await there().view()).id).not.toBe((await here().view()).id);
  expect((await there().ok(['plan', 'diff'])).stdout).toContain('-FROM node:18');
  const asked = await there().run(['apply']);
  expect([asked.code, asked.stderr]).toEqual([8, expect.stringContaining('planwright approve')]);
  const { id } = await there().view();
  while ((await there().view(id)).status === 'waiting') {
    await there().ok(['approve', id, '--all']);
    await there().run(['watch', id]);
  }
  expect((await there().view(id)).status).toBe('completed');
  const calls = model.calls.length;
  await here().ok(['apply', '--yes']);
  expect(model.calls.length).toBe(calls);
  expect(there().files()).toEqual(here().files());
  await there().ok(['rollback', id]);
  expect(there().files().Dockerfile).toBe('FROM node:18\n');
}, 120_000);

it('leaves nothing that a collection of garbage would harm, and frees what a deleted plan alone stood on', async () => {
  const objects = join(here().workspace, '.planwright', 'objects');
  const age = (): void => {
    for (const path of readdirSync(objects, { recursive: true, encoding: 'utf8' })) {
      const day = new Date(Date.now() - 86_400_000);
      if (/^[0-9a-f]{2}\/[0-9a-f]{62}$/.test(path)) utimesSync(join(objects, path), day, day);
    }
  };
  const { id } = await here().view();
  const written = here().files();
  await here().ok(['plan', 'Set up a Makefile', '--name', 'second']);
  await here().ok(['apply', 'second', '--dry-run']);
  await here().ok(['plan', 'delete', 'second']);
  age();
  const wouldFree = JSON.parse((await here().ok(['gc', '--dry-run', '--json'])).stdout);
  const freed = JSON.parse((await here().ok(['gc', '--json'])).stdout);
  expect(freed.freed).toEqual(wouldFree.freed);
  expect(freed.freed.bytes).toBeGreaterThan(0);
  await here().ok(['plan', 'diff', id]);
  await here().ok(['apply', id, '--replay', '--recorded', '--yes', '--allow-dirty']);
  expect(here().files()).toEqual(written);
  await here().ok(['rollback', id]);
  expect(here().files().Dockerfile).toBe('FROM node:18\n');
  const calls = model.calls.length;
  await here().ok(['apply', id, '--yes']);
  expect(model.calls.length).toBe(calls);
  expect(here().files()).toEqual(written);
}, 120_000);
