import { node, statuses, usePlans } from './fake-world';

const start = usePlans();

const gateOf = (view: { gates: { gate: string; path: string | null }[] }, path: string): string =>
  view.gates.find((gate) => gate.path === path)?.gate ?? `no gate for ${path}`;

describe('a file gate', () => {
  it('lets nothing be written before it is decided, and writes exactly what was shown', async () => {
    const plan = await start();
    await plan.plan();
    await plan.apply();
    const waiting = await plan.until(({ gates }) => gates.length === 2);
    expect(waiting.status).toBe('waiting');
    expect(plan.world.disk.size).toBe(0);
    const shown = waiting.gates.find(({ path }) => path === '1.txt');
    await plan.decide({ gate: shown?.gate ?? '', decision: 'approve', digest: shown?.digest ?? '' });
    const view = await plan.until(({ tasks }) => tasks['1']?.status === 'completed');
    expect(plan.world.disk.get('1.txt')).toBe(plan.world.objects.get(shown?.sha256 ?? ''));
    expect(view.tasks['1']?.decisions).toMatchObject([{ decision: 'approve', by: 'tester', kind: 'file' }]);
  });

  it('declines the task when every file is refused, and its dependents still run', async () => {
    const plan = await start();
    await plan.plan();
    await plan.apply();
    const view = await plan.until(({ gates }) => gates.length === 2);
    await plan.decide({ gate: gateOf(view, '2.txt'), decision: 'reject', reason: 'not like this' });
    const next = await plan.until(({ gates }) => gates.some(({ path }) => path === '3.txt'));
    expect(statuses(next)).toMatchObject({ 2: 'declined', 3: 'awaiting_approval' });
    for (const { gate } of next.gates) await plan.decide({ gate, decision: 'approve' });
    const done = await plan.settled();
    expect(done.status).toBe('completed');
    expect(plan.world.disk.has('2.txt')).toBe(false);
  });

  it('skips dependents of a declined task where policy says so, and where they refer to its output', async () => {
    const plan = await start();
    plan.world.script.graph = { nodes: [node('1'), node('2', ['1'], { input: { port: '$ref:1.port' } })] };
    await plan.plan();
    await plan.apply();
    const view = await plan.until(({ gates }) => gates.length === 1);
    await plan.decide({ gate: gateOf(view, '1.txt'), decision: 'reject' });
    const done = await plan.settled();
    expect(statuses(done)).toEqual({ 1: 'declined', 2: 'skipped' });
  });

  it('makes the task again when changes are requested, with the comment, and asks anew', async () => {
    const plan = await start();
    await plan.plan();
    await plan.apply();
    const view = await plan.until(({ gates }) => gates.length === 2);
    const old = gateOf(view, '1.txt');
    await expect(plan.decide({ gate: old, decision: 'request-changes' })).rejects.toMatchObject({
      cause: { type: 'BadInput' },
    });
    await plan.decide({ gate: old, decision: 'request-changes', reason: 'use Node 22' });
    const again = await plan.until(({ tasks, gates }) => tasks['1']?.attempts === 2 && gates.length === 2);
    expect(gateOf(again, '1.txt')).not.toBe(old);
    expect(plan.world.requests.generate.filter(({ task }) => task.id === '1').at(-1)?.feedback).toEqual([
      'use Node 22',
    ]);
  });

  it('is void when its base changes before the write: the task is made again and asks anew', async () => {
    const plan = await start();
    plan.world.script.graph = { nodes: [node('1')] };
    await plan.plan();
    await plan.apply();
    const view = await plan.until(({ gates }) => gates.length === 1);
    plan.world.disk.set('1.txt', 'a person was here');
    await plan.decide({ gate: gateOf(view, '1.txt'), decision: 'approve' });
    const again = await plan.until(({ tasks, gates }) => tasks['1']?.attempts === 2 && gates.length === 1);
    expect(plan.world.disk.get('1.txt')).toBe('a person was here');
    expect(again.gates[0]?.digest).not.toBe(view.gates[0]?.digest);
  });
});

