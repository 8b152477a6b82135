import type { PlanView } from '../../plan/view';
import { type Driver, node, statuses, terminal, usePlans } from './fake-world';

const start = usePlans();

const generations = (plan: Driver): string[] => plan.world.calls.filter((call) => call.startsWith('generate'));
const shas = (view: PlanView): string[] => Object.values(view.tasks).flatMap(({ files }) => files.map((f) => f.sha256));

describe('a dry run', () => {
  it('generates and verifies everything, writes nothing, and leaves every task pending with its artifact', async () => {
    const plan = await start();
    await plan.plan();
    const view = await plan.run({ dryRun: true });
    expect(view.status).toBe('ready');
    expect(statuses(view)).toEqual({ 1: 'pending', 2: 'pending', 3: 'pending' });
    expect(view.runs).toMatchObject([{ kind: 'dry-run', status: 'completed', reason: null }]);
    expect(view.runs[0]?.previews?.['3']).toEqual({ result: 'generated', reason: null });
    expect(view.tasks['3']).toMatchObject({ files: [{ path: '3.txt', state: 'proposed' }], output: { port: 3000 } });
    expect(view.tasks['3']).toMatchObject({
      verification: [{ verdict: 'passed' }],
      startedAt: null,
      completedAt: null,
    });
    expect(plan.world.disk.size).toBe(0);
  });

  it('shows a task what its ancestors would write', async () => {
    const plan = await start();
    await plan.plan();
    await plan.run({ dryRun: true });
    const third = plan.world.requests.generate.find(({ task }) => task.id === '3');
    expect(Object.keys(third?.overlay ?? {})).toEqual(['2.txt']);
  });

  it('gives a task the outputs that its input refers to', async () => {
    const plan = await start();
    plan.world.script.graph = { nodes: [node('1'), node('2', ['1'], { input: { from: '$ref:1' } })] };
    await plan.plan();
    const view = await plan.run({ dryRun: true });
    expect(view.runs[0]?.status).toBe('completed');
    expect(plan.world.requests.generate[1]?.refs).toMatchObject({ 1: { output: { port: 3000 } } });
  });

  it('is followed by an apply that writes exactly those bytes and asks no model', async () => {
    const plan = await start();
    plan.world.script.generate = ({ task }) => `${task.id} ${Math.random()}`;
    await plan.plan();
    const dry = await plan.run({ dryRun: true });
    const view = await plan.run({ yes: true });
    expect(view.status).toBe('completed');
    expect(shas(view)).toEqual(shas(dry));
    expect(generations(plan)).toHaveLength(3);
    expect(view.usage.calls).toBe(dry.usage.calls);
    expect(view.tasks['3']?.attempts).toBe(1);
  });

  it('asks no model in a second dry run either', async () => {
    const plan = await start();
    await plan.plan();
    await plan.run({ dryRun: true });
    const view = await plan.run({ dryRun: true });
    expect(view.runs[1]).toMatchObject({ status: 'completed' });
    expect(generations(plan)).toHaveLength(3);
  });

  it('takes a file that one task makes and the next one changes for no stale base', async () => {
    const plan = await start();
    plan.world.script.also = ({ task }): { [path: string]: string } =>
      task.id === '1' ? {} : { 'shared.txt': `by ${task.id}` };
    await plan.plan();
    const dry = await plan.run({ dryRun: true });
    expect(dry.runs[0]?.status).toBe('completed');
    expect(dry.tasks['3']?.files.find(({ path }) => path === 'shared.txt')?.action).toBe('modify');
    const view = await plan.run({ yes: true });
    expect(view.status).toBe('completed');
    expect(plan.world.disk.get('shared.txt')).toBe('by 3');
    expect(generations(plan)).toHaveLength(3);
  });

  it('opens no gate, not for a HIGH plan and not for a HIGH file', async () => {
    const plan = await start();
    plan.world.script.risk = 'HIGH';
    plan.world.script.fileRisk = () => 'HIGH';
    await plan.plan();
    const view = await plan.run({ dryRun: true });
    expect(view.runs[0]?.status).toBe('completed');
    expect(view.gates).toEqual([]);
    expect(view.decisions).toEqual([]);
  });

  it('asks about each file in the apply that follows, with the artifact of the dry run', async () => {
    const plan = await start();
    await plan.plan();
    const dry = await plan.run({ dryRun: true });
    await plan.apply();
    const { gates } = await plan.until((view) => view.gates.length === 2);
    const asked = gates.map(({ path, sha256 }) => [path, sha256]).sort();
    const made = (id: string): string | undefined => dry.tasks[id]?.files[0]?.sha256;
    expect(asked).toEqual([
      ['1.txt', made('1')],
      ['2.txt', made('2')],
    ]);
    expect(generations(plan)).toHaveLength(3);
  });

  it('makes what depends on a changed artifact anew, since it was made from the other', async () => {
    const plan = await start();
    await plan.plan();
    await plan.run({ dryRun: true });
    await plan.apply();
    const { gates } = await plan.until((view) => view.gates.length === 2);
    const second = gates.find(({ path }) => path === '2.txt')?.gate ?? '';
    const first = gates.find(({ path }) => path === '1.txt')?.gate ?? '';
    await plan.decide({ gate: first, decision: 'approve' });
    await plan.decide({ gate: second, decision: 'request-changes', reason: 'other' });
    const again = await plan.until((view) => view.gates.some(({ gate }) => ![first, second].includes(gate)));
    await plan.decide({ gate: again.gates[0]?.gate ?? '', decision: 'approve' });
    await plan.until((view) => view.gates.some(({ path }) => path === '3.txt'));
    expect(generations(plan).slice(3)).toEqual(['generate 2 2', 'generate 3 2']);
  });

  it('fails without changing the plan, and the next apply asks anew what failed', async () => {
    const plan = await start();
    plan.world.script.verdict = (task) => (task === '2' ? 'failed' : 'passed');
    await plan.plan();
    const dry = await plan.run({ dryRun: true });
    expect(dry.status).toBe('ready');
    expect(dry.runs[0]).toMatchObject({
      status: 'partial',
      previews: { 1: { result: 'generated' }, 2: { result: 'failed' }, 3: { result: 'skipped' } },
    });
    expect(statuses(dry)).toEqual({ 1: 'pending', 2: 'pending', 3: 'pending' });
    expect(dry.tasks['2']?.error?.type).toBe('Verification');
    plan.world.script.verdict = () => 'passed';
    const before = generations(plan).length;
    const view = await plan.run({ yes: true });
    expect(view.status).toBe('completed');
    expect(generations(plan).slice(before).sort()).toEqual(['generate 2 4', 'generate 3 1']);
  });

  it('fails where the model does not answer, and an apply tries again', async () => {
    const plan = await start();
    plan.world.script.generate = () => {
      throw terminal('Credentials', 'the key was refused');
    };
    await plan.plan();
    const dry = await plan.run({ dryRun: true });
    expect(dry).toMatchObject({ status: 'ready', runs: [{ status: 'failed' }] });
  });

  it('shows a failed task again with --resume --retry and leaves it failed', async () => {
    const plan = await start();
    let broken = true;
    plan.world.script.generate = ({ task }) => {
      if (task.id === '2' && broken) throw terminal('BadAnswer', 'prose');
      return `content of ${task.id}`;
    };
    await plan.plan();
    const first = await plan.run({ yes: true });
    broken = false;
    const dry = await plan.run({ dryRun: true, resume: true, retry: true });
    expect(statuses(dry)).toEqual({ 1: 'completed', 2: 'failed', 3: 'skipped' });
    expect(dry.status).toBe('partial');
    expect(dry.tasks['1']).toEqual(first.tasks['1']);
    const count = generations(plan).length;
    const view = await plan.run({ yes: true, resume: true, retry: true });
    expect(view.status).toBe('completed');
    expect(generations(plan)).toHaveLength(count);
  });

  it('is refused for a completed task, and while something runs', async () => {
    const plan = await start();
    await plan.plan();
    await plan.run({ yes: true });
    await expect(plan.apply({ dryRun: true, task: '2' })).rejects.toMatchObject({ cause: { type: 'NotReady' } });
    const other = await start();
    await other.plan();
    await other.apply();
    await expect(other.apply({ dryRun: true })).rejects.toMatchObject({ cause: { type: 'PlanRunning' } });
  });

  it('leaves the plan as it was when it is cancelled', async () => {
    const plan = await start();
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    plan.world.script.generate = async ({ task }) => {
      if (task.id === '2') await held;
      return task.id;
    };
    await plan.plan();
    await plan.apply({ dryRun: true });
    await plan.until(
      ({ runs, tasks }) => runs[0]?.previews?.['1'] !== undefined && tasks['2']?.status === 'generating',
    );
    const cancelled = plan.handle.executeUpdate('cancel', { args: [{ by: 'ana' }] });
    release();
    await cancelled;
    const view = await plan.view();
    expect(view).toMatchObject({ status: 'ready', runs: [{ status: 'cancelled' }] });
    expect(statuses(view)).toEqual({ 1: 'pending', 2: 'pending', 3: 'pending' });
  });
});

