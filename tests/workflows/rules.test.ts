/** Every rule of a policy by every way in: none of them forgets it. */
import { digestOf } from '../../plan/digest';
import type { ApplyRequest, Decide, PlanView } from '../../plan/view';
import { type Driver, node, statuses, terminal, usePlans } from './fake-world';
import {
  anotherWorker,
  facts,
  gateOf,
  intoNextExecution,
  named,
  productClient,
  ruled,
  send,
  setRules,
  timerFired,
  timersOf,
  WAYS,
  within,
} from './rule-world';

const start = usePlans();
const one = { nodes: [node('1')] };
const twoOfThree = ruled('two of three', { approvals: 2, by: ['ana', 'ben', 'tester'], excludeRequester: true });

async function waiting(plan: Driver, request: Partial<ApplyRequest> = {}): Promise<PlanView> {
  await plan.apply(request);
  return plan.until(({ gates }) => gates.length > 0);
}

describe('a rule that demands a person', () => {
  it.each<[string, Partial<ApplyRequest>]>([
    ['--yes', { yes: true }],
    ['--yes --force', { yes: true, force: true }],
    ['--yes --allow-all-paths', { yes: true, allowAllPaths: true }],
    ['no flag', {}],
  ])('is not passed by %s', async (_flags, request) => {
    const plan = await start();
    plan.world.script.graph = one;
    setRules(plan, { rules: [ruled('all files')] });
    await plan.plan();
    const view = await waiting(plan, request);
    expect(view.gates[0]).toMatchObject({ kind: 'file', rule: 'all files', approvals: 1 });
    expect(plan.world.disk.size).toBe(0);
    await plan.decide({ gate: view.gates[0]?.gate ?? '', decision: 'approve' });
    expect((await plan.settled()).status).toBe('completed');
  });

  it('holds for what a dry run kept, resume, retry, one task again, and both kinds of replay', async () => {
    const plan = await start();
    plan.world.script.graph = one;
    setRules(plan, { rules: [ruled('all files')] });
    await plan.plan();
    const flags = { yes: true, force: true };
    const gated = async (request: Partial<ApplyRequest>): Promise<PlanView> => {
      const before = plan.world.disk.get('1.txt');
      await plan.apply({ ...request, ...flags });
      const view = await plan.until(({ gates }) => gates.length > 0);
      expect(view.gates).toMatchObject([{ rule: 'all files', votes: [] }]);
      expect(plan.world.disk.get('1.txt')).toBe(before);
      return view;
    };
    const approve = async ({ gates }: PlanView, kind: string): Promise<void> => {
      await plan.decide({ gate: gates[0]?.gate ?? '', decision: 'approve', by: 'ana' });
      const done = await plan.settled();
      expect(done).toMatchObject({ status: 'completed' });
      expect(done.runs.at(-1)).toMatchObject({ kind, status: 'completed' });
    };
    await plan.run({ dryRun: true });
    await gated({});
    await productClient(plan).cancel(plan.id, 'ana', null);
    const failing = gated({ resume: true });
    plan.world.script.afterWrite = () => {
      throw terminal('Write', 'the disk is full');
    };
    await plan.decide({ gate: (await failing).gates[0]?.gate ?? '', decision: 'approve' });
    expect((await plan.settled()).status).toBe('failed');
    plan.world.script.afterWrite = () => undefined;
    plan.world.disk.clear();
    await approve(await gated({ resume: true, retry: true }), 'retry');
    await approve(await gated({ task: '1' }), 'task');
    const { sha256 } = (await plan.view()).tasks['1']?.files[0] ?? {};
    const base = (await plan.view()).tasks['1']?.files[0]?.preSha256 ?? '';
    // A recorded replay writes what differs only where it is not there.
    plan.world.disk.set('1.txt', plan.world.objects.get(base) ?? '');
    await approve(await gated({ replay: true, recorded: true }), 'replay');
    expect(plan.world.disk.get('1.txt')).toBe(plan.world.objects.get(sha256 ?? ''));
    plan.world.disk.set('1.txt', plan.world.objects.get(base) ?? '');
    await approve(await gated({ replay: true }), 'replay');
  });

  it('opens a risk gate for a plan of any risk that it names, and --force does not pass it', async () => {
    const plan = await start();
    plan.world.script.graph = one;
    setRules(plan, { rules: [ruled('runs', { gates: ['risk'], risk: 'MEDIUM', by: ['ana'] })] });
    await plan.plan();
    const view = await waiting(plan, { yes: true, force: true });
    expect(view.gates).toMatchObject([{ kind: 'risk', rule: 'runs', may: ['ana'] }]);
    const { graph, risk, riskReasons, runs } = view;
    const { settings, instructions } = {
      settings: { provider: 'openai', model: 'fake', temperature: 0.2 },
      instructions: [],
    };
    const policy = plan.world.script.policy.digest;
    const decided = { kind: 'risk', plan: plan.id, run: 1, graph, tasks: runs[0]?.tasks, risk, riskReasons };
    expect(view.gates[0]?.digest).toBe(digestOf({ ...decided, settings, policy, instructions }));
    expect(plan.world.calls.some((call) => call.startsWith('generate'))).toBe(false);
    await plan.decide({ gate: view.gates[0]?.gate ?? '', decision: 'approve', by: 'ana' });
    expect((await plan.settled()).status).toBe('completed');
  });

  it('before a skill: nothing is generated until somebody approves; a refusal declines the task', async () => {
    const plan = await start();
    plan.world.script.graph = { nodes: [node('1'), node('2', ['1'])] };
    setRules(plan, { rules: [ruled('tools', { gates: ['tool'] })] });
    await plan.plan();
    const first = await waiting(plan, { yes: true });
    expect(first.gates).toMatchObject([{ kind: 'tool', task: '1', about: expect.stringContaining('make 1') }]);
    const { digest } = first.gates[0] ?? {};
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
    expect(plan.world.calls.some((call) => call.startsWith('generate'))).toBe(false);
    const gate = first.gates[0]?.gate ?? '';
    await plan.decide({ gate, decision: 'request-changes', reason: 'use Alpine' });
    const again = await plan.until(({ gates }) => gates.some((open) => open.gate !== gate));
    const asked = again.gates[0];
    // What is decided is another thing now: the digest that was shown before does not count any more.
    expect(asked?.digest).not.toBe(digest);
    const stale = { gate: asked?.gate ?? '', decision: 'approve', by: 'tester', digest: digest ?? '' };
    expect(await send(plan, 'update', stale)).toBe('StaleDigest');
    await plan.decide({ ...stale, digest: asked?.digest ?? '' });
    const second = await plan.until(({ gates }) => gates.some(({ task }) => task === '2'));
    expect(plan.world.requests.generate[0]?.feedback).toEqual(['use Alpine']);
    await plan.decide({ gate: second.gates[0]?.gate ?? '', decision: 'reject' });
    const done = await plan.settled();
    expect(statuses(done)).toEqual({ 1: 'completed', 2: 'declined' });
    expect([...plan.world.disk.keys()]).toEqual(['1.txt']);
  });

  it('for some paths leaves the others to the flags', async () => {
    const plan = await start();
    setRules(plan, { rules: [ruled('three', { paths: ['3.txt'] })] });
    await plan.plan();
    const view = await waiting(plan, { yes: true });
    expect(view.gates.map(({ path }) => path)).toEqual(['3.txt']);
    expect([...plan.world.disk.keys()].sort()).toEqual(['1.txt', '2.txt']);
  });

  it('is the one that was in force when the run began, also where the workspace is read again in between', async () => {
    const plan = await start();
    plan.world.script.graph = one;
    setRules(plan, { rules: [ruled('all files')] });
    await plan.plan();
    const view = await waiting(plan, { yes: true });
    setRules(plan, { rules: [] });
    plan.world.disk.set('1.txt', 'a person was here');
    await plan.decide({ gate: view.gates[0]?.gate ?? '', decision: 'approve' });
    const again = await plan.until(({ tasks, gates }) => tasks['1']?.attempts === 2 && gates.length === 1);
    expect(again.gates[0]).toMatchObject({ rule: 'all files' });
    expect(again.runs[0]?.policy).toBe(plan.world.script.policy.digest);
  });
});

