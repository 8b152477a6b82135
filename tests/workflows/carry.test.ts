/** A plan that is carried from one workspace to another with what a dry run made for it. */
import type { CarriedFacts, CarriedPlan } from '../../plan/export';
import type { PlanView } from '../../plan/view';
import { type Driver, node, statuses, usePlans } from './fake-world';

const start = usePlans();
const settings = { provider: 'openai', model: 'fake', temperature: 0.2 };

const facts = (plan: Driver): Promise<CarriedFacts> => plan.handle.query<CarriedFacts, []>('carried');

/** What `plan export` makes of a plan. */
async function carriedFrom(plan: Driver): Promise<CarriedPlan> {
  const { id, name, goal, risk, riskReasons, graph, tasks, updatedAt } = await plan.view();
  const own = await facts(plan);
  return {
    ...{ id, name, goal, settings, risk, riskReasons, graph },
    madeWith: { planwrightVersion: '0', policySnapshot: 'p', gitHead: null, updatedAt },
    tasks: graph.nodes.map((one) => {
      const { files = [], output = {}, skill = null, modelReturned = null, revisions = [] } = tasks[one.id] ?? {};
      const artifact = own[one.id];
      const plain = files.map(({ path, sha256, bytes, preSha256, mode }) => ({ path, sha256, bytes, preSha256, mode }));
      return {
        id: one.id,
        revisions,
        artifact: artifact ? { files: plain, output, skill, modelReturned, ...artifact } : null,
      };
    }),
  };
}

/** Another workspace, in which the plan begins with what was carried. */
async function arrived(imported: CarriedPlan, from: Driver): Promise<{ plan: Driver; view: PlanView }> {
  const plan = await start();
  for (const [digest, content] of from.world.objects) plan.world.objects.set(digest, content);
  return { plan, view: await plan.plan(null, { imported }) };
}

/** Task 2 changes what task 1 makes; task 3 stands alone. */
async function previewed(): Promise<Driver> {
  const plan = await start();
  plan.world.script.graph = { nodes: [node('1'), node('2', ['1']), node('3')] };
  plan.world.script.also = ({ task }): { [path: string]: string } =>
    task.id === '2' ? { '1.txt': 'changed by 2' } : {};
  await plan.plan();
  await plan.run({ dryRun: true });
  return plan;
}

describe('a carried plan', () => {
  it('is written by apply exactly as it was previewed elsewhere, and no model is asked', async () => {
    const source = await previewed();
    const carried = await carriedFrom(source);
    const { plan, view } = await arrived(carried, source);
    expect(view).toMatchObject({ status: 'ready', runs: [], decisions: [] });
    const applied = await plan.run({ yes: true });
    expect(applied.status).toBe('completed');
    expect(plan.world.calls.filter((call) => /^(generate|decompose)/.test(call))).toEqual([]);
    await source.run({ yes: true });
    expect(plan.world.disk).toEqual(source.world.disk);
    expect(applied.tasks['2']).toMatchObject({ attempts: 1, output: carried.tasks[1]?.artifact?.output });
  });

  it('opens the same gates as any plan, and can be rolled back and applied again', async () => {
    const source = await previewed();
    const { plan } = await arrived(await carriedFrom(source), source);
    plan.world.disk.set('mine.txt', 'mine');
    await plan.apply();
    const { gates } = await plan.until((now) => now.gates.length === 2);
    expect(gates.map(({ task }) => task).sort()).toEqual(['1', '3']);
    for (const { gate } of gates) await plan.decide({ gate, decision: 'approve' });
    await plan.until((now) => now.gates.some(({ task }) => task === '2'));
    for (const { gate } of (await plan.view()).gates) await plan.decide({ gate, decision: 'approve' });
    expect((await plan.settled()).status).toBe('completed');
    expect((await plan.undo('rollback')).status).toBe('rolled_back');
    expect(Object.fromEntries(plan.world.disk)).toEqual({ 'mine.txt': 'mine' });
  });

  it('is refused by its run where a base changed after the import, and made anew with --refresh', async () => {
    const source = await previewed();
    const { plan } = await arrived(await carriedFrom(source), source);
    plan.world.disk.set('3.txt', 'a person wrote this');
    const refused = await plan.run({ yes: true });
    expect(refused.runs.at(-1)).toMatchObject({ status: 'refused', stale: ['3.txt'] });
    const applied = await plan.run({ yes: true, refresh: true });
    expect(applied.status).toBe('completed');
    expect(plan.world.calls.filter((call) => call.startsWith('generate'))).toEqual(['generate 3 2']);
  });

  it('keeps the higher of two risks, and instructions that a task was given', async () => {
    const source = await start();
    await source.plan();
    await source.run({ dryRun: true, task: '1', instruct: 'use Alpine' });
    const carried = await carriedFrom(source);
    const { plan, view } = await arrived({ ...carried, risk: 'HIGH' }, source);
    expect(view).toMatchObject({ risk: 'HIGH', revision: 2 });
    expect(view.tasks['1']?.revisions).toMatchObject([{ instruction: 'use Alpine' }]);
    await plan.apply({ yes: true, force: true });
    expect((await plan.settled()).status).toBe('completed');
    expect(plan.world.requests.generate.map(({ task }) => task.id).sort()).toEqual(['2', '3']);
  });

  it('brings what was completed as something to write, and leaves out what failed or was refused', async () => {
    const source = await start();
    source.world.script.graph = { nodes: [node('1'), node('2'), node('3')] };
    source.world.script.verdict = (task) => (task === '2' ? 'failed' : 'passed');
    await source.plan();
    await source.apply({ yes: false });
    const { gates } = await source.until((now) => now.gates.length === 2 && now.tasks['2']?.status === 'failed');
    for (const { gate, task } of gates) await source.decide({ gate, decision: task === '1' ? 'approve' : 'reject' });
    await source.settled();
    const carried = await carriedFrom(source);
    expect(carried.tasks.map(({ artifact }) => artifact !== null)).toEqual([true, false, false]);
    const { plan, view } = await arrived(carried, source);
    expect(statuses(view)).toEqual({ 1: 'pending', 2: 'pending', 3: 'pending' });
    await plan.run({ yes: true });
    expect(plan.world.calls.filter((call) => call.startsWith('generate')).sort()).toEqual([
      'generate 2 1',
      'generate 3 1',
    ]);
  });

  it('fails in words where its graph breaks a rule of the workspace that it came to', async () => {
    const source = await previewed();
    const carried = await carriedFrom(source);
    const plan = await start();
    plan.world.script.planFaults = [['task 1: there is no skill "dockerfile"']];
    const view = await plan.plan(null, { imported: carried });
    expect(view).toMatchObject({ status: 'failed', failure: { message: expect.stringContaining('no skill') } });
  });
});

describe('the digests that a plan stands on', () => {
  it('are those of its artifacts, bases, earlier generations and the workspace as it was read', async () => {
    const plan = await start();
    await plan.plan();
    plan.world.disk.set('1.txt', 'before');
    await plan.run({ yes: true });
    await plan.run({ task: '1', yes: true });
    const known = new Set(await plan.handle.query<string[], []>('references'));
    const missing = [...plan.world.objects].filter(([digest]) => !known.has(digest)).map(([, content]) => content);
    expect(missing).toEqual([]);
  });
});
