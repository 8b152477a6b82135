import { node, statuses, terminal, usePlans } from './fake-world';

const start = usePlans();

describe('planning', () => {
  it('takes the graph that the model gave and waits in ready', async () => {
    const plan = await start();
    const view = await plan.plan();
    expect(view.status).toBe('ready');
    expect(view.graph.nodes.map(({ id }) => id)).toEqual(['1', '2', '3']);
    expect(statuses(view)).toEqual({ 1: 'pending', 2: 'pending', 3: 'pending' });
    expect(view.usage.calls).toBe(1);
  });

  it('tells the model what was wrong and asks again, at most twice', async () => {
    const plan = await start();
    plan.world.script.planFaults = [['node 1: unknown tool'], ['a cycle'], []];
    expect((await plan.plan()).status).toBe('ready');
    expect(plan.world.calls.filter((call) => call.startsWith('decompose'))).toEqual([
      'decompose 1',
      'decompose 2 (node 1: unknown tool)',
      'decompose 3 (a cycle)',
    ]);
  });

  it('fails with the list of faults and no graph when the third answer is broken too', async () => {
    const plan = await start();
    plan.world.script.planFaults = [['one'], ['two'], ['three']];
    const view = await plan.plan();
    expect(view).toMatchObject({ status: 'failed', graph: { nodes: [] }, failure: { type: 'BadGraph' } });
    expect(view.failure?.message).toContain('three');
    await expect(plan.apply()).rejects.toMatchObject({ cause: { type: 'NotReady' } });
  });

  it('checks a graph made elsewhere and asks no model', async () => {
    const plan = await start();
    const view = await plan.plan({ nodes: [node('a'), node('b', ['a'])] });
    expect(statuses(view)).toEqual({ a: 'pending', b: 'pending' });
    expect(view.usage.calls).toBe(0);
  });
});

describe('a run under --yes', () => {
  it('completes every task and writes each file once', async () => {
    const plan = await start();
    await plan.plan();
    const view = await plan.run({ yes: true });
    expect(view.status).toBe('completed');
    expect(view.runs).toMatchObject([{ number: 1, kind: 'apply', status: 'completed' }]);
    expect([...plan.world.disk.keys()].sort()).toEqual(['1.txt', '2.txt', '3.txt']);
    expect(plan.world.calls.filter((call) => call.startsWith('generate')).sort()).toEqual([
      'generate 1 1',
      'generate 2 1',
      'generate 3 1',
    ]);
  });

  it('starts a task only when its dependency is written, and shows it that file', async () => {
    const plan = await start();
    await plan.plan();
    await plan.run({ yes: true });
    const calls = plan.world.calls;
    expect(calls.indexOf('write 2')).toBeLessThan(calls.indexOf('generate 3 1'));
    const request = plan.world.requests.generate.find(({ task }) => task.id === '3');
    expect(Object.keys(request?.overlay ?? {})).toEqual(['2.txt']);
  });

  it('skips transitive dependents of a failure, carries on with the rest, and ends partial', async () => {
    const plan = await start();
    plan.world.script.graph = {
      nodes: [node('1'), node('2', ['1']), node('3', ['2']), node('4', ['1']), node('5', ['3'])],
    };
    plan.world.script.generate = ({ task }) => {
      if (task.id === '2') throw terminal('BadAnswer', 'the model answers prose');
      return 'fine';
    };
    await plan.plan();
    const view = await plan.run({ yes: true });
    expect(statuses(view)).toEqual({ 1: 'completed', 2: 'failed', 3: 'skipped', 4: 'completed', 5: 'skipped' });
    expect(view.status).toBe('partial');
    expect(view.tasks['5']?.reason).toBe('task 2 failed');
    expect(view.tasks['2']?.error).toMatchObject({ type: 'BadAnswer', message: 'the model answers prose' });
  });

  it('is failed when nothing completed', async () => {
    const plan = await start();
    plan.world.script.generate = () => {
      throw terminal('Credentials', 'refused');
    };
    await plan.plan();
    expect((await plan.run({ yes: true })).status).toBe('failed');
  });

  it('resolves references through outputs of transitive dependencies', async () => {
    const plan = await start();
    plan.world.script.graph = { nodes: [node('1'), node('2', ['1'], { input: { port: '$ref:1.port' } })] };
    await plan.plan();
    await plan.run({ yes: true });
    const request = plan.world.requests.generate.find(({ task }) => task.id === '2');
    expect(request?.refs).toEqual({
      1: { tool: 'dockerfile', output: { summary: 'made 1.txt', files: ['1.txt'], port: 3000 } },
    });
  });

  it('sends findings back to the model at most twice, then fails the task', async () => {
    const plan = await start();
    plan.world.script.verdict = (task, content) =>
      task === '1' && !content.includes('generation 3') ? 'failed' : 'passed';
    await plan.plan();
    expect(statuses(await plan.run({ yes: true }))).toMatchObject({ 1: 'completed' });
    expect(plan.world.requests.generate.filter(({ task }) => task.id === '1').map(({ feedback }) => feedback)).toEqual([
      [],
      ['1.txt: it is wrong (fake: fake)'],
      ['1.txt: it is wrong (fake: fake)'],
    ]);
  });

  it('makes the task again when its base changed, at most twice', async () => {
    const plan = await start();
    let edits = 0;
    plan.world.script.verdict = (task) => {
      if (task === '1' && edits < 1) plan.world.disk.set('1.txt', `edit ${++edits}`);
      return 'passed';
    };
    await plan.plan();
    const view = await plan.run({ yes: true });
    expect(view.tasks['1']).toMatchObject({ status: 'completed', attempts: 2, files: [{ action: 'modify' }] });

    plan.world.script.verdict = () => {
      plan.world.disk.set('1.txt', `edit ${++edits}`);
      return 'passed';
    };
    const again = await plan.run({ yes: true, task: '1' });
    expect(again.tasks['1']).toMatchObject({ status: 'failed', error: { type: 'Conflict' } });
    expect(plan.world.disk.get('1.txt')).toBe(`edit ${edits}`);
  });

  it('still opens a gate for an artifact riskier than what was passed', async () => {
    const plan = await start();
    plan.world.script.fileRisk = (path) => (path === '1.txt' ? 'HIGH' : 'LOW');
    await plan.plan();
    await plan.apply({ yes: true });
    const view = await plan.until(({ status }) => status === 'waiting');
    expect(view.gates).toMatchObject([{ kind: 'file', path: '1.txt', risk: 'HIGH' }]);
    expect(plan.world.disk.has('1.txt')).toBe(false);
    await plan.decide({ gate: view.gates[0]?.gate ?? '', decision: 'approve' });
    expect((await plan.settled()).status).toBe('completed');
    expect(plan.world.disk.has('1.txt')).toBe(true);
  });
});