describe.each(WAYS)('an answer that breaks a rule, by %s', (way) => {
  it('is refused, changes nothing and is recorded: fresh, on another worker, and after continue-as-new', async () => {
    const plan = await start();
    plan.world.script.graph = one;
    setRules(plan, { rules: [twoOfThree] });
    await plan.plan();
    const view = await waiting(plan, { yes: true });
    const { gate, digest } = gateOf(view, '1.txt');
    const wrong: [Decide, string][] = [
      [{ gate: 'gate-0000000000000000', decision: 'approve', by: 'ana' }, 'UnknownGate'],
      [{ gate, decision: 'approve', by: 'ana', digest: 'f'.repeat(64) }, 'StaleDigest'],
      [{ gate, decision: 'approve', by: 'mallory' }, 'NotAllowed'],
      [{ gate, decision: 'reject', by: 'mallory' }, 'NotAllowed'],
      [{ gate, decision: 'approve', by: 'tester' }, 'NotAllowed'],
      [{ gate, decision: 'approve', by: ' Tester ' }, 'NotAllowed'],
      [{ gate, decision: 'retry', by: 'ana' }, 'BadInput'],
      [{ gate, decision: 'request-changes', by: 'ana' }, 'BadInput'],
    ];
    const places = [async () => undefined, () => anotherWorker(plan), () => intoNextExecution(plan)];
    for (const [round, move] of places.entries()) {
      await move();
      for (const [decision, type] of wrong) {
        const refused = await send(plan, way, decision);
        if (way === 'update') expect(refused).toBe(type);
        else if (way === 'client') expect(refused).not.toBeNull();
      }
      expect((await plan.view()).gates).toEqual([{ ...gateOf(view, '1.txt'), votes: [] }]);
      const seen = named(await facts(plan), 'decision.refused').filter(({ actor }) => actor.id !== 'noise');
      expect(seen.map(({ data }) => data.type)).toEqual(
        Array.from({ length: round + 1 }, () => wrong.map(([, type]) => type)).flat(),
      );
    }
    // One approval is not two, however often it is given; it is kept over continue-as-new and worker.
    await send(plan, way, { gate, decision: 'approve', by: 'ana', digest: digest ?? '' });
    await send(plan, way, { gate, decision: 'approve', by: 'ANA', digest: digest ?? '' });
    await anotherWorker(plan);
    await intoNextExecution(plan);
    expect((await plan.view()).gates[0]?.votes).toMatchObject([{ by: 'ana', decision: 'approve' }]);
    expect(plan.world.disk.size).toBe(0);
    await send(plan, way, { gate, decision: 'approve', by: 'ben', digest: digest ?? '' });
    const done = await plan.settled();
    expect(done.status).toBe('completed');
    expect(done.tasks['1']?.decisions).toMatchObject([
      { decision: 'approve', by: 'ana' },
      { decision: 'approve', by: 'ben' },
    ]);
    const late = await send(plan, way, { gate, decision: 'reject', by: 'tester' });
    if (way !== 'signal') expect(late).not.toBeNull();
    expect(named(await facts(plan), 'decision.voted')).toHaveLength(1);
    expect(named(await facts(plan), 'decision.refused').at(-1)?.data).toMatchObject({
      type: 'AlreadyDecided',
      message: expect.stringMatching(/approve by ana at .*, ben at /),
    });
  }, 180_000);
});

