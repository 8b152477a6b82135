/** The audit log beside real processes: workers that are killed, a log that is deleted; and always what the history gives. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { defaultDataConverter } from '@temporalio/common';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils';
import { chain, EMPTY } from '../../audit/chain';
import { allEntries, exportedHistory, runOf } from '../../audit/history';
import { payloadReader } from '../../audit/history-events';
import { logName } from '../../audit/mirror';
import type { Entry, ProjectedEntry } from '../../audit/types';
import { largePayloads } from '../../store/large-payloads';
import { type ModelServer, startModelServer } from '../support/model-server';
import { Installation, useInstallation } from './installation';

const GOAL = 'Set up CI, a Dockerfile and docker-compose';
const CANARY = 'sk-canary0123456789abcdefghijklmnop';
const read = payloadReader({ ...defaultDataConverter, payloadCodecs: [largePayloads] });

let model: ModelServer;
beforeAll(async () => {
  model = await startModelServer();
});
afterAll(() => model.close());

const installation = useInstallation(async () => {
  while (!model) await sleep(10);
  return new Installation({ OPENAI_API_KEY: CANARY, OPENAI_BASE_URL: model.url, PLANWRIGHT_MODEL: 'm' });
});

const logFile = (plan: string): string => join(installation().workspace, '.planwright', 'audit', plan, '000001.jsonl');
const onDisk = (plan: string): string => (existsSync(logFile(plan)) ? readFileSync(logFile(plan), 'utf8') : '');

/** The log as Temporal's own tool lets it be made: from `temporal workflow show`. */
async function fromHistory(plan: string): Promise<string> {
  const { address, namespace } = await installation().server();
  const shown = execFileSync(
    installation().temporalBinary,
    ['workflow', 'show', '-w', plan, '--output', 'json', '--address', address, '--namespace', namespace],
    { maxBuffer: 64 * 1024 * 1024 },
  );
  const history = historyFromJSON(JSON.parse(shown.toString('utf8')));
  const entries: ProjectedEntry[] = [];
  const runs = [runOf(history.events ?? [])];
  for await (const entry of allEntries(exportedHistory([history]), read, { runs, missing: null })) entries.push(entry);
  const { lines } = chain(EMPTY, logName('planwright', plan), entries);
  return lines.map(({ bytes }) => `${bytes.toString('utf8')}\n`).join('');
}

/** A log that is behind follows within a second; one that is wrong never does. */
async function expectSame(plan: string): Promise<Entry['body'][]> {
  const expected = await fromHistory(plan);
  for (let tries = 0; tries < 100 && onDisk(plan) !== expected; tries++) await sleep(100);
  expect(onDisk(plan)).toBe(expected);
  return expected
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as Entry).body);
}

async function killWorker(): Promise<void> {
  const worker = (await installation().processes()).find(({ name }) => name === 'worker');
  if (worker) process.kill(worker.pid, 'SIGKILL');
}

it('is what the history gives, though the worker is killed again and again', async () => {
  await installation().ok(['plan', GOAL, '--name', 'killed']);
  model.reply = () => ({ latencyMs: 400 });
  await installation().ok(['apply', '--yes', '--detach']);
  for (let kill = 0; kill < 3; kill++) {
    await sleep(600);
    await killWorker();
  }
  model.reply = () => ({ latencyMs: 0 });
  const watched = await installation().run(['watch', 'killed']);
  expect(`${watched.code}${watched.code === 0 ? '' : watched.stdout + watched.stderr}`).toBe('0');
  model.reply = undefined;
  const { id } = await installation().view('killed');
  const entries = await expectSame(id);
  const written = entries.filter(({ event }) => event === 'file.written').map(({ data }) => data.path);
  expect(written.sort()).toEqual(['.github/workflows/ci.yml', 'Dockerfile', 'docker-compose.yml']);
  expect(entries[0]?.actor.id).toContain('@');
  expect(entries.at(-1)?.event).toBe('run.finished');

  // At the end of a run the log is signed, and somebody outside the workspace knows how far it went.
  const checkpoint = readFileSync(join(dirname(logFile(id)), 'checkpoint'), 'utf8').split('\n');
  expect(checkpoint.slice(0, 2)).toEqual([logName('planwright', id), String(entries.length)]);
  expect(readdirSync(join(installation().home, 'state', 'witness')).length).toBeGreaterThan(0);

  const before = onDisk(id);
  rmSync(join(installation().workspace, '.planwright', 'audit'), { recursive: true });
  await installation().ok(['rollback', 'killed']);
  await expectSame(id);
  expect(onDisk(id).startsWith(before)).toBe(true);
  expect(onDisk(id)).not.toContain(CANARY);

  const checked = await installation().ok(['history', 'check', 'killed', '--json']);
  expect(JSON.parse(checked.stdout)).toMatchObject({ plan: id, deterministic: true, missing: null });
}, 180_000);
