import type { PlanView } from '../../plan/view';
import { type Driver, node, statuses, usePlans } from './fake-world';
import { productClient } from './product-client';

const start = usePlans();

/** The events after which a plan that waits leaves its history behind, and one in the middle of a run (limits.ts). */
const QUIET = 1_500;
const BUSY = 2_000;

/** The cheapest event there is: a decision on a gate that nobody opened. */
const noise = (plan: Driver, bytes = 0): Promise<void> =>
  plan.handle.signal('decide', { gate: 'gate-none', decision: 'approve', by: 'noise', reason: 'x'.repeat(bytes) });

/** A hundred at a time: the query after them is answered when they have been dealt with. */
const manyTimes = async (count: number, plan: Driver): Promise<void> => {
  for (let left = count; left > 0; left -= 100) {
    await Promise.all(Array.from({ length: Math.min(100, left) }, () => noise(plan)));
    await plan.view();
  }
};

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const runId = async (plan: Driver): Promise<string> => (await plan.handle.describe()).runId;

/** Signals of 100 kB, ten at a time: what comes during one workflow task is one batch, and the server reads none above 4 MB. */
async function fill(plan: Driver, bytes: number): Promise<void> {
  for (let sent = 0; sent < bytes; sent += 1_000_000) {
    await Promise.all(Array.from({ length: 10 }, () => noise(plan, 100_000)));
    await plan.view();
  }
}

/** Fills the history until the server suggests a new one (4 MB), and waits for it. */
async function intoNextExecution(plan: Driver): Promise<void> {
  const first = await runId(plan);
  await fill(plan, 4_500_000);
  await inNextExecution(plan, first);
}

/**
 * The server suggests a new execution when a workflow task starts, by the size that it knew one transaction before: a
 * last batch that came at once is seen at the next event only. So there is a next event, now and then.
 */
async function inNextExecution(plan: Driver, first: string): Promise<void> {
  const end = Date.now() + 50_000;
  for (let round = 1; (await runId(plan)) === first; round++) {
    if (Date.now() > end) throw new Error('the plan did not continue as new');
    if (round % 20 === 0) await noise(plan);
    await pause(50);
  }
}

const gateOf = (view: PlanView, path: string): string =>
  view.gates.find((gate) => gate.path === path)?.gate ?? `no gate for ${path}`;

const generated = (plan: Driver): string[] => plan.world.calls.filter((call) => call.startsWith('generate')).sort();