describe('a decision', () => {
  it('is refused for an unknown gate, another digest and a malformed payload, each by its type', async () => {
    const plan = await start();
    await plan.plan();
    await plan.apply();
    const view = await plan.until(({ gates }) => gates.length === 2);
    const gate = gateOf(view, '1.txt');
    await expect(plan.decide({ gate: 'gate-0', decision: 'approve' })).rejects.toMatchObject({
      cause: { type: 'UnknownGate' },
    });
    await expect(plan.decide({ gate, decision: 'approve', digest: 'f'.repeat(64) })).rejects.toMatchObject({
      cause: { type: 'StaleDigest' },
    });
    await expect(plan.decide({ gate, decision: 'maybe' })).rejects.toMatchObject({ cause: { type: 'BadInput' } });
    await expect(plan.decide({ gate, decision: 'retry' })).rejects.toMatchObject({ cause: { type: 'BadInput' } });
    expect((await plan.view()).gates).toHaveLength(2);
  });

  it('is set once: the same again gets the first answer, another one hears who decided', async () => {
    const plan = await start();
    await plan.plan();
    await plan.apply();
    const view = await plan.until(({ gates }) => gates.length === 2);
    const gate = gateOf(view, '1.txt');
    const first = await plan.decide({ gate, decision: 'approve', by: 'ana' });
    expect(await plan.decide({ gate, decision: 'approve', by: 'ana' })).toEqual(first);
    await expect(plan.decide({ gate, decision: 'reject', by: 'ben' })).rejects.toMatchObject({
      cause: { type: 'AlreadyDecided', message: expect.stringContaining('approve by ana') },
    });
  });

  it('comes by signal as well, and a malformed signal harms nothing', async () => {
    const plan = await start();
    plan.world.script.graph = { nodes: [node('1')] };
    await plan.plan();
    await plan.apply();
    const view = await plan.until(({ gates }) => gates.length === 1);
    await plan.handle.signal('decide', { nonsense: true });
    await plan.handle.signal('decide', 'text');
    await plan.handle.signal('decide', { gate: gateOf(view, '1.txt'), decision: 'approve', by: 'ops' });
    expect((await plan.settled()).status).toBe('completed');
  });
});

describe('a plan of HIGH risk', () => {
  it('asks once before the run, even under --yes', async () => {
    const plan = await start();
    plan.world.script.risk = 'HIGH';
    await plan.plan();
    await plan.apply({ yes: true });
    const view = await plan.until(({ gates }) => gates.length === 1);
    expect(view.gates[0]).toMatchObject({ kind: 'risk', task: null });
    expect(plan.world.calls.some((call) => call.startsWith('generate'))).toBe(false);
    await plan.decide({ gate: view.gates[0]?.gate ?? '', decision: 'approve' });
    expect((await plan.settled()).status).toBe('completed');
  });

  it('is cancelled when the risk is rejected', async () => {
    const plan = await start();
    plan.world.script.risk = 'HIGH';
    await plan.plan();
    await plan.apply({ yes: true });
    const view = await plan.until(({ gates }) => gates.length === 1);
    await plan.decide({ gate: view.gates[0]?.gate ?? '', decision: 'reject', reason: 'not today' });
    const done = await plan.settled();
    expect(done).toMatchObject({ status: 'cancelled', reason: 'cancelled by tester: not today' });
    expect(plan.world.disk.size).toBe(0);
  });
});

describe('cancel', () => {
  it('aborts a call of the model, closes gates, and a resume takes up what was cancelled', async () => {
    const plan = await start();
    let hang = true;
    plan.world.script.generate = async ({ task }) => {
      while (task.id === '2' && hang) await new Promise((resolve) => setTimeout(resolve, 20));
      return task.id;
    };
    await plan.plan();
    await plan.apply();
    await plan.until(({ gates }) => gates.length === 1);
    const cancelled = plan.handle.executeUpdate<{ status: string }, [{ by: string; reason: string }]>('cancel', {
      args: [{ by: 'ana', reason: 'wrong goal' }],
    });
    setTimeout(() => {
      hang = false;
    }, 300);
    expect(await cancelled).toEqual({ status: 'cancelled' });
    const view = await plan.view();
    expect(view).toMatchObject({ status: 'cancelled', reason: 'cancelled by ana: wrong goal', gates: [] });
    expect(statuses(view)).toMatchObject({ 1: 'cancelled', 3: 'cancelled' });
    await expect(
      plan.handle.executeUpdate<unknown, [{ by: string }]>('cancel', { args: [{ by: 'ben' }] }),
    ).rejects.toMatchObject({ cause: { type: 'NotReady' } });
    expect((await plan.run({ yes: true, resume: true })).status).toBe('completed');
  });

  it('by Temporal itself leaves a plan whose state says so', async () => {
    const plan = await start();
    await plan.plan();
    await plan.apply();
    await plan.until(({ gates }) => gates.length === 2);
    await plan.handle.cancel();
    await expect(plan.handle.result()).rejects.toThrow();
    const view = await plan.view();
    expect(view).toMatchObject({ status: 'cancelled', reason: 'its workflow was cancelled in Temporal' });
    expect(statuses(view)).toEqual({ 1: 'cancelled', 2: 'cancelled', 3: 'cancelled' });
  });
});
