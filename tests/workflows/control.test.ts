/** Pause, freeze windows, budgets and stuck tasks: a run that waits says why, and goes on when it may. */
import { ApplicationFailure } from '@temporalio/common';
import { NO_DEADLINES, NO_RULES, type PolicyRules } from '../../plan/rules/types';
import type { ApplyRequest, PauseAnswer, PauseRequest, PlanView } from '../../plan/view';
import { type Driver, node, statuses, terminal, usePlans } from './fake-world';
import {
  anotherWorker,
  facts,
  intoNextExecution,
  named,
  productClient,
  ruled,
  setRules,
  timersOf,
  within,
} from './rule-world';

const start = usePlans();
const one = { nodes: [node('1')] };
const budget = (plan: { tokens?: number; calls?: number }, task: { tokens?: number; calls?: number } = {}) => ({
  budgets: { plan: { tokens: null, calls: null, ...plan }, task: { tokens: null, calls: null, ...task } },
});

const hold = (plan: Driver, verb: 'pause' | 'unpause', by = 'ana'): Promise<PauseAnswer> =>
  plan.handle.executeUpdate<PauseAnswer, [PauseRequest]>(verb, { args: [{ by, reason: 'release day' }] });
const refusedAs = (type: string) => ({ cause: { type } });

/** A model that answers when it is let. */
function holdModel(plan: Driver): { asked: () => boolean; answer: () => void } {
  let answer: () => void = () => undefined;
  const may = new Promise<void>((resolve) => {
    answer = resolve;
  });
  plan.world.script.generate = async ({ task }) => {
    await may;
    return `content of ${task.id}`;
  };
  const asked = (): boolean => plan.world.calls.some((call) => call.startsWith('generate'));
  return { asked, answer };
}

describe('pause', () => {
  it('lets a call in flight come to its end and nothing else begin; unpause lets it go on, on another worker too', async () => {
    const plan = await start();
    plan.world.script.graph = { nodes: [node('1'), node('2', ['1'])] };
    const model = holdModel(plan);
    await plan.plan();
    await plan.apply({ yes: true });
    await plan.until(({ tasks }) => model.asked() && tasks['1']?.status === 'generating');
    expect(await hold(plan, 'pause')).toMatchObject({ by: 'ana', status: 'paused', changed: true, finishing: [1] });
    expect(await hold(plan, 'pause', 'ben')).toMatchObject({ by: 'ana', changed: false });
    model.answer();
    const view = await plan.until(({ tasks }) => tasks['2']?.held === 'paused by ana');
    expect(view).toMatchObject({ status: 'paused', paused: { by: 'ana', reason: 'release day' } });
    // Under --yes a task is one step, from its generation to its write.
    expect(statuses(view)).toEqual({ 1: 'completed', 2: 'pending' });
    expect([...plan.world.disk.keys()]).toEqual(['1.txt']);
    await anotherWorker(plan);
    expect((await plan.view()).status).toBe('paused');
    await hold(plan, 'unpause');
    const done = await plan.until(({ status }) => status === 'completed');
    expect(done.paused).toBeNull();
    expect(plan.world.disk.size).toBe(2);
    const all = await facts(plan);
    expect([named(all, 'plan.paused').length, named(all, 'plan.unpaused').length]).toEqual([1, 1]);
  });

  it('keeps decisions that come meanwhile, over continue-as-new, and carries them out afterwards', async () => {
    const plan = await start();
    plan.world.script.graph = one;
    await plan.plan();
    await plan.apply();
    const { gates } = await plan.until((view) => view.gates.length === 1);
    await hold(plan, 'pause');
    await intoNextExecution(plan);
    await plan.decide({ gate: gates[0]?.gate ?? '', decision: 'approve' });
    await anotherWorker(plan);
    expect(await plan.view()).toMatchObject({ status: 'paused', gates: [] });
    expect(plan.world.disk.size).toBe(0);
    await hold(plan, 'unpause');
    await plan.until(({ status }) => status === 'completed');
  }, 120_000);

  it('has an answer in every state, and a paused plan can be cancelled', async () => {
    const plan = await start();
    plan.world.script.graph = one;
    await plan.plan();
    await expect(hold(plan, 'pause')).rejects.toMatchObject(refusedAs('NotReady'));
    await expect(hold(plan, 'unpause')).rejects.toMatchObject(refusedAs('NotReady'));
    await plan.apply();
    await plan.until((view) => view.gates.length === 1);
    await expect(hold(plan, 'unpause')).rejects.toMatchObject(refusedAs('NotReady'));
    await expect(
      plan.handle.executeUpdate<unknown, [object]>('pause', { args: [{ reason: 'nobody' }] }),
    ).rejects.toMatchObject(refusedAs('BadInput'));
    await hold(plan, 'pause');
    await productClient(plan).cancel(plan.id, 'ben', 'no');
    expect(await plan.view()).toMatchObject({ status: 'cancelled', paused: null, gates: [] });
    await expect(hold(plan, 'pause')).rejects.toMatchObject(refusedAs('NotReady'));
    expect((await plan.run({ resume: true, yes: true })).status).toBe('completed');
    await expect(hold(plan, 'pause')).rejects.toMatchObject(refusedAs('NotReady'));
  });
});