describe('a vote', () => {
  it('can be changed until the outcome: a rejection by one who may settles at once', async () => {
    const plan = await start();
    plan.world.script.graph = one;
    setRules(plan, { rules: [twoOfThree] });
    await plan.plan();
    const { gate } = gateOf(await waiting(plan), '1.txt');
    expect(await plan.decide({ gate, decision: 'approve', by: 'ana' })).toMatchObject({
      pending: { approvals: 1, needed: 2 },
    });
    await plan.decide({ gate, decision: 'reject', by: 'ana', reason: 'on second thought' });
    const done = await plan.settled();
    expect(statuses(done)).toEqual({ 1: 'declined' });
    expect(plan.world.disk.size).toBe(0);
  });

  it('by the requester may say no, and by default yes', async () => {
    const plan = await start();
    plan.world.script.graph = { nodes: [node('1'), node('2')] };
    setRules(plan, { rules: [ruled('first', { paths: ['1.txt'], excludeRequester: true }), ruled('rest')] });
    await plan.plan();
    await plan.apply({ yes: true });
    const view = await plan.until(({ gates }) => gates.length === 2);
    await plan.decide({ gate: gateOf(view, '2.txt').gate, decision: 'approve', by: 'tester' });
    await plan.decide({ gate: gateOf(view, '1.txt').gate, decision: 'reject', by: 'tester' });
    expect(statuses(await plan.settled())).toEqual({ 1: 'declined', 2: 'completed' });
  });
});

