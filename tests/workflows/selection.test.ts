import type { ApplyRequest } from '../../plan/view';
import { node, statuses, terminal, usePlans } from './fake-world';

const start = usePlans();
const FIVE = { nodes: [node('1'), node('2'), node('3', ['2']), node('4', ['3']), node('5', ['1'])] };

describe('--only and --exclude', () => {
  it('take what is named and what that needs; the rest stays pending to the byte', async () => {
    const plan = await start();
    plan.world.script.graph = FIVE;
    const before = await plan.plan();
    const answer = await plan.apply({ only: ['3'], yes: true });
    expect(answer).toMatchObject({ result: 'started', tasks: ['2', '3'] });
    const view = await plan.settled();
    expect(view.status).toBe('ready');
    expect(statuses(view)).toEqual({ 1: 'pending', 2: 'completed', 3: 'completed', 4: 'pending', 5: 'pending' });
    for (const id of ['1', '4', '5']) expect(JSON.stringify(view.tasks[id])).toBe(JSON.stringify(before.tasks[id]));
    // What has completed already is not run again for what depends on it.
    expect(await plan.apply({ only: ['4'], yes: true })).toMatchObject({ tasks: ['4'] });
    expect(statuses(await plan.settled())).toMatchObject({ 1: 'pending', 4: 'completed' });
    expect((await plan.run({ yes: true })).status).toBe('completed');
  });

  it('take out what is excluded, with everything that needs it', async () => {
    const plan = await start();
    plan.world.script.graph = FIVE;
    await plan.plan();
    expect(await plan.apply({ exclude: ['2'], yes: true })).toMatchObject({ tasks: ['1', '5'] });
    await plan.settled();
  });

  it('have nothing to do where nothing is left, and are refused for tasks that there are not', async () => {
    const plan = await start();
    await plan.plan();
    expect(await plan.apply({ exclude: ['1', '2'], yes: true })).toMatchObject({ result: 'nothing' });
    await expect(plan.apply({ only: ['9'] })).rejects.toMatchObject({ cause: { type: 'BadInput' } });
    await expect(plan.apply({ only: [] })).rejects.toMatchObject({ cause: { type: 'BadInput' } });
    await expect(plan.apply({ only: ['1'], task: '1' })).rejects.toMatchObject({ cause: { type: 'BadInput' } });
  });

  it.each<[string, unknown]>([
    ['a list that is none', { by: 'x', only: '1' }],
    ['an empty id', { by: 'x', exclude: [''] }],
    ['a number for an id', { by: 'x', only: [1] }],
    ['a flag that is a word', { by: 'x', dryRun: 'yes' }],
    ['force as a number', { by: 'x', force: 1 }],
  ])('and the other flags are checked for what comes by hand: %s', async (_, request) => {
    const plan = await start();
    await plan.plan();
    const sent = plan.handle.executeUpdate('apply', { args: [request] });
    await expect(sent).rejects.toMatchObject({ cause: { type: 'BadInput' } });
    expect((await plan.view()).runs).toEqual([]);
  });

  it('do not run what needs a failed task, and do with --retry', async () => {
    const plan = await start();
    plan.world.script.graph = FIVE;
    let broken = true;
    plan.world.script.generate = ({ task }) => {
      if (task.id === '2' && broken) throw terminal('BadAnswer', 'prose');
      return task.id;
    };
    await plan.plan();
    await plan.run({ yes: true, only: ['3'] });
    broken = false;
    await expect(plan.apply({ resume: true, only: ['3'] })).rejects.toMatchObject({ cause: { type: 'NotReady' } });
    const answer = await plan.apply({ resume: true, retry: true, only: ['3'], yes: true });
    expect(answer).toMatchObject({ tasks: ['2', '3'] });
    expect(statuses(await plan.settled())).toMatchObject({ 1: 'pending', 3: 'completed' });
  });
});

describe('the working tree', () => {
  it('refuses a run while it is dirty, lists the paths, and leaves every task as it was', async () => {
    const plan = await start();
    const before = await plan.plan();
    plan.world.script.dirty = ['README.md', 'src/x'];
    const view = await plan.run({ yes: true });
    expect(view).toMatchObject({ status: 'ready', runs: [{ status: 'refused', dirty: ['README.md', 'src/x'] }] });
    expect(view.runs[0]?.reason).toContain('README.md');
    expect(view.tasks).toEqual(before.tasks);
    expect(plan.world.disk.size).toBe(0);
    expect((await plan.run({ dryRun: true })).runs[1]?.status).toBe('completed');
    expect((await plan.run({ yes: true, allowDirty: true })).status).toBe('completed');
  });

  it('leaves a failed task failed where a retry is refused', async () => {
    const plan = await start();
    plan.world.script.generate = () => {
      throw terminal('BadAnswer', 'prose');
    };
    await plan.plan();
    const before = await plan.run({ yes: true });
    plan.world.script.dirty = ['x'];
    const view = await plan.run({ yes: true, resume: true, retry: true });
    expect(view.status).toBe(before.status);
    expect(view.tasks).toEqual(before.tasks);
  });
});