/** A window that is open now, and for `ms` from the moment that a run reads it. */
const frozenNow = (run: 'refuse' | 'wait', ms: number) => ({
  freeze: [
    {
      name: 'release',
      once: { from: new Date(0).toISOString(), until: new Date(Date.now() + ms).toISOString() },
      weekly: null,
      run,
    },
  ],
});

/** Rules whose times count from the moment that a run reads them: a slow machine takes nothing from them. */
function rulesAsRead(plan: Driver, rules: () => Partial<PolicyRules>): void {
  const { policy } = plan.world.script;
  const get = () => ({ ...policy, rules: { ...NO_RULES, ...rules() } });
  Object.defineProperty(plan.world.script, 'policy', { get });
}

describe('a plan that waits', () => {
  interface Wait {
    set: (plan: Driver) => void;
    request?: Partial<ApplyRequest>;
    there: (view: PlanView) => boolean;
    /** Where it is answered by a decision: one that would let it go on. */
    decision?: string;
  }
  const gate = (kind: string) => (view: PlanView) =>
    view.status === 'waiting' && view.gates.length === 1 && view.gates[0]?.kind === kind;
  const waits: { [what: string]: Wait } = {
    'at a tool gate': {
      set: (plan) => setRules(plan, { rules: [ruled('t', { gates: ['tool'] })] }),
      there: gate('tool'),
      decision: 'approve',
    },
    'at a file gate': { set: () => undefined, request: { yes: false }, there: gate('file'), decision: 'approve' },
    'at a risk gate': {
      set: (plan) => {
        plan.world.script.risk = 'HIGH';
      },
      there: gate('risk'),
      decision: 'approve',
    },
    'at a budget gate': {
      set: (plan) => setRules(plan, budget({ calls: 1 })),
      there: gate('budget'),
      decision: 'stop',
    },
    'at a stuck gate': {
      set: (plan) => {
        plan.world.script.generate = () => {
          throw terminal('Provider', 'it broke');
        };
      },
      request: { onFailure: 'wait' },
      there: gate('stuck'),
      decision: 'retry',
    },
    'for the end of a freeze window': {
      set: (plan) => setRules(plan, frozenNow('wait', 3_600_000)),
      there: ({ frozen, status }) => Boolean(frozen) && status === 'waiting',
    },
    'until the audit log can be written': {
      set: (plan) => {
        plan.world.mirror = {
          upTo: async () => {
            throw new Error('the log is on a full disk');
          },
        };
      },
      there: ({ blocked }) => blocked?.reason === 'the log is on a full disk',
    },
  };

  it.each(Object.entries(waits))(
    '%s can be paused, unpaused and cancelled, and nothing of it goes on',
    async (_what, wait) => {
      const plan = await start();
      plan.world.script.graph = one;
      wait.set(plan);
      await plan.plan();
      await plan.apply({ yes: true, ...wait.request });
      const before = await plan.until(wait.there);
      expect(await hold(plan, 'pause')).toMatchObject({ status: 'paused', changed: true });
      expect(await plan.view()).toMatchObject({ status: 'paused', gates: before.gates });
      expect(await hold(plan, 'unpause', 'ben')).toMatchObject({ by: 'ben', status: before.status });
      expect(await plan.until(wait.there)).toMatchObject({ status: before.status, gates: before.gates, paused: null });
      await productClient(plan).cancel(plan.id, 'ana', 'enough');
      const view = await plan.view();
      expect(view).toMatchObject({ status: 'cancelled', gates: [], reason: 'cancelled by ana: enough' });
      expect(view.blocked).toBeUndefined();
      expect(view.frozen ?? null).toBeNull();
      expect(statuses(view)).toEqual({ 1: 'cancelled' });
      if (wait.decision) {
        const late = { gate: before.gates[0]?.gate ?? '', decision: wait.decision };
        await expect(plan.decide(late)).rejects.toMatchObject(refusedAs('AlreadyDecided'));
      }
      expect(plan.world.disk.size).toBe(0);
      expect(named(await facts(plan), 'plan.cancelled')).toMatchObject([{ actor: { id: 'ana' } }]);
    },
  );
});

