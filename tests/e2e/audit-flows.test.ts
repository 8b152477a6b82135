/**
 * One workspace in which everything happens to plans that can: gates, refusals, force, a killed worker, cancel, rollback, a
 * dry run, a replay. Each log says so, holds, and comes back byte for byte after it was deleted.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AuditEvent } from '../../plan/facts';
import { type ModelServer, startModelServer } from '../support/model-server';
import { Installation, useInstallation } from './installation';

jest.setTimeout(240_000);

let model: ModelServer;
beforeAll(async () => {
  model = await startModelServer();
});
afterAll(() => model.close());

const installation = useInstallation(async () => {
  while (!model) await sleep(10);
  return new Installation({ OPENAI_API_KEY: 'sk-test', OPENAI_BASE_URL: model.url, PLANWRIGHT_MODEL: 'm' });
});

const folderOf = (plan: string): string => join(installation().workspace, '.planwright', 'audit', plan);
const log = (plan: string): string => readFileSync(join(folderOf(plan), '000001.jsonl'), 'utf8');
const exit = async (code: number, ...args: string[]): Promise<string> => {
  const finished = await installation().run(args);
  expect({ args, ...finished }).toMatchObject({ code });
  return finished.stdout;
};

interface Said {
  event: AuditEvent;
  actor: { kind: string; id: string };
  data: Record<string, unknown>;
}

async function entries(plan: string): Promise<Said[]> {
  const { entries: found } = JSON.parse(await exit(0, 'history', 'audit', plan, '--json')) as {
    entries: { body: Said }[];
  };
  return found.map(({ body }) => body);
}

const of = (said: readonly Said[], event: AuditEvent): Said['data'][] =>
  said.filter((one) => one.event === event).map(({ data }) => data);

const LEVELS = ['history', 'verify', '--level', 'structure,head,history', '--json'];

/** The log holds; deleted, it is missed; repaired, it begins with the very bytes that were there. */
async function expectComesBack(plan: string): Promise<void> {
  const held = JSON.parse(await exit(0, ...LEVELS, plan)) as { levels: Record<string, { state: string }> };
  for (const level of ['structure', 'head', 'history']) expect(held.levels[level]).toMatchObject({ state: 'held' });
  const before = log(plan);
  rmSync(folderOf(plan), { recursive: true });
  expect(JSON.parse(await exit(3, ...LEVELS, plan))).toMatchObject({ broken: expect.arrayContaining(['history']) });
  await exit(0, 'history', 'repair', plan, '--yes');
  expect(log(plan).startsWith(before)).toBe(true);
  await exit(0, ...LEVELS, plan);
}

/** No event besides these, and each of them. */
function expectEvents(said: readonly Said[], expected: readonly AuditEvent[]): void {
  expect([...new Set(said.map(({ event }) => event))].sort()).toEqual([...expected].sort());
}

function makefileThat(does: string): object {
  return { nodes: [{ id: '1', tool: 'makefile', description: `A Makefile that ${does}`, input: {}, deps: [] }] };
}

