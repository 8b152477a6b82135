import type { PlanInput } from '../../workflows/state';
import { node, statuses, usePlans } from './fake-world';

const start = usePlans();

const cancel: { args: [{ by: string; reason: string }] } = { args: [{ by: 'ana', reason: 'enough' }] };

describe('after a cancel', () => {
  it('nothing is written that was not being written, although the call of the model came back', async () => {
    const plan = await start();
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    plan.world.script.graph = { nodes: [node('1')] };
    plan.world.script.generate = async () => {
      await held;
      return 'too late';
    };
    await plan.plan();
    await plan.apply({ yes: true });
    await plan.until(() => plan.world.requests.generate.length === 1);
    const answer = plan.handle.executeUpdate<{ status: string }, [{ by: string; reason: string }]>('cancel', cancel);
    await new Promise((resolve) => setTimeout(resolve, 300));
    release();
    expect(await answer).toEqual({ status: 'cancelled' });
    expect(statuses(await plan.view())).toEqual({ 1: 'cancelled' });
    expect(plan.world.disk.size).toBe(0);
  });

  it('that came in the very first moment, no plan is made', async () => {
    const plan = await start();
    await plan.stopWorker();
    const input: PlanInput = {
      plan: {
        id: plan.id,
        name: 'a plan',
        goal: 'a goal',
        workspace: 'ws-test',
        by: 'tester',
        settings: { provider: 'openai', model: 'fake', temperature: 0.2 },
        timeoutMs: 60_000,
        planwrightVersion: '0',
        graph: null,
        searchAttributes: true,
        llmQueue: null,
      },
    };
    const { taskQueue } = plan.world;
    await plan.client.workflow.start('planWorkflow', { workflowId: plan.id, taskQueue, args: [input] });
    const answer = plan.handle.executeUpdate<{ status: string }, [{ by: string; reason: string }]>('cancel', cancel);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await plan.startWorker();
    expect(await answer).toEqual({ status: 'failed' });
    expect(await plan.view()).toMatchObject({ status: 'failed', failure: { type: 'Cancelled' }, graph: { nodes: [] } });
  });
});

describe('a plan whose workflow is cancelled in Temporal', () => {
  it('stays completed when it was, and says what happened', async () => {
    const plan = await start();
    await plan.plan();
    await plan.run({ yes: true });
    await plan.handle.cancel();
    await expect(plan.handle.result()).rejects.toThrow();
    expect(await plan.view()).toMatchObject({
      status: 'completed',
      reason: 'its workflow was cancelled in Temporal',
      runs: [{ status: 'completed' }],
    });
  });

  it('has no open gate and no open run left', async () => {
    const plan = await start();
    await plan.plan();
    await plan.apply();
    await plan.until(({ gates }) => gates.length === 2);
    await plan.handle.cancel();
    await expect(plan.handle.result()).rejects.toThrow();
    expect(await plan.view()).toMatchObject({ status: 'cancelled', gates: [], runs: [{ status: 'cancelled' }] });
  });

  it('before its first run has only cancelled tasks', async () => {
    const plan = await start();
    await plan.plan();
    await plan.handle.cancel();
    await expect(plan.handle.result()).rejects.toThrow();
    const view = await plan.view();
    expect(view.status).toBe('cancelled');
    expect(statuses(view)).toEqual({ 1: 'cancelled', 2: 'cancelled', 3: 'cancelled' });
  });
});

describe('an apply typed by hand', () => {
  it.each([
    [{ yes: 'true' }, '"yes" is true or false'],
    [{ task: 1 }, '"task" is a string'],
    [{ concurrency: 0 }, '"concurrency" is a whole number'],
    [{ timeoutMs: 1e15 }, '"timeoutMs" is a whole number from 1 to'],
    [{ settings: 'gpt' }, '"settings" is an object'],
    [{ settings: { model: 4 } }, '"provider" and "model"'],
  ])('is refused with what is wrong with it: %j', async (wrong, message) => {
    const plan = await start();
    await plan.plan();
    const sent = plan.handle.executeUpdate('apply', { args: [{ by: 'ops', ...wrong }] });
    await expect(sent).rejects.toMatchObject({
      cause: { type: 'BadInput', message: expect.stringContaining(message) },
    });
    expect((await plan.view()).runs).toEqual([]);
  });
});