describe('--force', () => {
  it('passes the dirty tree and the gate of a HIGH plan, and both are decisions of the plan', async () => {
    const plan = await start();
    plan.world.script.risk = 'HIGH';
    plan.world.script.dirty = ['x'];
    await plan.plan();
    const view = await plan.run({ yes: true, force: true });
    expect(view.status).toBe('completed');
    expect(view.decisions).toMatchObject([
      { kind: 'dirty', decision: 'approve', by: 'tester', reason: expect.stringContaining('--force') },
      { kind: 'risk', decision: 'approve', by: 'tester', reason: expect.stringContaining('--force') },
    ]);
  });

  it('does not answer for the files: without --yes each is asked about', async () => {
    const plan = await start();
    await plan.plan();
    await plan.apply({ force: true });
    expect((await plan.until(({ gates }) => gates.length === 2)).gates[0]?.kind).toBe('file');
  });

  it('does not let a HIGH file of a LOW plan pass', async () => {
    const plan = await start();
    plan.world.script.fileRisk = (path) => (path === '1.txt' ? 'HIGH' : 'LOW');
    await plan.plan();
    await plan.apply({ force: true, yes: true });
    expect((await plan.until(({ gates }) => gates.length === 1)).gates[0]?.path).toBe('1.txt');
  });

  it.each<[string, Partial<ApplyRequest>]>([
    ['yes', { yes: true }],
    ['force', { force: true }],
    ['allow-dirty', { allowDirty: true }],
    ['allow-all-paths', { allowAllPaths: true }],
    ['skip-verify', { skipVerify: true }],
  ])(
    'with --%s forbidden the run is refused, each time; once the policy allows it the next run begins',
    async (flag, request) => {
      const plan = await start();
      await plan.plan();
      const { policy } = plan.world.script;
      plan.world.script.policy = { ...policy, flags: policy.flags.filter((allowed) => allowed !== flag) };
      for (const number of [1, 2]) {
        const refused = await plan.run(request);
        expect(refused.runs).toHaveLength(number);
        expect(refused.runs.at(-1)).toMatchObject({ status: 'refused', reason: expect.stringContaining(`--${flag}`) });
        expect(refused.status).toBe('ready');
      }
      expect(plan.world.calls.some((call) => call.startsWith('generate'))).toBe(false);
      expect(plan.world.disk.size).toBe(0);
      plan.world.script.policy = { ...policy, flags: [...new Set([...policy.flags, flag])] };
      await plan.apply(request);
      const begun = await plan.until(({ gates, status }) => gates.length > 0 || status === 'completed');
      expect(begun.runs.at(-1)?.status).not.toBe('refused');
    },
  );

  it('that the policy of a run under way forbids is refused there and then, and the run goes on', async () => {
    const plan = await start();
    await plan.plan();
    plan.world.script.policy = { ...plan.world.script.policy, flags: [] };
    await plan.apply();
    await plan.until(({ gates }) => gates.length > 0);
    await expect(plan.apply({ yes: true })).rejects.toMatchObject({ cause: { type: 'NotAllowed' } });
    expect(await plan.apply()).toMatchObject({ result: 'attached', run: 1 });
  });
});

describe('an artifact of a dry run that fails its verification later', () => {
  it('is not taken a second time', async () => {
    const plan = await start();
    await plan.plan();
    await plan.run({ dryRun: true });
    plan.world.script.verdict = (task) => (task === '1' ? 'failed' : 'passed');
    const failed = await plan.run({ yes: true, settings: { provider: 'template' } });
    expect(failed.tasks['1']?.error?.type).toBe('Verification');
    plan.world.script.verdict = () => 'passed';
    const before = plan.world.calls.filter((call) => call.startsWith('generate 1')).length;
    const view = await plan.run({ yes: true, resume: true, retry: true });
    expect(view.status).toBe('completed');
    expect(plan.world.calls.filter((call) => call.startsWith('generate 1'))).toHaveLength(before + 1);
  });
});

describe('a single task again', () => {
  it('makes its dependents stale if the bytes are others, and touches none of them', async () => {
    const plan = await start();
    await plan.plan();
    const before = await plan.run({ yes: true });
    const view = await plan.run({ task: '2', yes: true });
    expect(view.tasks['2']?.replacedAt).toEqual(expect.any(String));
    expect(view.tasks['3']).toEqual(before.tasks['3']);
    expect(view.tasks['1']).toEqual(before.tasks['1']);
    expect(view.status).toBe('completed');
  });

  it('leaves no trace in its dependents where the bytes are the same', async () => {
    const plan = await start();
    plan.world.script.generate = ({ task }) => task.id;
    await plan.plan();
    await plan.run({ yes: true });
    expect((await plan.run({ task: '2', yes: true })).tasks['2']?.replacedAt).toBeUndefined();
  });
});