it('approved, refused, rolled back, tried dry, applied, and written again from the record', async () => {
  writeFileSync(join(installation().workspace, 'Dockerfile'), 'FROM node:20-alpine\n');
  await exit(0, 'plan', 'Set up CI, a Dockerfile and docker-compose', '--name', 'gated');
  await exit(8, 'apply', 'gated');
  const { id } = await installation().view('gated');
  await exit(0, 'reject', id, '--path', '.github/workflows/ci.yml', '--reason', 'we have one', '--as', 'ben');
  await exit(0, 'approve', id, '--path', 'Dockerfile', '--reason', 'fine', '--as', 'ana');
  await exit(8, 'watch', id);
  await exit(0, 'approve', id, '--all', '--as', 'ana');
  await exit(0, 'watch', id);
  await exit(0, 'rollback', id);
  await exit(0, 'apply', id, '--dry-run');
  await exit(0, 'apply', id, '--yes');
  rmSync(join(installation().workspace, 'docker-compose.yml'));
  await exit(0, 'apply', id, '--replay', '--recorded', '--yes');

  const said = await entries(id);
  expectEvents(said, [
    'plan.created',
    'plan.ready',
    'llm.called',
    'run.started',
    'run.finished',
    'verification.done',
    'gate.opened',
    'gate.decided',
    'gate.passed',
    'file.written',
    'file.restored',
    'file.removed',
    'task.completed',
    'task.declined',
    'undo.started',
    'undo.finished',
  ]);
  expect(of(said, 'gate.decided').map(({ path, decision, reason }) => [path, decision, reason])).toEqual([
    ['.github/workflows/ci.yml', 'reject', 'we have one'],
    ['Dockerfile', 'approve', 'fine'],
    ['docker-compose.yml', 'approve', null],
  ]);
  const deciders = said.filter(({ event }) => event === 'gate.decided').map(({ actor }) => actor.id);
  expect(deciders).toEqual(['ben', 'ana', 'ana']);
  expect(of(said, 'run.started').map(({ kind }) => kind)).toEqual(['apply', 'dry-run', 'apply', 'replay']);
  expect(of(said, 'file.restored')).toMatchObject([{ path: 'Dockerfile' }]);
  expect(of(said, 'file.removed')).toMatchObject([{ path: 'docker-compose.yml' }]);
  expect(of(said, 'gate.passed').map(({ how }) => how)).toEqual(expect.arrayContaining(['yes']));
  await expectComesBack(id);
});

it('passed by force, with a worker that was killed in the middle of a question', async () => {
  const graph = makefileThat('deploys to production');
  model.reply = ({ schemaName }) => (schemaName === 'task_graph' ? { content: graph } : { hang: true });
  await exit(0, 'plan', 'A Makefile that deploys to production', '--name', 'forced');
  const asked = model.calls.length;
  await exit(0, 'apply', 'forced', '--yes', '--force', '--detach');
  while (model.calls.length === asked) await sleep(20);
  expect(await installation().kill('worker')).toBe(true);
  model.reply = undefined;
  await exit(0, 'watch', 'forced');
  const { id } = await installation().view('forced');

  const said = await entries(id);
  expectEvents(said, [
    'plan.created',
    'plan.ready',
    'llm.called',
    'llm.unknown',
    'run.started',
    'run.finished',
    'verification.done',
    'gate.passed',
    'file.written',
    'task.completed',
  ]);
  expect(of(said, 'plan.ready')).toMatchObject([{ risk: 'HIGH' }]);
  expect(of(said, 'gate.passed')).toEqual(
    expect.arrayContaining([expect.objectContaining({ kind: 'risk', how: 'force' })]),
  );
  expect(of(said, 'llm.unknown')).toMatchObject([{ task: '1' }]);
  expect(of(said, 'file.written')).toMatchObject([{ path: 'Makefile' }]);
  await expectComesBack(id);
});

it('cancelled while it waited', async () => {
  rmSync(join(installation().workspace, 'Makefile'));
  model.reply = ({ schemaName }) =>
    schemaName === 'task_graph' ? { content: makefileThat('runs the tests') } : undefined;
  await exit(0, 'plan', 'a Makefile', '--name', 'stopped');
  model.reply = undefined;
  await exit(8, 'apply', 'stopped');
  const { id } = await installation().view('stopped');
  await installation().run(['cancel', id]);
  expect((await installation().view(id)).status).toBe('cancelled');

  const said = await entries(id);
  expectEvents(said, [
    'plan.created',
    'plan.ready',
    'llm.called',
    'run.started',
    'run.finished',
    'verification.done',
    'gate.opened',
    'gate.withdrawn',
    'plan.cancelled',
    'task.cancelled',
  ]);
  expect(of(said, 'run.finished')).toMatchObject([{ status: 'cancelled' }]);
  await expectComesBack(id);
});
