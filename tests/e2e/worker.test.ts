/** `planwright worker` as a platform team runs it: several workspaces, a port for who watches it, a log, and a stop that loses nothing. */
import { cpSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { z } from 'zod';
import { workspaceLayout } from '../../store/layout';
import { freePort } from '../../worker/embedded/ports';
import { type ModelServer, startModelServer } from '../support/model-server';
import { startServer } from '../support/temporal';
import { Installation, type Running } from './installation';

const Line = z.looseObject({
  level: z.number(),
  msg: z.string(),
  plan: z.string().nullish(),
  gate: z.string().optional(),
  task: z.string().nullish(),
  run: z.number().nullish(),
  workspace: z.string().optional(),
  build: z.string().optional(),
});

const linesOf = (stdout: string): z.infer<typeof Line>[] =>
  stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => Line.parse(JSON.parse(line)));

const GOAL = 'a Makefile';

let server: TestWorkflowEnvironment;
let model: ModelServer;
let installation: Installation;
let other: string;
let workers: Running[] = [];

beforeAll(async () => {
  server = await startServer();
  model = await startModelServer();
}, 60_000);

beforeEach(() => {
  installation = new Installation({ TEMPORAL_ADDRESS: server.address, TEMPORAL_NAMESPACE: 'default' });
  other = realpathSync(mkdtempSync(join(tmpdir(), 'planwright-e2e-other-')));
  cpSync(installation.workspace, other, { recursive: true });
});

afterEach(async () => {
  for (const { child, done } of workers) {
    child.kill('SIGKILL');
    await done;
  }
  workers = [];
  model.reply = undefined;
  rmSync(other, { recursive: true, force: true });
  expect(await installation.close()).toEqual([]);
}, 60_000);

afterAll(async () => {
  await model.close();
  await server.teardown();
}, 60_000);

async function startWorker(args: string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Running> {
  const worker = installation.start(['worker', ...args], { env });
  workers.push(worker);
  await worker.says(/worker listens/);
  return worker;
}

async function stop(worker: Running): Promise<{ code: number | null; stdout: string }> {
  workers = workers.filter((one) => one !== worker);
  worker.child.kill('SIGTERM');
  return worker.done;
}

const asked = async (port: number, path: string): Promise<{ status: number; body: string }> => {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`);
  return { status: answer.status, body: await answer.text() };
};

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function holds(check: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 30_000; !(await check()); await pause(100)) {
    if (Date.now() > end) throw new Error(`it does not come to hold: ${check}`);
  }
}

it('serves several workspaces, tells of both in its metrics, and of their plans and gates in its log', async () => {
  const port = await freePort(24_000 + (process.pid % 1_000));
  const worker = await startWorker(['-C', installation.workspace, '-C', other], { PLANWRIGHT_HEALTH: String(port) });
  expect(await asked(port, '/live')).toEqual({ status: 200, body: 'live\n' });
  expect(await asked(port, '/ready')).toEqual({ status: 200, body: 'ready\n' });
  expect((await asked(port, '/plans')).status).toBe(404);

  await installation.ok(['plan', GOAL], { cwd: other });
  await installation.ok(['plan', GOAL]);
  expect((await installation.run(['apply'])).code).toBe(8);
  const [own, others] = [workspaceLayout(installation.workspace).id, workspaceLayout(other).id];
  const metrics = async (): Promise<string> => (await asked(port, '/metrics')).body;
  await holds(async () => (await metrics()).includes(`planwright_plans{workspace="${own}",state="waiting"} 1`));
  const text = await metrics();
  expect(text).toContain(`planwright_plans{workspace="${others}",state="ready"} 1`);
  expect(text).toContain(`planwright_gates_waiting{workspace="${own}",kind="file"} 1`);
  expect(text).toMatch(new RegExp(`planwright_gate_oldest_seconds{workspace="${own}"} (?!0\\n)[\\d.]+\\n`));
  expect(text).toMatch(/planwright_verdicts\{workspace="ws-\w+",verifier="\w+",verdict="passed"\} \d/);
  expect(text).toMatch(new RegExp(`planwright_mirror_lag_seconds{workspace="${own}"} \\d`));
  // The SDK's own, by the same address.
  expect(text).toMatch(/^temporal_workflow_task_execution_latency/m);
  // One heading for each name, whatever the number of workspaces.
  const headings = text.match(/^# TYPE (\S+)/gm) ?? [];
  expect(new Set(headings).size).toBe(headings.length);

  const plan = (await installation.view()).id;
  const gate = (await installation.view()).gates[0]?.gate;
  const { code, stdout } = await stop(worker);
  expect(code).toBe(0);
  const lines = linesOf(stdout);
  expect(lines).toContainEqual(
    expect.objectContaining({ msg: 'gate waits', workspace: own, plan, gate, run: 1, task: '1' }),
  );
  expect(lines).toContainEqual(expect.objectContaining({ msg: 'activity done', workspace: own, plan, task: '1' }));
  await expect(asked(port, '/live')).rejects.toThrow();
}, 120_000);

it('takes its workspaces from PLANWRIGHT_WORKSPACE, and is not ready while Temporal is away', async () => {
  const port = await freePort(25_000 + (process.pid % 1_000));
  const env = { PLANWRIGHT_WORKSPACE: [installation.workspace, other].join(delimiter) };
  await installation.ok(['init']);
  const away = await startServer();
  const worker = installation.start(['worker', '--address', away.address], {
    env: { ...env, PLANWRIGHT_HEALTH: String(port) },
    cwd: tmpdir(),
  });
  workers.push(worker);
  await worker.says(new RegExp(`listens for ${other}`));
  expect((await asked(port, '/ready')).status).toBe(200);
  await away.teardown();
  expect(await asked(port, '/ready')).toEqual({
    status: 503,
    body: expect.stringContaining('Temporal cannot be reached'),
  });
  expect((await asked(port, '/live')).status).toBe(200);
}, 120_000);

it('hands a call of the model back when it is stopped, and another worker asks at once', async () => {
  const env = { OPENAI_API_KEY: 'sk-test', OPENAI_BASE_URL: model.url, PLANWRIGHT_MODEL: 'm' };
  const first = await startWorker([], env);
  await installation.ok(['plan', GOAL], { env });
  const from = model.calls.length;
  model.reply = () => ({ hang: true });
  const apply = installation.start(['apply', '--yes'], { env });
  await holds(() => model.calls.length > from);
  const second = await startWorker([], env);
  model.reply = undefined;
  const { code, stdout } = await stop(first);
  expect(code).toBe(0);
  // By itself, and not because its time to stop was over.
  expect(linesOf(stdout)).toContainEqual(expect.objectContaining({ msg: 'activity failed', error: 'WorkerDied' }));
  expect((await apply.done).code).toBe(0);
  const { tasks, status } = await installation.view();
  expect(status).toBe('completed');
  for (const { attempts } of Object.values(tasks)) expect(attempts).toBe(1);
  expect((await stop(second)).code).toBe(0);
}, 120_000);

it.each([
  [['worker', '--deployment', 'x'], /there is no --build-id/],
  [['worker', '--build-id', 'one two'], /letters, digits/],
])('refuses %j', async (args, why) => {
  const { code, stderr } = await installation.run(args);
  expect(code).toBe(2);
  expect(stderr).toMatch(why);
});