describe('a freeze window', () => {
  it('refuses a run that would begin in it, and no dry run', async () => {
    const plan = await start();
    setRules(plan, frozenNow('refuse', 600_000));
    await plan.plan();
    const view = await plan.run({ yes: true, force: true });
    expect(view.runs.at(-1)).toMatchObject({ status: 'refused', reason: expect.stringContaining('"release" until') });
    expect(view.status).toBe('ready');
    expect((await plan.run({ dryRun: true })).runs.at(-1)).toMatchObject({ status: 'completed' });
  });

  it('makes a run wait where policy says so, and lets it begin at its end', async () => {
    const plan = await start();
    plan.world.script.graph = one;
    await plan.plan();
    rulesAsRead(plan, () => frozenNow('wait', 1_500));
    await plan.apply({ yes: true });
    expect(await plan.settled()).toMatchObject({ status: 'completed', frozen: null });
    const [timer] = await timersOf(plan, 'freeze window until');
    expect(timer?.fired).toBe(true);
    const { startedAt } = (await plan.view()).tasks['1'] ?? {};
    expect(Date.parse(startedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(timer?.at ?? ''));
  });

  it('that begins while a run waits for people holds the write back until it is over', async () => {
    const plan = await start();
    plan.world.script.graph = one;
    await plan.plan();
    // The gate opens after the policy was read, so that its reminder comes when the window has begun.
    let until = '';
    rulesAsRead(plan, () => {
      const from = Date.now() + 2_000;
      until = new Date(from + 3_600_000).toISOString();
      const once = { from: new Date(from).toISOString(), until };
      return {
        deadlines: { ...NO_DEADLINES, remindMs: 2_000 },
        freeze: [{ name: 'soon', once, weekly: null, run: 'refuse' }],
      };
    });
    await plan.apply();
    const { gates } = await plan.until((view) => view.gates[0]?.remindedAt !== undefined);
    await plan.decide({ gate: gates[0]?.gate ?? '', decision: 'approve' });
    const view = await plan.until(({ frozen, status }) => Boolean(frozen) || status === 'completed');
    expect(view.tasks['1']).toMatchObject({ status: 'writing', held: expect.stringContaining('freeze window "soon"') });
    expect(view).toMatchObject({ status: 'waiting', frozen: { window: 'soon', until } });
    expect(plan.world.disk.size).toBe(0);
    expect(await timersOf(plan, 'freeze window until')).toEqual([{ at: until, fired: false }]);
    await productClient(plan).cancel(plan.id, 'ana', 'not today');
    expect(await plan.view()).toMatchObject({ status: 'cancelled', frozen: null });
    expect(plan.world.disk.size).toBe(0);
  });
});

const budgetGate = (plan: Driver): Promise<PlanView> =>
  plan.until(({ gates }) => gates.some(({ kind }) => kind === 'budget'));

describe('a budget', () => {
  it('is asked about before the call that would be one too many, and a raise lets the plan go on', async () => {
    const plan = await start();
    plan.world.script.graph = { nodes: [node('1'), node('2', ['1']), node('3', ['2'])] };
    // Planning took one call; each generation takes one more, of 15 tokens.
    setRules(plan, budget({ calls: 3 }));
    await plan.plan();
    await plan.apply({ yes: true });
    const view = await budgetGate(plan);
    expect(statuses(view)).toEqual({ 1: 'completed', 2: 'completed', 3: 'pending' });
    const { gate = '', budget: over } = view.gates[0] ?? {};
    expect(over).toEqual({ scope: 'plan', what: 'calls', limit: 3, used: 3 });
    expect(view.status).toBe('waiting');
    for (const value of [undefined, 3, 2.5, '9']) {
      await expect(plan.decide({ gate, decision: 'raise', value })).rejects.toMatchObject(refusedAs('BadInput'));
    }
    await intoNextExecution(plan);
    await plan.decide({ gate, decision: 'raise', value: 4, by: 'ana' });
    const done = await plan.settled();
    expect(done.usage.calls).toBe(4);
    expect(done.status).toBe('completed');
    expect(named(await facts(plan), 'budget.reached')).toMatchObject([{ data: { at: 3, most: 3 } }]);
    expect(named(await facts(plan), 'budget.raised')).toMatchObject([
      { data: { from: 3, to: 4 }, actor: { id: 'ana' } },
    ]);
  }, 120_000);

  it('of the flag holds where it is the smaller one, and the policy’s where that is', async () => {
    const plan = await start();
    plan.world.script.graph = { nodes: [node('1'), node('2', ['1'])] };
    setRules(plan, budget({ tokens: 1_000 }));
    await plan.plan();
    await plan.apply({ yes: true, maxTokens: 10 });
    const view = await budgetGate(plan);
    expect(view.gates[0]?.budget).toEqual({ scope: 'plan', what: 'tokens', limit: 10, used: 17 });
    await plan.decide({ gate: view.gates[0]?.gate ?? '', decision: 'stop' });
    const done = await plan.settled();
    expect(done.status).toBe('partial');
    expect(done.tasks['2']?.error?.type).toBe('BudgetReached');
    setRules(plan, budget({ tokens: 16 }));
    await plan.apply({ yes: true, resume: true, retry: true, maxTokens: 1_000_000 });
    expect((await budgetGate(plan)).gates[0]?.budget).toMatchObject({ limit: 16 });
  });

  it('holds for planning: the model is not asked again about its graph', async () => {
    const plan = await start();
    plan.world.script.planFaults = [['a cycle'], ['a cycle']];
    setRules(plan, budget({ calls: 1 }));
    const view = await plan.plan();
    expect(view).toMatchObject({ status: 'failed', failure: { type: 'BudgetReached' }, usage: { calls: 1 } });
  });

  it('is looked at before each call, also between two answers of one generation, and nothing is counted twice', async () => {
    const plan = await start();
    plan.world.script.graph = one;
    // As the activity does where there is a budget: an answer that cannot be used comes back before the next call.
    let calls = 0;
    const used = (): { promptTokens: number; completionTokens: number; calls: number } => ({
      promptTokens: 10 * calls,
      completionTokens: 5 * calls,
      calls,
    });
    plan.world.script.generate = () => {
      calls += 1;
      if (calls === 3) return 'content';
      throw ApplicationFailure.create({
        message: 'no JSON',
        type: 'AskAgain',
        nonRetryable: true,
        details: [{ usage: used() }],
      });
    };
    plan.world.script.usage = used;
    setRules(plan, budget({}, { calls: 1 }));
    await plan.plan();
    await plan.apply({ yes: true });
    const first = await budgetGate(plan);
    expect(calls).toBe(1);
    expect(first.gates[0]).toMatchObject({ task: '1', budget: { used: 1, limit: 1 } });
    expect(first.gates[0]?.digest).toMatch(/^[0-9a-f]{64}$/);
    await intoNextExecution(plan);
    await plan.decide({ gate: first.gates[0]?.gate ?? '', decision: 'raise', value: 2 });
    const second = await plan.until(({ gates }) => gates.some(({ budget: over }) => over?.limit === 2));
    expect(calls).toBe(2);
    await plan.decide({ gate: second.gates[0]?.gate ?? '', decision: 'raise', value: 9 });
    const done = await plan.settled();
    expect(done.status).toBe('completed');
    expect(done.tasks['1']).toMatchObject({ attempts: 1, usage: { calls: 3, promptTokens: 30, completionTokens: 15 } });
    expect(plan.world.requests.generate.map(({ generation, oneCall }) => [generation, oneCall])).toEqual([
      [1, true],
      [1, true],
      [1, true],
    ]);
  }, 120_000);

  it('of a task stops that task alone, and a deadline means stop', async () => {
    const plan = await start();
    plan.world.script.graph = { nodes: [node('1'), node('2')] };
    plan.world.script.verdict = (task) => (task === '1' ? 'failed' : 'passed');
    setRules(plan, {
      ...budget({}, { calls: 1 }),
      rules: [ruled('money', { gates: ['budget'], by: ['boss'], deadlines: within({ expireMs: 8_000 }) })],
    });
    await plan.plan();
    await plan.apply({ yes: true });
    const view = await budgetGate(plan);
    expect(view.gates).toMatchObject([{ task: '1', rule: 'money', budget: { scope: 'task', what: 'calls' } }]);
    const raise = { gate: view.gates[0]?.gate ?? '', decision: 'raise', value: 9 };
    await expect(plan.decide({ ...raise, by: 'ana' })).rejects.toMatchObject(refusedAs('NotAllowed'));
    expect(statuses(await plan.settled())).toEqual({ 1: 'failed', 2: 'completed' });
  });
});

describe('a task that failed for good, with --on-failure wait', () => {
  const broken = async (graph = { nodes: [node('1'), node('2', ['1'])] }): Promise<{ plan: Driver; mend(): void }> => {
    const plan = await start();
    let works = false;
    plan.world.script.graph = graph;
    plan.world.script.generate = ({ task }) => {
      if (!works && task.id === '1') throw terminal('Provider', 'it broke');
      return `content of ${task.id}`;
    };
    await plan.plan();
    await plan.apply({ yes: true, onFailure: 'wait' });
    await plan.until(({ gates }) => gates.some(({ kind }) => kind === 'stuck'));
    return {
      plan,
      mend: () => {
        works = true;
      },
    };
  };
  const stuck = async (plan: Driver): Promise<string> => (await plan.view()).gates[0]?.gate ?? '';

  it('waits, on another worker and after continue-as-new too, and a retry goes on', async () => {
    const { plan, mend } = await broken();
    const view = await plan.view();
    expect(view).toMatchObject({
      status: 'waiting',
      gates: [{ kind: 'stuck', task: '1', about: 'Provider: it broke' }],
    });
    expect(statuses(view)).toEqual({ 1: 'awaiting_approval', 2: 'pending' });
    await plan.decide({ gate: await stuck(plan), decision: 'retry', by: 'ana' });
    const again = await plan.until(({ gates }) => gates[0] !== undefined && gates[0].gate !== view.gates[0]?.gate);
    expect(again.gates[0]?.kind).toBe('stuck');
    await intoNextExecution(plan);
    await anotherWorker(plan);
    mend();
    await plan.decide({ gate: await stuck(plan), decision: 'retry', by: 'ana' });
    expect(statuses(await plan.settled())).toEqual({ 1: 'completed', 2: 'completed' });
    expect(named(await facts(plan), 'task.retried')).toHaveLength(2);
  }, 120_000);

  it('is skipped when a person says so, and so is what needs it', async () => {
    const { plan } = await broken({ nodes: [node('1'), node('2', ['1']), node('3')] });
    await plan.decide({ gate: await stuck(plan), decision: 'skip', by: 'ana', reason: 'not now' });
    const done = await plan.settled();
    expect(statuses(done)).toEqual({ 1: 'skipped', 2: 'skipped', 3: 'completed' });
    expect(done.tasks['1']?.reason).toBe('skipped by ana: not now');
  });

  it('fails when a person says stop, as without the flag', async () => {
    const { plan } = await broken();
    await plan.decide({ gate: await stuck(plan), decision: 'stop' });
    const done = await plan.settled();
    expect(statuses(done)).toEqual({ 1: 'failed', 2: 'skipped' });
    expect(done.status).toBe('failed');
  });

  it('writes what was approved when only the write failed: no model is asked again', async () => {
    const plan = await start();
    plan.world.script.graph = one;
    plan.world.script.afterWrite = () => {
      plan.world.disk.clear();
      throw terminal('Write', 'the disk is full');
    };
    await plan.plan();
    await plan.apply({ onFailure: 'wait' });
    const { gates } = await plan.until((view) => view.gates.length === 1);
    await plan.decide({ gate: gates[0]?.gate ?? '', decision: 'approve' });
    await plan.until((view) => view.gates.some(({ kind }) => kind === 'stuck'));
    plan.world.script.afterWrite = () => undefined;
    await plan.decide({ gate: await stuck(plan), decision: 'retry' });
    expect((await plan.settled()).status).toBe('completed');
    expect(plan.world.calls.filter((call) => call.startsWith('generate'))).toHaveLength(1);
    expect(plan.world.disk.get('1.txt')).toBe(plan.world.objects.get(gates[0]?.sha256 ?? ''));
  });
});