describe('the deadlines of a gate', () => {
  it('remind, escalate to somebody else, and expire into a rejection, also on another worker', async () => {
    const plan = await start();
    plan.world.script.graph = one;
    const deadlines = within({ remindMs: 200, escalateMs: 400, escalateTo: ['lea'], expireMs: 60_000 });
    setRules(plan, { rules: [ruled('timed', { by: ['ana'], deadlines })] });
    await plan.plan();
    await plan.apply({ yes: true });
    const escalated = await plan.until(({ gates }) => gates[0]?.escalatedAt !== undefined);
    expect(escalated.gates[0]).toMatchObject({ may: ['ana', 'lea'], remindAt: null, escalateAt: null });
    expect(escalated.gates[0]?.remindedAt).toBeDefined();
    await anotherWorker(plan);
    await plan.decide({ gate: escalated.gates[0]?.gate ?? '', decision: 'approve', by: 'lea' });
    expect((await plan.settled()).status).toBe('completed');
    const all = await facts(plan);
    expect(named(all, 'gate.reminded')).toHaveLength(1);
    expect(named(all, 'gate.escalated')).toMatchObject([{ data: { to: ['lea'] } }]);
  });

  it('expire: nothing is written, whatever the flags, and a late approval hears of it', async () => {
    const plan = await start();
    plan.world.script.graph = one;
    setRules(plan, { rules: [ruled('timed', { deadlines: within({ expireMs: 300 }) })] });
    await plan.plan();
    // Nobody has to see the gate while it is open: a slow machine may look too late.
    const done = await plan.run({ yes: true, force: true });
    expect(statuses(done)).toEqual({ 1: 'declined' });
    expect(plan.world.disk.size).toBe(0);
    const [opened] = named(await facts(plan), 'gate.opened');
    const gate = String(opened?.data.gate);
    await expect(plan.decide({ gate, decision: 'approve' })).rejects.toMatchObject({
      cause: { type: 'AlreadyDecided', message: expect.stringContaining('expire by planwright') },
    });
    expect(named(await facts(plan), 'gate.expired')).toHaveLength(1);
  });

  it('expire also while no worker ran: an approval that was sent too late does not count', async () => {
    const plan = await start();
    plan.world.script.graph = one;
    setRules(plan, { rules: [ruled('timed', { deadlines: within({ expireMs: 3_000 }) })] });
    await plan.plan();
    const view = await waiting(plan);
    const { gate } = gateOf(view, '1.txt');
    await plan.stopWorker();
    await timerFired(plan, `expire ${gate}`);
    await plan.handle.signal('decide', { gate, decision: 'approve', by: 'ana' });
    await plan.startWorker();
    expect(statuses(await plan.settled())).toEqual({ 1: 'declined' });
    expect(plan.world.disk.size).toBe(0);
    const all = await facts(plan);
    expect([named(all, 'gate.expired').length, named(all, 'gate.decided').length]).toEqual([1, 0]);
  });

  it('are the same moments after continue-as-new', async () => {
    const plan = await start();
    plan.world.script.graph = one;
    setRules(plan, { deadlines: { remindMs: null, escalateMs: null, escalateTo: [], expireMs: 3_600_000 } });
    await plan.plan();
    const before = gateOf(await waiting(plan), '1.txt');
    await intoNextExecution(plan);
    expect(gateOf(await plan.view(), '1.txt').until).toBe(before.until);
    expect(await timersOf(plan, `expire ${before.gate}`)).toEqual([{ at: before.until, fired: false }]);
  }, 120_000);

  it('of a risk gate cancel the run, and never let it begin', async () => {
    const plan = await start();
    plan.world.script.risk = 'HIGH';
    setRules(plan, { deadlines: { remindMs: null, escalateMs: null, escalateTo: [], expireMs: 200 } });
    await plan.plan();
    await plan.apply({ yes: true });
    expect(await plan.settled()).toMatchObject({
      status: 'cancelled',
      reason: expect.stringContaining('cancelled by planwright: nobody decided until'),
    });
    expect(plan.world.calls.some((call) => call.startsWith('generate'))).toBe(false);
  });
});
