/** What is refused is refused by every way in, with the same words, and leaves nothing behind. */
import { ApplicationFailure } from '@temporalio/common';
import { RefusedError, UsageError } from '../../plan/errors';
import type { ApplyRequest, Decide, PlanView } from '../../plan/view';
import { type Driver, node, terminal, usePlans } from './fake-world';
import { productClient } from './product-client';

const start = usePlans();

/** By hand, as any Temporal client sends it; and by the client of the command line. */
const WAYS: { [way: string]: (plan: Driver, request: Partial<ApplyRequest>) => Promise<unknown> } = {
  'an Update': (plan, request) => plan.apply(request),
  'the command': (plan, request) => productClient(plan).apply(plan.id, { by: 'tester', ...request }),
};

function typeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : null;
  if (cause instanceof ApplicationFailure) return cause.type ?? '';
  if (error instanceof UsageError) return 'BadInput';
  return error instanceof RefusedError ? 'refused' : String(error);
}

/** Everything of a view that a refusal must leave as it was; what is absent before the first run is null after it. */
const untouched = ({ changes: _, updatedAt: __, frozen = null, paused = null, ...view }: PlanView) => ({
  ...view,
  frozen,
  paused,
});

async function expectRefused(plan: Driver, request: Partial<ApplyRequest>, type: string): Promise<void> {
  for (const [way, send] of Object.entries(WAYS)) {
    const before = untouched(await plan.view());
    const answer = await send(plan, request).then(
      () => 'accepted',
      (error: unknown) => typeOf(error),
    );
    const expected = way === 'the command' && type !== 'BadInput' ? 'refused' : type;
    expect({ way, request, answer }).toEqual({ way, request, answer: expected });
    expect(untouched(await plan.view())).toEqual(before);
  }
}

/** Brings a plan of three tasks (3 depends on 2) into a state. */
const STATES: { [state: string]: (plan: Driver) => Promise<unknown> } = {
  ready: async () => undefined,
  waiting: async (plan) => {
    await plan.apply();
    await plan.until(({ gates }) => gates.length === 2);
  },
  partial: async (plan) => {
    plan.world.script.generate = ({ task }) => {
      if (task.id === '2') throw terminal('Timeout', 'too slow');
      return task.id;
    };
    await plan.run({ yes: true });
  },
  failed: async (plan) => {
    plan.world.script.generate = () => {
      throw terminal('Timeout', 'too slow');
    };
    await plan.run({ yes: true });
  },
  cancelled: async (plan) => {
    await plan.apply();
    await plan.until(({ gates }) => gates.length === 2);
    await plan.handle.executeUpdate('cancel', { args: [{ by: 'tester', reason: null }] });
    await plan.settled();
  },
  completed: (plan) => plan.run({ yes: true }),
};

const ALL = Object.keys(STATES);
const SETTLED = ['partial', 'failed', 'cancelled'];

/** What is refused, in which states, and as what. */
const REFUSED: [request: Partial<ApplyRequest>, states: string[], type: string][] = [
  [{}, SETTLED, 'NotReady'],
  [{ yes: true }, SETTLED, 'NotReady'],
  [{ dryRun: true }, SETTLED, 'NotReady'],
  [{ task: '3' }, ['ready', 'partial', 'failed', 'cancelled'], 'NotReady'],
  [{ task: '1' }, ['waiting'], 'PlanRunning'],
  [{ dryRun: true }, ['waiting'], 'PlanRunning'],
  [{ replay: true }, ['waiting'], 'PlanRunning'],
  [{ replay: true }, ['ready', 'failed', 'cancelled'], 'NotReady'],
  [{ task: '1', dryRun: true }, ['completed'], 'NotReady'],
  [{ task: 'none' }, ['ready', 'completed', 'partial'], 'BadInput'],
  [{ only: ['none'] }, ALL, 'BadInput'],
  [{ exclude: ['none'] }, ALL, 'BadInput'],
  [{ retry: true }, ALL, 'BadInput'],
  [{ recorded: true }, ALL, 'BadInput'],
  [{ instruct: 'use Alpine' }, ALL, 'BadInput'],
  [{ task: '1', resume: true }, ALL, 'BadInput'],
  [{ task: '1', replay: true }, ALL, 'BadInput'],
  [{ replay: true, dryRun: true }, ALL, 'BadInput'],
  [{ replay: true, resume: true }, ALL, 'BadInput'],
  [{ replay: true, only: ['1'] }, ALL, 'BadInput'],
  [{ by: '' }, ALL, 'BadInput'],
  [{ timeoutMs: -1 }, ALL, 'BadInput'],
  [{ concurrency: 0 }, ALL, 'BadInput'],
];

describe.each(ALL)('a %s plan', (state) => {
  it('refuses what does not go, by every way in, and nothing of it changes', async () => {
    const plan = await start();
    await plan.plan();
    await STATES[state]?.(plan);
    const rows = REFUSED.filter(([, states]) => states.includes(state));
    expect(rows.length).toBeGreaterThan(10);
    for (const [request, , type] of rows) await expectRefused(plan, request, type);
  }, 60_000);
});

