/** A plan that Temporal lost and that is taken up from its plan file: what of the file is believed, and what is not. */
import type { LostPlan } from '../../plan/lost';
import type { PlanView } from '../../plan/view';
import type { PlanInput } from '../../workflows/state';
import { type Driver, node, statuses, terminal, usePlans } from './fake-world';

const start = usePlans();

/** A plan of five tasks: 1 and 2 completed, 3 failed, 4 skipped, 5 refused by a person. */
async function finished(): Promise<{ plan: Driver; view: PlanView }> {
  const plan = await start();
  plan.world.script.graph = { nodes: [node('1'), node('2', ['1']), node('3'), node('4', ['3']), node('5', ['2'])] };
  plan.world.script.generate = ({ task, generation }) => {
    if (task.id === '3') throw terminal('Timeout', 'too slow');
    return `${task.id} ${generation}`;
  };
  await plan.plan();
  await plan.apply();
  for (const task of ['1', '2', '5']) {
    const { gates } = await plan.until((view) => view.gates.some((gate) => gate.task === task));
    const gate = gates.find((open) => open.task === task)?.gate ?? '';
    await plan.decide({ gate, decision: task === '5' ? 'reject' : 'approve' });
  }
  const view = await plan.settled();
  expect(statuses(view)).toEqual({ 1: 'completed', 2: 'completed', 3: 'failed', 4: 'skipped', 5: 'declined' });
  return { plan, view };
}

/** Ends the workflow and starts another with the same id from what is left. */
async function takenUp(
  plan: Driver,
  { goal, name, provider, model, temperature, ...rest }: PlanView,
): Promise<PlanView> {
  await plan.handle.terminate('lost');
  const settings = { provider, model, temperature };
  const lost: LostPlan = { ...rest, goal, name, settings };
  const about = { id: plan.id, goal, name, settings, workspace: 'ws-test', by: 'tester', timeoutMs: 60_000 };
  const input: PlanInput = {
    plan: { ...about, planwrightVersion: '0', graph: null, searchAttributes: true, llmQueue: null },
    lost,
  };
  await plan.client.workflow.start('planWorkflow', {
    workflowId: plan.id,
    taskQueue: plan.world.taskQueue,
    args: [input],
  });
  return plan.until(({ status }) => status !== 'planning');
}

describe('a plan taken up from its file', () => {
  it('keeps what is on disk as recorded, carries failures, and asks again what a person had refused', async () => {
    const { plan, view } = await finished();
    const taken = await takenUp(plan, view);
    expect(statuses(taken)).toEqual({ 1: 'completed', 2: 'completed', 3: 'failed', 4: 'skipped', 5: 'pending' });
    expect(taken.tasks['1']).toMatchObject({ files: view.tasks['1']?.files, attempts: 1, decisions: [] });
    expect(taken.runs).toEqual(view.runs);
    expect(taken.usage).toEqual(view.usage);
  });

  it('goes on with --resume: only what is not completed runs, as the next run', async () => {
    const { plan, view } = await finished();
    await takenUp(plan, view);
    const before = plan.world.calls.filter((call) => call.startsWith('generate')).length;
    const end = await plan.run({ yes: true, resume: true });
    expect(statuses(end)).toEqual({ 1: 'completed', 2: 'completed', 3: 'failed', 4: 'skipped', 5: 'completed' });
    expect(end.runs.map(({ number, kind }) => [number, kind])).toEqual([
      [1, 'apply'],
      [2, 'resume'],
    ]);
    expect(plan.world.calls.filter((call) => call.startsWith('generate')).slice(before)).toEqual(['generate 5 1']);
  });

  it('runs a task again whose file is not the recorded one, whatever the plan file says', async () => {
    const { plan, view } = await finished();
    plan.world.disk.set('1.txt', 'edited by hand');
    plan.world.disk.delete('2.txt');
    const taken = await takenUp(plan, view);
    expect(statuses(taken)).toMatchObject({ 1: 'pending', 2: 'pending' });
    expect(taken.tasks['1']?.reason).toBe('1.txt changed since it was written');
    expect(plan.world.disk.get('1.txt')).toBe('edited by hand');
  });

  it('does not believe a file that calls a task completed which never wrote anything', async () => {
    const { plan, view } = await finished();
    const forged = structuredClone(view);
    const [file] = forged.tasks['1']?.files ?? [];
    Object.assign(forged.tasks['4'] ?? {}, { status: 'completed', files: [{ ...file, path: '4.txt' }] });
    Object.assign(forged.tasks['5'] ?? {}, { status: 'completed', files: [] });
    expect(statuses(await takenUp(plan, forged))).toMatchObject({ 4: 'pending', 5: 'pending' });
  });

  it('computes the risk anew and checks the graph again', async () => {
    const { plan, view } = await finished();
    plan.world.script.risk = 'HIGH';
    expect(await takenUp(plan, { ...view, risk: 'LOW' })).toMatchObject({ risk: 'HIGH' });
  });

  it('closes a run that was under way, and lets a lost plan in the middle go on', async () => {
    const plan = await start();
    await plan.plan();
    await plan.apply();
    const waiting = await plan.until(({ status }) => status === 'waiting');
    const taken = await takenUp(plan, waiting);
    expect(taken).toMatchObject({ status: 'ready', gates: [], runs: [{ number: 1, status: 'cancelled' }] });
    expect((await plan.run({ yes: true, resume: true })).status).toBe('completed');
  });
});
