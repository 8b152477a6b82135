import { node, statuses, terminal, usePlans } from './fake-world';

const start = usePlans();
const refused = (type: string) => ({ cause: { type } });

/** Everything pending. */
const PENDING = { 1: 'pending', 2: 'pending', 3: 'pending' };

describe.each(['rollback', 'clean'] as const)('%s', (kind) => {
  const settledAs = kind === 'rollback' ? 'rolled_back' : 'cleaned';

  it('of a completed plan takes every file away and makes every task pending', async () => {
    const plan = await start();
    await plan.plan();
    await plan.run({ yes: true });
    const view = await plan.undo(kind);
    expect(view).toMatchObject({ status: settledAs, reason: null, undo: { kind, status: 'completed', by: 'tester' } });
    expect(statuses(view)).toEqual(PENDING);
    expect([...plan.world.disk]).toEqual([]);
    expect(view.runs).toHaveLength(1);
    expect(Object.values(view.tasks).flatMap(({ files }) => files.map(({ state }) => state))).not.toContain('written');
  });

  it('then apply runs everything again, asking the same generation, and can be taken back again', async () => {
    const plan = await start();
    await plan.plan();
    await plan.run({ yes: true });
    const before = new Map(plan.world.disk);
    await plan.undo(kind);
    const view = await plan.run({ yes: true });
    expect(view.status).toBe('completed');
    expect(plan.world.disk).toEqual(before);
    const [first, second] = ['1', '2', '3']
      .map((id) => plan.world.requests.generate.filter(({ task }) => task.id === id))
      .reduce<[unknown[], unknown[]]>(
        ([a, b], [x, y]) => [
          [...a, x],
          [...b, y],
        ],
        [[], []],
      );
    expect(second).toEqual(first);
    expect((await plan.undo(kind)).status).toBe(settledAs);
    expect([...plan.world.disk]).toEqual([]);
  });

  it('keeps the feedback of the generation that was written, so that the question is the same again', async () => {
    const plan = await start();
    plan.world.script.graph = { nodes: [node('1')] };
    plan.world.script.verdict = (_, content) => (content.includes('generation 1') ? 'failed' : 'passed');
    await plan.plan();
    await plan.run({ yes: true });
    await plan.undo(kind);
    await plan.run({ yes: true });
    const requests = plan.world.requests.generate;
    expect(requests.map(({ generation }) => generation)).toEqual([1, 2, 2]);
    expect(requests[2]).toEqual(requests[1]);
  });

  it('keeps what a person changed: the plan is partial and says which task is not taken back', async () => {
    const plan = await start();
    await plan.plan();
    await plan.run({ yes: true });
    plan.world.disk.set('2.txt', 'a person was here');
    const view = await plan.undo(kind);
    expect(view).toMatchObject({ status: 'partial', reason: `the ${kind} left 1 file`, undo: { status: 'partial' } });
    expect(statuses(view)).toEqual({ 1: 'pending', 2: 'completed', 3: 'pending' });
    expect(view.tasks['2']?.files).toMatchObject([{ path: '2.txt', state: 'written' }]);
    expect([...plan.world.disk.keys()]).toEqual(['2.txt']);
    plan.world.disk.delete('2.txt');
    expect(statuses(await plan.undo(kind))).toEqual(PENDING);
    expect((await plan.view()).status).toBe(settledAs);
    expect(plan.world.requests.undo.at(-1)?.map(({ path }) => path)).toEqual(['2.txt']);
  });

  it('takes that back too when told', async () => {
    const plan = await start();
    await plan.plan();
    await plan.run({ yes: true });
    plan.world.disk.set('2.txt', 'a person was here');
    expect((await plan.undo(kind, { overwriteChanged: true })).status).toBe(settledAs);
    expect([...plan.world.disk]).toEqual([]);
  });

  it('leaves everything as it was where every file was changed', async () => {
    const plan = await start();
    plan.world.script.graph = { nodes: [node('1')] };
    await plan.plan();
    await plan.run({ yes: true });
    plan.world.disk.set('1.txt', 'a person was here');
    const view = await plan.undo(kind);
    expect([view.status, statuses(view)]).toEqual(['completed', { 1: 'completed' }]);
  });

  it('takes failed, skipped, declined and cancelled tasks back to pending', async () => {
    const plan = await start();
    plan.world.script.graph = { nodes: [node('1'), node('2'), node('3', ['2'])] };
    plan.world.script.generate = ({ task }) => {
      if (task.id === '2') throw terminal('BadAnswer', 'prose');
      return 'fine';
    };
    await plan.plan();
    expect((await plan.run({ yes: true })).status).toBe('partial');
    const view = await plan.undo(kind);
    expect([view.status, statuses(view)]).toEqual([settledAs, PENDING]);
    plan.world.script.generate = () => 'fine';
    expect((await plan.run({ yes: true })).status).toBe('completed');
    const asked = plan.world.requests.generate
      .filter(({ task }) => task.id === '2')
      .map(({ generation }) => generation);
    expect(asked).toEqual([1, 2]);
  });

  it('undoes every run of a task, and what two tasks made of one file', async () => {
    const plan = await start();
    plan.world.disk.set('1.txt', 'original');
    plan.world.script.graph = { nodes: [node('1'), node('2', ['1'])] };
    plan.world.script.also = ({ task, generation }): { [path: string]: string } =>
      task.id === '2' ? { '1.txt': `more ${generation}` } : {};
    await plan.plan();
    await plan.run({ yes: true });
    await plan.run({ yes: true, task: '2' });
    expect(plan.world.disk.get('1.txt')).toBe('more 2');
    const view = await plan.undo(kind);
    expect(view.status).toBe(settledAs);
    expect([...plan.world.disk]).toEqual(kind === 'rollback' ? [['1.txt', 'original']] : []);
  });

  it('looks at the disk where a write failed and nobody knows how far it came', async () => {
    const plan = await start();
    plan.world.script.graph = { nodes: [node('1')] };
    plan.world.script.afterWrite = () => {
      throw terminal('WriteFailed', 'the disk broke');
    };
    await plan.plan();
    expect((await plan.run({ yes: true })).status).toBe('failed');
    expect([...plan.world.disk.keys()]).toEqual(['1.txt']);
    expect((await plan.undo(kind)).status).toBe(settledAs);
    expect(plan.world.requests.undo[0]?.[0]?.steps).toMatchObject([
      { unconfirmed: expect.stringMatching(/^[0-9a-f-]{36}\/write-1-g1-r1-c0$/) },
    ]);
    expect([...plan.world.disk]).toEqual([]);
  });

  it('leaves what a dry run made: the next apply writes it and asks no model', async () => {
    const plan = await start();
    await plan.plan();
    await plan.run({ yes: true, only: ['1'] });
    await plan.run({ dryRun: true });
    const asked = plan.world.calls.filter((call) => call.startsWith('generate')).sort();
    expect(asked).toEqual(['generate 1 1', 'generate 2 1', 'generate 3 1']);
    const view = await plan.undo(kind);
    expect(view.tasks['2']).toMatchObject({ status: 'pending', files: [{ path: '2.txt', state: 'proposed' }] });
    expect(plan.world.disk.size).toBe(0);
    await plan.run({ dryRun: true });
    expect((await plan.run({ yes: true })).status).toBe('completed');
    const again = plan.world.calls.filter((call) => call.startsWith('generate')).sort();
    // Task 1 asks its question again, and finds the answer on record; what the dry run made is taken as it is.
    expect(again).toEqual(['generate 1 1', 'generate 1 1', 'generate 2 1', 'generate 3 1']);
    expect([...plan.world.disk.keys()].sort()).toEqual(['1.txt', '2.txt', '3.txt']);
  });

  it('after a dry run alone has nothing to take back', async () => {
    const plan = await start();
    await plan.plan();
    await plan.run({ dryRun: true });
    await expect(plan.undo(kind)).rejects.toMatchObject(refused('NotReady'));
    expect((await plan.run({ yes: true })).status).toBe('completed');
  });

  it('that fails leaves the plan as it was and says why', async () => {
    const plan = await start();
    await plan.plan();
    await plan.run({ yes: true });
    plan.world.script.beforeUndo = () => {
      throw terminal('JournalMismatch', 'its journal is damaged');
    };
    const view = await plan.undo(kind);
    expect(view).toMatchObject({ status: 'completed', undo: { status: 'failed', error: { type: 'JournalMismatch' } } });
    expect(view.reason).toContain('its journal is damaged');
  });

  it('survives a worker that is stopped in the middle', async () => {
    const plan = await start();
    await plan.plan();
    await plan.run({ yes: true });
    let began: () => void = () => undefined;
    const beginning = new Promise<void>((resolve) => {
      began = resolve;
    });
    plan.world.script.beforeUndo = () => began();
    const undone = plan.undo(kind);
    await beginning;
    await plan.stopWorker();
    await plan.startWorker();
    expect((await undone).status).toBe(settledAs);
  });

  it.each([
    ['a plan that is ready: nothing is written', 'NotReady'],
    ['a running plan', 'PlanRunning'],
    ['a waiting plan', 'PlanRunning'],
    ['a plan that was taken back already', 'NotReady'],
    ['a malformed request', 'BadInput'],
  ])('is refused for %s', async (which, type) => {
    const plan = await start();
    let release: () => void = () => undefined;
    const released = new Promise<string>((resolve) => {
      release = () => resolve('late');
    });
    if (which === 'a running plan') plan.world.script.generate = () => released;
    await plan.plan();
    if (which === 'a running plan') {
      await plan.apply({ yes: true });
      await plan.until((view) => statuses(view)['1'] === 'generating');
    }
    if (which === 'a waiting plan') {
      await plan.apply();
      await plan.until((view) => view.status === 'waiting');
    }
    if (which === 'a plan that was taken back already') {
      await plan.run({ yes: true });
      await plan.undo(kind);
    }
    const message = which === 'a malformed request' ? { by: '' } : {};
    await expect(plan.undo(kind, message)).rejects.toMatchObject(refused(type));
    release();
  });

  it('lets nothing else begin while it is under way', async () => {
    const plan = await start();
    await plan.plan();
    await plan.run({ yes: true });
    let release: () => void = () => undefined;
    plan.world.script.beforeUndo = () => new Promise((resolve) => (release = resolve));
    const undone = plan.undo(kind);
    await plan.until(({ undo }) => undo?.status === 'running');
    await expect(plan.apply({ yes: true })).rejects.toMatchObject(refused('PlanRunning'));
    await expect(plan.apply({ task: '1' })).rejects.toMatchObject(refused('PlanRunning'));
    await expect(plan.undo('rollback')).rejects.toMatchObject(refused('PlanRunning'));
    await expect(plan.handle.executeUpdate('delete', { args: [{ by: 'x' }] })).rejects.toMatchObject(
      refused('PlanRunning'),
    );
    while (plan.world.calls.at(-1)?.startsWith(kind) !== true) await new Promise((resolve) => setTimeout(resolve, 10));
    release();
    expect((await undone).status).toBe(settledAs);
  });
});

describe('delete', () => {
  const remove = (plan: Awaited<ReturnType<typeof start>>) =>
    plan.handle.executeUpdate<{ status: string }, [{ by: string }]>('delete', { args: [{ by: 'tester' }] });

  it.each(['ready', 'completed', 'rolled_back'])(
    'ends the workflow of a plan that is %s, and its files stay',
    async (status) => {
      const plan = await start();
      await plan.plan();
      if (status !== 'ready') await plan.run({ yes: true });
      if (status === 'rolled_back') await plan.undo('rollback');
      const files = plan.world.disk.size;
      expect(await remove(plan)).toEqual({ status: 'archived' });
      await plan.handle.result();
      expect((await plan.handle.describe()).status.name).toBe('COMPLETED');
      expect(await plan.view()).toMatchObject({ status: 'archived', reason: 'deleted by tester' });
      expect(plan.world.disk.size).toBe(files);
    },
  );

  it('is refused while the plan waits or runs', async () => {
    const plan = await start();
    await plan.plan();
    await plan.apply();
    await plan.until((view) => view.status === 'waiting');
    await expect(remove(plan)).rejects.toMatchObject(refused('PlanRunning'));
    expect((await plan.handle.describe()).status.name).toBe('RUNNING');
  });
});