describe('a flag that policy forbids', () => {
  const FLAGS = ['yes', 'force', 'allowAllPaths', 'allowDirty', 'skipVerify'] as const;
  const SAID = {
    yes: 'yes',
    force: 'force',
    allowAllPaths: 'allow-all-paths',
    allowDirty: 'allow-dirty',
    skipVerify: 'skip-verify',
  };

  it.each(FLAGS)(
    '%s lets nothing run with any verb of apply, whatever the state',
    async (flag) => {
      const plan = await start();
      plan.world.script.policy = {
        ...plan.world.script.policy,
        flags: Object.values(SAID).filter((name) => name !== SAID[flag]),
      };
      await plan.plan();
      plan.world.script.generate = ({ task }) => {
        if (task.id === '2') throw terminal('Timeout', 'too slow');
        return task.id;
      };
      const verbs: Partial<ApplyRequest>[] = [
        {},
        { dryRun: true },
        { refresh: true },
        { resume: true },
        { resume: true, retry: true },
        { task: '1' },
        { task: '1', instruct: 'x' },
        { only: ['1'] },
        { replay: true },
        { replay: true, recorded: true },
      ];
      /** Nothing of it runs: no run begins, or one that is refused for the flag. @returns how many came so far */
      const forbidden = async (): Promise<number> => {
        let begun = 0;
        for (const verb of verbs) {
          for (const send of Object.values(WAYS)) {
            const before = untouched(await plan.view());
            await send(plan, { ...verb, [flag]: true }).catch((error: unknown) => error);
            const { runs, ...after } = untouched(await plan.settled());
            expect({ ...after, runs: before.runs }).toEqual(before);
            for (const run of runs.slice(before.runs.length)) {
              expect(run).toMatchObject({ status: 'refused', reason: expect.stringContaining(`--${SAID[flag]}`) });
              begun += 1;
            }
          }
        }
        return begun;
      };
      // All but what is refused in this state without the flag: a retry of nothing, a replay of nothing.
      expect(await forbidden()).toBeGreaterThan(10);
      await plan.apply({});
      const { gates } = await plan.until((view) => view.gates.length === 1);
      // A run under way has its policy: who attaches with more than that allows hears of it at once.
      const attaching = verbs.filter(({ task, dryRun, replay }) => !task && !dryRun && !replay);
      expect(attaching.length).toBeGreaterThan(4);
      for (const verb of attaching) await expectRefused(plan, { ...verb, [flag]: true }, 'NotAllowed');
      await plan.decide({ gate: gates[0]?.gate ?? '', decision: 'approve' });
      await plan.settled();
      expect(await forbidden()).toBeGreaterThan(5);
      expect([...plan.world.disk.keys()]).toEqual(['1.txt']);
    },
    120_000,
  );
});

describe('what a run finds on disk', () => {
  const FINDS: [what: string, find: (plan: Driver) => void, reason: RegExp][] = [
    ['an uncommitted path', (plan) => plan.world.script.dirty.push('notes.txt'), /notes\.txt[\s\S]*--allow-dirty/],
    ['a changed base', (plan) => plan.world.disk.set('1.txt', 'a person'), /1\.txt[\s\S]*--refresh/],
  ];

  it.each(FINDS)(
    '%s refuses the run by apply, --resume, --retry, --only and --task, and leaves the plan as it was',
    async (_what, find, reason) => {
      const plan = await start();
      await plan.plan();
      await plan.run({ dryRun: true });
      find(plan);
      const requests: Partial<ApplyRequest>[] = [
        {},
        { yes: true },
        { resume: true },
        { resume: true, retry: true },
        { only: ['1'] },
        { task: '1' },
      ];
      for (const request of requests) {
        for (const send of Object.values(WAYS)) {
          const before = untouched(await plan.view());
          await send(plan, request);
          const { runs, ...after } = untouched(await plan.settled());
          expect(runs.at(-1)).toMatchObject({ status: 'refused', reason: expect.stringMatching(reason) });
          expect({ ...after, runs: before.runs }).toEqual(before);
        }
      }
      expect([...plan.world.disk.keys()].filter((path) => path !== '1.txt')).toEqual([]);
    },
  );
});

describe('a decision that breaks a rule', () => {
  /** A plan with one gate that is decided and one that is open. */
  async function asking(): Promise<{ plan: Driver; open: string; decided: string }> {
    const plan = await start();
    await plan.plan({ nodes: [node('1'), node('2')] });
    await plan.apply();
    const { gates } = await plan.until((view) => view.gates.length === 2);
    const [decided = '', open = ''] = gates.map(({ gate }) => gate);
    await plan.decide({ gate: decided, decision: 'approve' });
    await plan.until(({ tasks }) => Object.values(tasks).some(({ status }) => status === 'completed'));
    return { plan, open, decided };
  }

  it.each<[string, (of: { open: string; decided: string }) => Omit<Decide, 'by'>, string]>([
    ['on an unknown gate', () => ({ gate: 'gate-none', decision: 'approve' }), 'UnknownGate'],
    ['on a decided gate', ({ decided }) => ({ gate: decided, decision: 'reject' }), 'AlreadyDecided'],
    ['for other bytes', ({ open }) => ({ gate: open, decision: 'approve', digest: 'f'.repeat(64) }), 'StaleDigest'],
    ['of another kind', ({ open }) => ({ gate: open, decision: 'raise', value: 5 }), 'BadInput'],
    ['without a gate', () => ({ gate: '', decision: 'approve' }), 'BadInput'],
    ['by nobody', ({ open }) => ({ gate: open, decision: 'approve', by: '' }), 'BadInput'],
  ])('%s is refused by Update and by command, and moves nothing as a Signal', async (_what, make, type) => {
    const { plan, ...gates } = await asking();
    const said = { by: 'tester', ...make(gates) };
    const before = (await plan.view()).tasks;
    await expect(plan.decide(said)).rejects.toMatchObject({ cause: { type } });
    const byCommand = await productClient(plan)
      .decide(plan.id, said)
      .catch((error: unknown) => error);
    expect([RefusedError, UsageError].some((kind) => byCommand instanceof kind)).toBe(true);
    await plan.handle.signal('decide', said);
    const after = await plan.view();
    expect(after.tasks).toEqual(before);
    expect(after.gates.map(({ gate }) => gate)).toEqual([gates.open]);
  });
});