describe('an artifact whose base changed since', () => {
  const staled = async (): Promise<Driver> => {
    const plan = await start();
    await plan.plan();
    await plan.run({ dryRun: true });
    plan.world.disk.set('2.txt', 'a person was here');
    return plan;
  };

  it('refuses the apply before anything runs, and names the path', async () => {
    const plan = await staled();
    const before = await plan.view();
    const view = await plan.run({ yes: true });
    expect(view.status).toBe('ready');
    expect(view.runs[1]).toMatchObject({ status: 'refused', stale: ['2.txt'] });
    expect(view.runs[1]?.reason).toContain('--refresh');
    expect(view.tasks).toEqual(before.tasks);
    expect([...plan.world.disk.keys()]).toEqual(['2.txt']);
  });

  it('is made anew with --refresh, with what was made from it, and nothing else is', async () => {
    const plan = await staled();
    const view = await plan.run({ yes: true, refresh: true });
    expect(view.status).toBe('completed');
    expect(generations(plan).slice(3)).toEqual(['generate 2 2', 'generate 3 2']);
    expect(plan.world.disk.get('2.txt')).toBe('content of 2, generation 2');
    expect(view.tasks['2']?.earlier).toMatchObject([{ generation: 1 }]);
  });
});

describe('an instruction for one task', () => {
  it('is another revision of the task, kept in the plan, and adds to those before', async () => {
    const plan = await start();
    plan.world.script.graph = { nodes: [node('1')] };
    await plan.plan();
    await plan.run({ dryRun: true });
    await plan.run({ task: '1', instruct: 'use Alpine', yes: true });
    const view = await plan.run({ task: '1', instruct: 'port 8080', yes: true });
    expect(view.revision).toBe(3);
    expect(view.tasks['1']?.revisions).toMatchObject([
      { revision: 2, instruction: 'use Alpine', by: 'tester' },
      { revision: 3, instruction: 'port 8080' },
    ]);
    expect(plan.world.requests.generate.map(({ instruction }) => instruction)).toEqual([
      null,
      'use Alpine',
      'use Alpine\nport 8080',
    ]);
  });

  it('is refused without a task', async () => {
    const plan = await start();
    await plan.plan();
    await expect(plan.apply({ instruct: 'x' })).rejects.toMatchObject({ cause: { type: 'BadInput' } });
  });
});
