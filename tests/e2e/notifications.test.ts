/** Notifications of real processes: a receiver that is away, a worker that dies in the middle of a POST, and a chat. */
import { createHmac } from 'node:crypto';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { type Received, SinkServer } from '../support/sink-server';
import { Installation, useInstallation } from './installation';

const SECRET = 'a secret of sixteen or more';
const Json = z.looseObject({ id: z.string(), event: z.string(), plan: z.looseObject({ id: z.string() }) });
const Slack = z.strictObject({ text: z.string() });

let ops: SinkServer;
let chat: SinkServer;
beforeAll(async () => {
  [ops, chat] = await Promise.all([SinkServer.start(), SinkServer.start()]);
});
afterAll(() => Promise.all([ops.stop(), chat.stop()]));

const installation = useInstallation(() => new Installation({ PLANWRIGHT_OPS_SECRET: SECRET }));
const at = (path: string): string => join(installation().workspace, path);

/** Waits, without a limit of its own: the test's is enough. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(50);
}

const toldOf = (plan: string, received: readonly Received[]): z.infer<typeof Json>[] =>
  received.map(({ body }) => Json.parse(JSON.parse(body))).filter((one) => one.plan.id === plan);
const idsOf = (event: string, told: readonly z.infer<typeof Json>[]): string[] =>
  told.filter((one) => one.event === event).map(({ id }) => id);

async function planned(name: string): Promise<string> {
  await installation().ok(['plan', 'a Makefile', '--name', name]);
  return (await installation().view()).id;
}

beforeAll(async () => {
  await installation().ok(['init']);
  const sinks = [
    `{ name: ops, url: "${ops.url}", secretEnv: PLANWRIGHT_OPS_SECRET }`,
    `{ name: chat, url: "${chat.url}", format: slack, events: [gate.opened, run.finished] }`,
  ];
  writeFileSync(at('.planwright/policy.yaml'), `version: 1\nnotify:\n${sinks.map((one) => `  - ${one}\n`).join('')}`);
}, 60_000);

beforeEach(() => {
  // A plan that finds its file as it would write it asks nobody.
  rmSync(at('Makefile'), { force: true });
  const well: SinkServer['answer'] = (response) => response.writeHead(204).end();
  ops.answer = well;
  chat.answer = well;
});

it('a sink that is down holds up neither the plan nor the other sink, and hears all of it when it is back', async () => {
  ops.answer = (response) => response.writeHead(503).end();
  const plan = await planned('away');
  expect((await installation().run(['apply', plan, '--allow-dirty'])).code).toBe(8);
  await until(() => idsOf('gate.opened', toldOf(plan, ops.received)).length > 1);
  await installation().ok(['approve', plan, '--all']);
  expect((await installation().run(['watch', plan])).code).toBe(0);
  expect(existsSync(at('Makefile'))).toBe(true);
  await until(() => chat.received.filter(({ body }) => body.includes(plan)).length === 2);
  // While it was away nothing of it arrived, and nothing was given up.
  expect((await installation().view(plan)).notifications).toMatchObject({ sent: 2, waiting: 3, failed: [] });
  ops.answer = (response) => response.writeHead(204).end();
  await until(async () => (await installation().view(plan)).notifications?.waiting === 0);
  expect((await installation().view(plan)).notifications).toMatchObject({ sent: 5, failed: [] });
  const told = toldOf(plan, ops.received);
  for (const event of ['gate.opened', 'gate.decided', 'run.finished']) {
    expect(new Set(idsOf(event, told)).size).toBe(1);
  }
  for (const { headers, body } of ops.received) {
    const signed = createHmac('sha256', SECRET).update(`${headers['planwright-timestamp']}.${body}`).digest('hex');
    expect(headers['planwright-signature']).toBe(`v1=${signed}`);
    expect(headers['planwright-delivery']).toBe(Json.parse(JSON.parse(body)).id);
  }
}, 180_000);

it('a chat gets text alone, unsigned, with the line to type', async () => {
  const [opened, finished] = chat.received.map(({ body }) => Slack.parse(JSON.parse(body)).text);
  expect(opened).toMatch(
    /^\*away\* \(plan-[0-9a-f]{8}\): waits for a decision\nfile gate for Makefile, \w+ risk, \+\d+ -0\n/,
  );
  expect(opened).toMatch(/`planwright approve plan-[0-9a-f]{8} --gate gate-[0-9a-f]{16}`$/);
  expect(finished).toContain('run 1 ended completed\n1 completed\n');
  for (const { headers } of chat.received) expect(headers['planwright-signature']).toBeUndefined();
});

it('kill -9 of the worker in the middle of a POST: it comes again with the same id, and the plan goes on', async () => {
  // The request has come in full, and no answer goes out.
  ops.answer = () => undefined;
  const plan = await planned('killed');
  expect((await installation().run(['apply', plan, '--allow-dirty'])).code).toBe(8);
  await until(() => toldOf(plan, ops.received).length > 0);
  const [first] = toldOf(plan, ops.received);
  expect(first?.event).toBe('gate.opened');
  expect(await installation().kill('worker')).toBe(true);
  ops.answer = (response) => response.writeHead(204).end();
  await installation().ok(['up']);
  await installation().ok(['approve', plan, '--all']);
  expect((await installation().run(['watch', plan])).code).toBe(0);
  await until(async () => (await installation().view(plan)).notifications?.waiting === 0);
  const opened = idsOf('gate.opened', toldOf(plan, ops.received));
  expect(opened.length).toBeGreaterThan(1);
  expect(new Set(opened)).toEqual(new Set([first?.id]));
  expect((await installation().view(plan)).notifications).toMatchObject({ sent: 5, failed: [] });
}, 180_000);

it('`down` says that what was under way waits; after `up` the gate is the same one, and takes its decision', async () => {
  const plan = await planned('parked');
  expect((await installation().run(['apply', plan, '--allow-dirty'])).code).toBe(8);
  const before = (await installation().view(plan)).gates;
  expect(before).toHaveLength(1);
  const down = await installation().ok(['down']);
  expect(down.stderr).toContain('Plans that were under way wait, and go on at the next command.');
  expect(await installation().processes()).toEqual([]);
  await installation().ok(['up']);
  expect((await installation().view(plan)).gates).toEqual(before);
  expect((await installation().ok(['approvals'])).stdout).toContain(before[0]?.gate ?? 'no gate');
  expect((await installation().ok(['plan', 'list'])).stdout).toMatch(/waiting for 1 approval since \d+ ?\w/);
  await installation().ok(['approve', plan, '--all']);
  expect((await installation().run(['watch', plan])).code).toBe(0);
}, 180_000);
