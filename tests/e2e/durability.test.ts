/**
 * What a person or a machine does to a run in its middle: commands killed, processes stopped and continued, servers taken
 * down, keys changed. The plan goes on, calls are not repeated, files are those of an undisturbed run.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEFAULT_FILES, type ModelServer, startModelServer } from '../support/model-server';
import { Installation, type ProcessRow, useInstallation } from './installation';

const GOAL = 'Set up CI, a Dockerfile and docker-compose';
const WRITTEN = ['.github/workflows/ci.yml', 'Dockerfile', 'docker-compose.yml'];

let model: ModelServer;
beforeAll(async () => {
  model = await startModelServer();
});
afterAll(() => model.close());

const installation = useInstallation(async () => {
  while (!model) await sleep(10);
  return new Installation({ OPENAI_API_KEY: 'sk-test', OPENAI_BASE_URL: model.url, PLANWRIGHT_MODEL: 'm' });
});

beforeEach(() => {
  model.reply = undefined;
  for (const path of WRITTEN) rmSync(join(installation().workspace, path), { force: true });
});

/** Calls of the model since `from`, by what they were about. */
const callsSince = (from: number): string[] =>
  model.calls.slice(from).map(({ skill, schemaName }) => skill ?? schemaName);

/** Waits, without a limit of its own: the test's is enough. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(50);
}

const slowly = (latencyMs: number): void => {
  model.reply = () => ({ latencyMs });
};

async function pidOf(name: ProcessRow['name']): Promise<number> {
  const row = (await installation().processes()).find((one) => one.name === name);
  if (!row) throw new Error(`no ${name} runs`);
  return row.pid;
}

async function expectDone(plan: string): Promise<void> {
  const watched = await installation().run(['watch', plan]);
  expect(`${watched.code}${watched.code === 0 ? '' : watched.stdout + watched.stderr}`).toBe('0');
  const view = await installation().view(plan);
  expect(view.status).toBe('completed');
  const files = installation().files();
  for (const { path, content } of Object.values(DEFAULT_FILES)) {
    if (WRITTEN.includes(path)) expect(files[path]).toBe(content);
  }
  expect(Object.keys(files).filter((path) => path.endsWith('.bak'))).toEqual([]);
  await until(() => installation().leftovers().length === 0);
}

describe('the command goes away, the plan goes on', () => {
  it('kill -9 of `plan` while the model thinks: the plan is made, and `watch` finds it', async () => {
    slowly(1_500);
    const from = model.calls.length;
    const planning = installation().start(['plan', GOAL, '--name', 'orphan']);
    await until(() => model.calls.length > from);
    planning.child.kill('SIGKILL');
    await planning.done;
    await until(async () => (await installation().ok(['plan', 'list'])).stdout.includes('ready'));
    expect(callsSince(from)).toEqual(['task_graph']);
    expect((await installation().ok(['plan', 'show', 'orphan'])).stdout).toContain('→ depends on Task 2');
  }, 90_000);

  it.each([
    ['SIGKILL', null],
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)(
    '%s in the middle of `apply --yes`',
    async (signal, code) => {
      await installation().ok(['plan', GOAL, '--name', `left-${signal.toLowerCase()}`]);
      slowly(1_500);
      const from = model.calls.length;
      const applying = installation().start(['apply', '--yes']);
      await until(() => model.calls.length > from);
      applying.child.kill(signal);
      const { code: ended, stderr } = await applying.done;
      expect(ended).toBe(code);
      if (code !== null)
        expect(stderr).toMatch(/Detached from plan plan-\w+: it goes on without this command\.[\s\S]*planwright watch/);
      await expectDone(`left-${signal.toLowerCase()}`);
      expect(callsSince(from).sort()).toEqual(['docker-compose', 'dockerfile', 'github-actions']);
    },
    90_000,
  );
});

describe('processes stop and go on', () => {
  it('SIGSTOP of the worker for 8 s during calls of the model: a zombie does no harm', async () => {
    await installation().ok(['plan', GOAL, '--name', 'zombie-call']);
    slowly(1_000);
    const from = model.calls.length;
    await installation().ok(['apply', '--yes', '--detach']);
    await until(() => model.calls.length >= from + 2);
    const worker = await pidOf('worker');
    process.kill(worker, 'SIGSTOP');
    await sleep(8_000);
    process.kill(worker, 'SIGCONT');
    await expectDone('zombie-call');
    // The two calls that were in flight may be asked again, and nothing else.
    expect(callsSince(from).filter((skill) => skill === 'docker-compose')).toHaveLength(1);
    expect(model.calls.length - from).toBeLessThanOrEqual(3 + 2);
  }, 120_000);

  it('SIGSTOP of the worker for 8 s as soon as a file appears', async () => {
    await installation().ok(['plan', GOAL, '--name', 'zombie-write']);
    const from = model.calls.length;
    await installation().ok(['apply', '--yes', '--detach']);
    await until(() => WRITTEN.some((path) => path in installation().files()));
    const worker = await pidOf('worker');
    process.kill(worker, 'SIGSTOP');
    await sleep(8_000);
    process.kill(worker, 'SIGCONT');
    await expectDone('zombie-write');
    expect(model.calls.length - from).toBeLessThanOrEqual(3 + 1);
  }, 120_000);

  it('the server is killed while the command watches: the command carries on to the end', async () => {
    await installation().ok(['plan', GOAL, '--name', 'server-gone']);
    slowly(1_500);
    const from = model.calls.length;
    const applying = installation().start(['apply', '--yes']);
    await until(() => model.calls.length > from);
    expect(await installation().kill('server')).toBe(true);
    const { code, stderr } = await applying.done;
    expect(`${code}${code === 0 ? '' : stderr}`).toBe('0');
    await expectDone('server-gone');
    expect(callsSince(from).filter((skill) => skill === 'docker-compose')).toHaveLength(1);
  }, 120_000);

  it('`down` in the middle of a run, then `up`: the run goes on', async () => {
    await installation().ok(['plan', GOAL, '--name', 'down-up']);
    slowly(800);
    const from = model.calls.length;
    await installation().ok(['apply', '--yes', '--detach']);
    await until(() => model.calls.length > from);
    await installation().ok(['down']);
    await installation().ok(['up']);
    await expectDone('down-up');
    // A worker that is told to stop ends its calls first; what it could not record is asked again.
    expect(callsSince(from).filter((skill) => skill === 'docker-compose')).toHaveLength(1);
  }, 120_000);
});

describe('decisions and keys', () => {
  it('a gate is decided by Signal with `temporal`, while no worker lives', async () => {
    writeFileSync(
      join(installation().workspace, 'graph.json'),
      JSON.stringify({
        nodes: [{ id: '1', tool: 'dockerfile', description: 'Write a Dockerfile', input: {}, deps: [] }],
      }),
    );
    await installation().ok(['plan', '--graph', 'graph.json', '--name', 'by-signal']);
    rmSync(join(installation().workspace, 'graph.json'));
    const from = model.calls.length;
    expect((await installation().run(['apply'])).code).toBe(8);
    const view = await installation().view();
    const gate = view.gates[0]?.gate ?? '';
    const { address, namespace } = JSON.parse((await installation().ok(['status', '--json'])).stdout) as {
      address: string;
      namespace: string;
    };
    // The supervisor would start another worker.
    await installation().kill('supervisor');
    await installation().kill('worker');
    const input = JSON.stringify({ gate, decision: 'approve', by: 'ana', reason: 'from temporal' });
    const binary = installation().temporalBinary;
    execFileSync(binary, [
      'workflow',
      'signal',
      '-w',
      view.id,
      '--name',
      'decide',
      '--input',
      input,
      '--address',
      address,
      '--namespace',
      namespace,
    ]);
    expect(installation().files().Dockerfile).toBeUndefined();
    await installation().ok(['up']);
    await until(() => installation().files().Dockerfile !== undefined);
    expect((await installation().run(['watch', view.id])).code).toBe(0);
    expect((await installation().view(view.id)).tasks['1']?.decisions).toMatchObject([
      { by: 'ana', reason: 'from temporal' },
    ]);
    expect(callsSince(from)).toEqual(['dockerfile']);
  }, 90_000);

  it('a key that is refused in the middle: exit 4, and after it is put right only what failed is asked again', async () => {
    await installation().ok(['plan', GOAL, '--name', 'key-lost']);
    model.reply = ({ skill }) =>
      skill === 'github-actions' ? {} : { status: 401, error: 'Incorrect API key provided: sk-test', latencyMs: 300 };
    const failed = await installation().run(['apply', '--yes']);
    expect(`${failed.code} ${failed.stderr}`).toMatch(/^4 [\s\S]*refused the credentials \(401\)/);
    expect(failed.stderr).not.toContain('sk-test');
    model.reply = undefined;
    const from = model.calls.length;
    await installation().ok(['apply', '--resume', '--retry', '--yes']);
    expect(callsSince(from)).toEqual(['dockerfile', 'docker-compose']);
    await expectDone('key-lost');
  }, 90_000);

  it('a copied workspace is another one: plans that came along are not run from there', async () => {
    const copy = realpathSync(mkdtempSync(join(tmpdir(), 'planwright-e2e-copy-')));
    await installation().ok(['plan', GOAL, '--name', 'original']);
    const { id } = await installation().view();
    await until(() => existsSync(join(installation().workspace, '.planwright', 'plans', `${id}.json`)));
    cpSync(installation().workspace, copy, { recursive: true });
    const before = installation().files();
    const own = JSON.parse((await installation().ok(['status', '--json'])).stdout) as { taskQueue: string };
    const other = JSON.parse((await installation().ok(['-C', copy, 'status', '--json'])).stdout) as {
      taskQueue: string;
    };
    expect(other.taskQueue).not.toBe(own.taskQueue);
    const refused = await installation().run(['-C', copy, 'apply', id, '--yes']);
    expect(`${refused.code} ${refused.stderr}`).toMatch(
      /^5 [\s\S]*belongs to another directory, from which this one was copied/,
    );
    expect((await installation().ok(['-C', copy, 'plan', 'show', id])).stdout).toMatch(/Note: .*another directory/);
    expect((await installation().view(id)).status).toBe('ready');
    await installation().ok(['-C', copy, 'plan', GOAL, '--name', 'in-the-copy']);
    await installation().ok(['-C', copy, 'apply', '--yes']);
    expect(installation().files()).toEqual(before);
    expect((await installation().ok(['plan', 'list'])).stdout).not.toContain('in-the-copy');
    rmSync(copy, { recursive: true });
  }, 90_000);
});