describe('a plan that waits for people when its history has grown long', () => {
  it('goes on in a new execution with its gates, its decisions and what was approved', async () => {
    const plan = await start();
    plan.world.script.generate = ({ task }) => `always the same for ${task.id}`;
    plan.world.script.also = ({ task, generation }): { [path: string]: string } =>
      task.id === '1' ? { '1b.txt': `generation ${generation}` } : {};
    await plan.plan();
    await plan.apply();
    const before = await plan.until(({ gates }) => gates.length === 3);
    await plan.decide({ gate: gateOf(before, '1.txt'), decision: 'approve', by: 'ana' });
    const decided = await plan.view();
    const first = await runId(plan);
    await manyTimes(QUIET, plan);
    await inNextExecution(plan, first);

    const after = await plan.view();
    // What the noise leaves in the view: how often it changed, and the latest refusals.
    const quiet = (view: PlanView): object => ({ ...view, changes: 0, updatedAt: '', refusals: [] });
    expect(quiet(after)).toEqual(quiet(decided));
    expect(after.status).toBe('waiting');
    // Who decided before is still known, and the decision stands when the task is made again with the same bytes.
    const late = { gate: gateOf(before, '1.txt'), decision: 'approve' };
    expect(await plan.decide({ ...late, by: 'ana' })).toMatchObject({ by: 'ana' });
    await expect(plan.decide({ ...late, by: 'ben' })).rejects.toMatchObject({ cause: { type: 'AlreadyDecided' } });
    await plan.decide({ gate: gateOf(before, '1b.txt'), decision: 'request-changes', reason: 'more' });
    const again = await plan.until(({ tasks, gates }) => tasks['1']?.attempts === 2 && gates.length === 2);
    expect(again.gates.map(({ path }) => path).sort()).toEqual(['1b.txt', '2.txt']);
    for (const { gate } of again.gates) await plan.decide({ gate, decision: 'approve' });
    const last = await plan.until(({ gates }) => gates.some(({ path }) => path === '3.txt'));
    await plan.decide({ gate: gateOf(last, '3.txt'), decision: 'approve' });

    expect(await plan.settled()).toMatchObject({ status: 'completed', runs: [{ number: 1, status: 'completed' }] });
    expect(generated(plan)).toEqual(['generate 1 1', 'generate 1 2', 'generate 2 1', 'generate 3 1']);
    // The run was admitted once; the workspace is not read again for each execution.
    expect(plan.world.calls.filter((call) => call === 'read')).toHaveLength(2);
  });

  it('asks for a HIGH risk once, also when the decision arrives together with the last event that it could hold', async () => {
    const plan = await start();
    plan.world.script.risk = 'HIGH';
    await plan.plan();
    await plan.apply({ yes: true });
    const { gates } = await plan.until((view) => view.gates.length === 1);
    const first = await runId(plan);
    while ((await plan.handle.describe()).historyLength < QUIET - 100) await manyTimes(50, plan);
    await plan.stopWorker();
    // All of this is one workflow task of the next worker.
    await Promise.all(Array.from({ length: 200 }, () => noise(plan)));
    await plan.handle.signal('decide', { gate: gates[0]?.gate, decision: 'approve', by: 'ana' });
    await plan.startWorker();
    const view = await plan.settled();
    expect(await runId(plan)).not.toBe(first);
    expect(view).toMatchObject({ status: 'completed', decisions: [{ decision: 'approve', by: 'ana' }] });
  });

  it('loses no decision that races the change of executions', async () => {
    const plan = await start();
    const ids = Array.from({ length: 40 }, (_, index) => `t${index}`);
    plan.world.script.graph = { nodes: ids.map((id) => node(id)) };
    await plan.plan();
    await plan.apply();
    const { gates } = await plan.until((view) => view.gates.length === ids.length);
    const first = await runId(plan);
    const client = productClient(plan);
    const changed = intoNextExecution(plan);
    const decisions = (async () => {
      for (const [index, { gate, digest }] of gates.entries()) {
        const decision = { gate, decision: index % 2 ? 'approve' : 'reject', by: 'ana', digest: digest ?? '' };
        // One that is sent twice gets the same answer, whichever execution it meets.
        const [one, other] = await Promise.all([client.decide(plan.id, decision), client.decide(plan.id, decision)]);
        expect(other).toEqual(one);
        if (index === ids.length - 5) await changed;
      }
    })();
    await Promise.all([decisions, changed]);
    const view = await plan.settled();
    expect(await runId(plan)).not.toBe(first);
    expect(view.status).toBe('completed');
    for (const [index, { task }] of gates.entries()) {
      const { status, decisions } = view.tasks[task ?? ''] ?? {};
      expect(status).toBe(index % 2 ? 'completed' : 'declined');
      expect(decisions).toHaveLength(1);
    }
    expect(generated(plan)).toHaveLength(ids.length);
  });
});

describe('a plan between runs', () => {
  it('keeps everything that it knows when its history has grown long', async () => {
    const plan = await start();
    await plan.plan();
    await plan.run({ task: '1', yes: true, instruct: 'use Node 22' });
    const before = await plan.view();
    await intoNextExecution(plan);
    const after = await plan.view();
    expect({ ...after, changes: 0, updatedAt: '' }).toEqual({ ...before, changes: 0, updatedAt: '' });
    await plan.run({ task: '1', yes: true });
    expect(plan.world.requests.generate.at(-1)).toMatchObject({ generation: 2, instruction: 'use Node 22' });
    const view = await plan.run({ yes: true, resume: true });
    expect(view).toMatchObject({ status: 'completed', runs: [{ number: 1 }, { number: 2 }, { number: 3 }] });
  });

  it('answers an apply that is sent again with its id as it answered before', async () => {
    const plan = await start();
    await plan.plan();
    const send = (): Promise<unknown> =>
      plan.handle.executeUpdate('apply', { updateId: 'apply-1', args: [{ by: 'tester', task: '1', yes: true }] });
    const answer = await send();
    await plan.settled();
    await intoNextExecution(plan);
    expect(await send()).toEqual(answer);
    expect((await plan.view()).runs).toHaveLength(1);
  });
});