describe('apply on what is not ready', () => {
  it('does nothing on a completed plan, and attaches to a run under way', async () => {
    const plan = await start();
    await plan.plan();
    await plan.apply();
    expect(await plan.apply()).toEqual({ result: 'attached', run: 1, message: null });
    const { gates } = await plan.until(({ gates: open }) => open.length === 2);
    for (const { gate } of gates) await plan.decide({ gate, decision: 'approve' });
    const last = await plan.until(({ gates: open }) => open.length === 1);
    await plan.decide({ gate: last.gates[0]?.gate ?? '', decision: 'approve' });
    await plan.settled();
    expect(await plan.apply()).toMatchObject({ result: 'nothing' });
  });

  it('refuses on partial, and resumes and retries what the contract says', async () => {
    const plan = await start();
    let broken = true;
    plan.world.script.generate = ({ task, generation }) => {
      if (task.id === '2' && broken) throw terminal('Timeout', 'too slow');
      return `${task.id} ${generation}`;
    };
    await plan.plan();
    const first = await plan.run({ yes: true });
    expect(statuses(first)).toEqual({ 1: 'completed', 2: 'failed', 3: 'skipped' });
    await expect(plan.apply({ yes: true })).rejects.toMatchObject({ cause: { type: 'NotReady' } });
    expect(await plan.apply({ yes: true, resume: true })).toMatchObject({ result: 'nothing' });
    broken = false;
    const second = await plan.run({ yes: true, resume: true, retry: true });
    expect(second.status).toBe('completed');
    expect(second.runs.map(({ kind, status }) => [kind, status])).toEqual([
      ['apply', 'partial'],
      ['retry', 'completed'],
    ]);
    expect(second.tasks['1']).toEqual(first.tasks['1']);
    expect(plan.world.calls.filter((call) => call.startsWith('generate 1'))).toHaveLength(1);
  });

  it('runs one task alone, and refuses it while a dependency has not completed', async () => {
    const plan = await start();
    await plan.plan();
    await expect(plan.apply({ task: '3', yes: true })).rejects.toMatchObject({ cause: { type: 'NotReady' } });
    const view = await plan.run({ task: '2', yes: true });
    expect(statuses(view)).toEqual({ 1: 'pending', 2: 'completed', 3: 'pending' });
    expect(view.status).toBe('ready');
  });

  it('refuses a widening flag that policy forbids, whatever the way in', async () => {
    const plan = await start();
    plan.world.script.policy.flags = [];
    await plan.plan();
    const refused = await plan.run({ yes: true });
    expect(refused).toMatchObject({
      status: 'ready',
      runs: [{ status: 'refused', reason: expect.stringContaining('--yes') }],
    });
    expect(plan.world.disk.size).toBe(0);
    // The policy is read anew as a run begins: one that was loosened holds for the next.
    plan.world.script.policy.flags = ['yes'];
    expect((await plan.run({ yes: true })).status).toBe('completed');
  });

  it('refuses the run when policy was tightened after planning', async () => {
    const plan = await start();
    await plan.plan();
    plan.world.script.policy = { ...plan.world.script.policy, flags: [] };
    const view = await plan.run({ yes: true });
    expect(view.runs[0]).toMatchObject({ status: 'refused' });
    expect(plan.world.disk.size).toBe(0);
  });
});
