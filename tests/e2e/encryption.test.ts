/** Encryption as it is used: real server, real worker, Temporal's own command line; the same once without keys, to see the test see. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CANARY, canaryModel, canarySettings, filesWithCanary, readable, runCanaryPlan } from '../support/canary';
import type { ModelServer } from '../support/model-server';
import { Installation } from './installation';

const TOKEN = 'a-token-that-is-long-enough';

let model: ModelServer;
let folder: string;
let installation: Installation;

beforeAll(async () => {
  model = await canaryModel();
});
afterAll(() => model.close());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'planwright-codec-e2e-'));
});
afterEach(async () => {
  expect(await installation.close()).toEqual([]);
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

/** An installation with keys of its own; the file is outside workspace and home. */
async function encrypted(): Promise<Installation> {
  const file = join(folder, 'keys');
  installation = new Installation({ ...canarySettings(model), PLANWRIGHT_CODEC_KEY_FILE: file });
  await installation.ok(['codec', 'new-key', file], { env: { PLANWRIGHT_CODEC_KEY_FILE: '' } });
  return installation;
}

/** What Temporal's command line prints of a plan's history. */
async function shown(id: string, ...args: string[]): Promise<string> {
  const { address, namespace } = await installation.server();
  const where = ['--address', address, '--namespace', namespace];
  const { stdout } = await promisify(execFile)(
    installation.temporalBinary,
    ['workflow', 'show', '-w', id, '--output', 'json', ...where, ...args],
    { timeout: 30_000, maxBuffer: 1e8 },
  );
  return readable(stdout);
}

const logs = (): string[] => filesWithCanary(installation.home).filter((name) => name.endsWith('.log'));

it('T30 a canary in goal, description, reason and error is nowhere but where it belongs, and the codec server shows it', async () => {
  await encrypted();
  const { id } = await runCanaryPlan(installation);
  expect(await shown(id)).not.toContain(CANARY);
  expect(logs()).toEqual([]);

  const server = installation.start(['codec-server', '--listen', '127.0.0.1:0'], {
    env: { PLANWRIGHT_CODEC_TOKEN: TOKEN },
  });
  let said = '';
  server.child.stderr?.on('data', (data: Buffer) => {
    said += data;
  });
  await server.says(/listens on/);
  const url = /listens on (\S+)/.exec(said)?.[1] ?? '';
  const visible = await shown(id, '--codec-endpoint', url, '--codec-auth', `Bearer ${TOKEN}`);
  for (const where of ['goal', 'description', 'reason', 'error']) expect(visible).toContain(`${CANARY}-${where}`);
  expect(await shown(id, '--codec-endpoint', url, '--codec-auth', 'Bearer another').catch(String)).not.toContain(
    CANARY,
  );
  server.child.kill('SIGTERM');
  const { stdout, code } = await server.done;
  expect(code).toBe(0);
  expect(stdout).toContain('"payloads":');
  expect(stdout).not.toMatch(new RegExp(`${CANARY}|${TOKEN}`));

  await installation.ok(['history', 'check', id]);
  await installation.ok(['down']);
  const database = filesWithCanary(installation.home).filter((name) => name.startsWith('state'));
  expect(database).toEqual([]);
}, 180_000);

it('without keys the same canary is in the history and in the database', async () => {
  installation = new Installation(canarySettings(model));
  const { id } = await runCanaryPlan(installation);
  expect(await shown(id)).toContain(`${CANARY}-goal`);
  await installation.ok(['down']);
  expect(filesWithCanary(installation.home).some((name) => /\.db|sqlite/.test(name))).toBe(true);
}, 120_000);

it('without the key, or with another one, commands and workers say so with exit 4 and the plan stays as it was', async () => {
  await encrypted();
  await installation.ok(['plan', 'a Makefile']);
  const before = await installation.view();
  const other = join(folder, 'other');
  await installation.ok(['codec', 'new-key', other]);
  for (const env of [{ PLANWRIGHT_CODEC_KEY_FILE: '' }, { PLANWRIGHT_CODEC_KEY_FILE: other }]) {
    for (const args of [['plan', 'a Dockerfile'], ['apply', '--yes'], ['worker'], ['up']]) {
      const { code, stderr } = await installation.run(args, { env });
      expect([args[0], code]).toEqual([args[0], 4]);
      expect(stderr).toMatch(/encrypted with the key k\d{8}-[0-9a-f]{6}/);
      expect(stderr).toMatch(/PLANWRIGHT_CODEC_KEY_FILE/);
    }
  }
  writeFileSync(other, 'nonsense\n');
  const broken = await installation.run(['plan', 'x'], { env: { PLANWRIGHT_CODEC_KEY_FILE: other } });
  expect([broken.code, broken.stderr.includes('nonsense')]).toEqual([2, false]);
  expect(await installation.view()).toEqual(before);
}, 180_000);

it('a plan goes on across a change of keys while the old one opens', async () => {
  await encrypted();
  const file = join(folder, 'keys');
  await installation.ok(['plan', 'a Makefile', '--provider', 'template']);
  const { id } = await installation.view();
  await installation.ok(['codec', 'new-key', file]);
  const [, second] = JSON.parse((await installation.ok(['codec', 'show', '--json'])).stdout).keys as { id: string }[];
  await installation.ok(['codec', 'use-key', file, second?.id ?? '']);
  expect(readFileSync(file, 'utf8').split('\n')[1]).toMatch(new RegExp(`^${second?.id} `));
  await installation.ok(['apply', id, '--yes']);
  const history = await shown(id);
  const used = [...history.matchAll(/"encryption-key-id": "([^"]+)"/g)].map(([, key]) =>
    Buffer.from(key ?? '', 'base64').toString(),
  );
  expect(new Set(used).size).toBe(2);
}, 120_000);