describe('a run whose history has grown very long', () => {
  /** A plan in the middle of a run: task 2 is being generated until `release`, and its history is full. */
  async function fullHistory(by: 'events' | 'bytes'): Promise<{ plan: Driver; first: string; release: () => void }> {
    const plan = await start();
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    plan.world.script.graph = { nodes: [node('1'), node('2'), node('3', ['2']), node('4')] };
    plan.world.script.generate = async ({ task }) => {
      if (task.id === '2') await held;
      return `content of ${task.id}`;
    };
    await plan.plan();
    // Task 1, then task 2, and task 4 behind it: one at a time.
    await plan.apply({ yes: true, concurrency: 1 });
    await plan.until(({ tasks }) => tasks['2']?.status === 'generating');
    const first = await runId(plan);
    if (by === 'events') await manyTimes(BUSY, plan);
    else await fill(plan, 16_500_000);
    return { plan, first, release };
  }

  it('waits for the calls in flight, then goes on in a new execution and generates nothing twice', async () => {
    const { plan, first, release } = await fullHistory('events');
    expect(await runId(plan)).toBe(first);
    release();
    const view = await plan.settled();
    expect(await runId(plan)).not.toBe(first);
    expect(view.status).toBe('completed');
    expect(statuses(view)).toEqual({ 1: 'completed', 2: 'completed', 3: 'completed', 4: 'completed' });
    expect(generated(plan)).toEqual(['generate 1 1', 'generate 2 1', 'generate 3 1', 'generate 4 1']);
    expect(plan.world.calls.filter((call) => call.startsWith('write')).sort()).toEqual([
      'write 1',
      'write 2',
      'write 3',
      'write 4',
    ]);
  });

  it('is cancelled when that is asked while it waits for them, and does not go on in the next execution', async () => {
    const { plan, release } = await fullHistory('bytes');
    const cancelled = plan.handle.executeUpdate('cancel', { args: [{ by: 'ana', reason: 'enough' }] });
    await pause(200);
    release();
    expect(await cancelled).toEqual({ status: 'cancelled' });
    const view = await plan.view();
    expect(view).toMatchObject({ status: 'cancelled', reason: 'cancelled by ana: enough' });
    expect(statuses(view)).toMatchObject({ 1: 'completed', 3: 'cancelled', 4: 'cancelled' });
    expect([...plan.world.disk.keys()]).toEqual(['1.txt']);
    expect((await plan.run({ yes: true, resume: true })).status).toBe('completed');
  });

  it('ends when Temporal cancels it while it waits for them', async () => {
    const { plan, release } = await fullHistory('bytes');
    await plan.handle.cancel();
    release();
    await expect(plan.handle.result()).rejects.toThrow();
    const view = await plan.view();
    expect(view).toMatchObject({ status: 'cancelled', gates: [], runs: [{ status: 'cancelled' }] });
    expect(statuses(view)).toMatchObject({ 3: 'cancelled', 4: 'cancelled' });
  });
});

it('a plan remembers across executions what it wrote, and takes it back', async () => {
  const plan = await start();
  plan.world.disk.set('1.txt', 'original');
  await plan.plan();
  await plan.run({ yes: true });
  await intoNextExecution(plan);
  const view = await plan.undo('rollback');
  expect(view.status).toBe('rolled_back');
  expect([...plan.world.disk]).toEqual([['1.txt', 'original']]);
}, 60_000);

it('a plan remembers across executions what a dry run made: the apply asks no model, and a replay finds its record', async () => {
  const plan = await start();
  await plan.plan();
  await plan.run({ dryRun: true });
  await intoNextExecution(plan);
  const before = generated(plan);
  expect((await plan.run({ yes: true })).status).toBe('completed');
  expect(generated(plan)).toEqual(before);
  await intoNextExecution(plan);
  const replayed = await plan.run({ yes: true, replay: true });
  expect(replayed.runs.at(-1)).toMatchObject({ kind: 'replay', status: 'completed' });
  expect(generated(plan)).toHaveLength(2 * before.length);
  const again = await plan.run({ yes: true, replay: true, recorded: true });
  expect(again.runs.at(-1)?.status).toBe('completed');
  expect(generated(plan)).toHaveLength(2 * before.length);
}, 120_000);
