/**
 * Random plans, random failures of the model and random sequences of every verb, on the real server: states, files and
 * calls are those of the reference. `PLANWRIGHT_MODEL_RUNS` makes it longer, `PLANWRIGHT_MODEL_SEED` repeats a run.
 */
import { ApplicationFailure } from '@temporalio/common';
import fc from 'fast-check';
import { isSettledPlan } from '../../plan/states';
import type { TaskNode } from '../../plan/types';
import type { ApplyAnswer, PlanView } from '../../plan/view';
import { type Driver, node, statuses, terminal, usePlans } from './fake-world';
import { type ApplyFlags, type Behaviour, Reference } from './reference';

const RUNS = Number(process.env.PLANWRIGHT_MODEL_RUNS ?? 12);
const SEED = process.env.PLANWRIGHT_MODEL_SEED;
/** In `npm test` the time is the limit, not the number. */
const LIMIT_MS = process.env.PLANWRIGHT_MODEL_RUNS ? 3_600_000 : 45_000;

interface Real {
  plan: Driver;
}

type Command = fc.AsyncCommand<Reference, Real>;

const still = (view: PlanView): boolean =>
  isSettledPlan(view.status) ||
  (view.status === 'waiting' &&
    !Object.values(view.tasks).some(({ status }) => ['generating', 'verifying', 'writing'].includes(status)));

/** Everything that can be seen of a plan that stands still is as the reference says. */
async function same(reference: Reference, { plan }: Real): Promise<void> {
  const view = await plan.until(still);
  const tasks = [...reference.tasks];
  const { calls, disk } = plan.world;
  const made = (step: string): string[] =>
    calls.filter((call) => call.startsWith(`${step} `)).map((call) => call.slice(step.length + 1));
  expect({
    status: view.status,
    tasks: statuses(view),
    attempts: Object.fromEntries(Object.entries(view.tasks).map(([id, { attempts }]) => [id, attempts])),
    gates: view.gates.map(({ task }) => task).sort(),
    runs: view.runs.map(({ kind, status }) => ({ kind, status })),
    disk: Object.fromEntries(disk),
    generated: made('generate').sort(),
    written: made('write').sort(),
  }).toEqual({
    status: reference.status,
    tasks: Object.fromEntries(tasks.map(([id, { status }]) => [id, status])),
    attempts: Object.fromEntries(tasks.map(([id, { shown }]) => [id, shown])),
    gates: reference.waiting().sort(),
    runs: reference.runs,
    disk: Object.fromEntries(reference.disk),
    generated: [...reference.generated].sort(),
    written: [...reference.written].sort(),
  });
}

/** A verb: what it does to the reference and to the plan, and when it can be said at all. */
function verb(
  name: string,
  can: (reference: Reference) => boolean,
  say: (reference: Reference, real: Real) => Promise<void>,
): Command {
  return {
    check: can,
    run: async (reference, real) => {
      await say(reference, real);
      if (reference.workerRuns) await same(reference, real);
    },
    toString: () => name,
  };
}

const apply = (flags: (reference: Reference) => ApplyFlags, name: string): Command =>
  verb(
    name,
    ({ workerRuns }) => workerRuns,
    async (reference, { plan }) => {
      const request = flags(reference);
      const expected = reference.apply(request);
      const answer = await plan
        .apply(request)
        .catch((error: unknown): Pick<ApplyAnswer, 'result'> | { result: 'refused' } => {
          if (failureType(error) === 'NotReady' || failureType(error) === 'PlanRunning') return { result: 'refused' };
          throw error;
        });
      expect({ name, result: answer.result }).toEqual({ name, result: expected.result });
    },
  );

const failureType = (error: unknown): string | null | undefined =>
  error instanceof Error && error.cause instanceof ApplicationFailure ? error.cause.type : null;

/** Decisions go by Update while a worker lives, and by Signal, which needs none, while it does not. */
const decide = (decision: 'approve' | 'reject' | 'request-changes', which: number): Command =>
  verb(
    `${decision} ${which}`,
    (reference) => reference.waiting().length > 0,
    async (reference, { plan }) => {
      const waiting = reference.waiting();
      const id = waiting[which % waiting.length] ?? '';
      const gate = gates.get(plan)?.get(id) ?? (await plan.view()).gates.find(({ task }) => task === id)?.gate ?? '';
      const { workerRuns } = reference;
      reference.decide(id, decision);
      const said = { gate, decision, reason: 'because' };
      if (workerRuns) await plan.decide(said);
      else await plan.handle.signal('decide', { by: 'tester', ...said });
    },
  );

/** Open gates by task, as they were when the worker was stopped: nobody can be asked then. */
const gates = new WeakMap<Driver, Map<string, string>>();

const stopWorker = verb(
  'stop the worker',
  ({ workerRuns }) => workerRuns,
  async (reference, { plan }) => {
    gates.set(plan, new Map((await plan.view()).gates.map(({ task, gate }) => [task ?? '', gate])));
    reference.workerRuns = false;
    await plan.stopWorker();
  },
);

const startWorker = verb(
  'start the worker',
  ({ workerRuns }) => !workerRuns,
  async (reference, { plan }) => {
    gates.delete(plan);
    await plan.startWorker();
    reference.startWorker();
  },
);

const cancel = verb(
  'cancel',
  ({ workerRuns, status }) => workerRuns && status === 'waiting',
  async (reference, { plan }) => {
    reference.cancel();
    await plan.handle.executeUpdate('cancel', { args: [{ by: 'tester', reason: null }] });
  },
);

const undo = (kind: 'rollback' | 'clean', overwriteChanged: boolean): Command =>
  verb(
    `${kind}${overwriteChanged ? ' --overwrite-changed' : ''}`,
    ({ workerRuns }) => workerRuns,
    async (reference, { plan }) => {
      const expected = reference.undo(kind, overwriteChanged);
      const answer = await plan.undo(kind, { overwriteChanged }).then(
        () => 'started',
        (error: unknown) => {
          if (failureType(error) === 'NotReady' || failureType(error) === 'PlanRunning') return 'refused';
          throw error;
        },
      );
      expect({ kind, answer }).toEqual({ kind, answer: expected });
    },
  );

/** What people do to a file that stands there between two runs: edit it to what nobody wrote before, or delete it. */
let edits = 0;
const edit = (which: number, content: 'another' | 'none'): Command =>
  verb(
    `${content === 'none' ? 'delete' : 'edit'} file ${which}`,
    ({ workerRuns, status, disk }) => workerRuns && isSettledPlan(status) && disk.size > 0,
    async (reference, { plan }) => {
      const path = [...reference.disk.keys()].sort()[which % reference.disk.size] ?? '';
      edits += 1;
      const text = content === 'none' ? null : `edit ${edits}`;
      reference.edit(path, text);
      if (text === null) plan.world.disk.delete(path);
      else plan.world.disk.set(path, text);
    },
  );

/** Deleting is the last verb of all: it ends the workflow, unless something of the plan runs or waits. */
async function end({ status }: Reference, plan: Driver): Promise<void> {
  const answer = await plan.handle
    .executeUpdate('delete', { args: [{ by: 'tester' }] })
    .then(() => 'deleted', failureType);
  expect({ status, answer }).toEqual({ status, answer: isSettledPlan(status) ? 'deleted' : 'PlanRunning' });
  if (answer === 'deleted') await plan.handle.result();
}

const MOST_TASKS = 12;
const which = fc.nat({ max: MOST_TASKS - 1 });
const idAt = (reference: Reference, at: number): string => [...reference.tasks.keys()][at % reference.tasks.size] ?? '';

const verbs = [
  fc.boolean().map((yes) => apply(() => ({ yes }), `apply${yes ? ' --yes' : ''}`)),
  fc.boolean().map((yes) => apply(() => ({ yes, resume: true }), `apply --resume${yes ? ' --yes' : ''}`)),
  fc
    .boolean()
    .map((yes) => apply(() => ({ yes, resume: true, retry: true }), `apply --resume --retry${yes ? ' --yes' : ''}`)),
  fc
    .tuple(which, fc.boolean())
    .map(([at, yes]) =>
      apply((reference) => ({ yes, task: idAt(reference, at) }), `apply --task ${at}${yes ? ' --yes' : ''}`),
    ),
  fc
    .boolean()
    .map((refresh) => apply(() => ({ yes: false, dryRun: true, refresh }), `dry run${refresh ? ' --refresh' : ''}`)),
  which.map((at) => apply((of) => ({ yes: false, dryRun: true, task: idAt(of, at) }), `dry run --task ${at}`)),
  fc.constant(apply(() => ({ yes: false, dryRun: true, resume: true, retry: true }), 'dry run --resume --retry')),
  fc.constant(apply(() => ({ yes: true, refresh: true, resume: true }), 'apply --resume --refresh --yes')),
  fc
    .boolean()
    .map((recorded) => apply(() => ({ yes: true, replay: true, recorded }), `replay${recorded ? ' --recorded' : ''}`)),
  fc.tuple(which, which, fc.constantFrom('only', 'exclude', 'both'), fc.boolean()).map(([one, other, how, dryRun]) =>
    apply(
      (of) => ({
        ...{ yes: true, resume: true, dryRun },
        ...(how === 'exclude' ? {} : { only: [idAt(of, one), idAt(of, other)] }),
        ...(how === 'only' ? {} : { exclude: [idAt(of, how === 'both' ? one : other)] }),
      }),
      `${dryRun ? 'dry run' : 'apply --yes'} --resume --${how} ${one},${other}`,
    ),
  ),
  which.map((at) =>
    apply((of) => ({ yes: true, task: idAt(of, at), instruct: 'use Alpine' }), `--task ${at} --instruct`),
  ),
  which.map((at) => decide('approve', at)),
  which.map((at) => decide('approve', at)),
  which.map((at) => decide('reject', at)),
  which.map((at) => decide('request-changes', at)),
  fc.tuple(fc.constantFrom('rollback' as const, 'clean' as const), fc.boolean()).map((of) => undo(...of)),
  fc.tuple(which, fc.constantFrom('another' as const, 'none' as const)).map((of) => edit(...of)),
  fc.constant(cancel),
  fc.constant(stopWorker),
  fc.constant(startWorker),
];

/** Graphs in any order of nodes; each node depends on up to three earlier ones. */
const graphs: fc.Arbitrary<TaskNode[]> = fc
  .array(fc.array(which, { maxLength: 3 }), { minLength: 1, maxLength: MOST_TASKS })
  .map((rows) =>
    rows.map((deps, at) => node(`t${at}`, at === 0 ? [] : [...new Set(deps.map((dep) => `t${dep % at}`))])),
  )
  .chain((nodes) => fc.shuffledSubarray(nodes, { minLength: nodes.length }));

const behaviour: fc.Arbitrary<Behaviour> = fc.oneof(
  { weight: 4, arbitrary: fc.constant('ok' as const) },
  { weight: 1, arbitrary: fc.constantFrom('timeout' as const, 'bad-answer' as const, 'flaky' as const) },
);

describe('any sequence of verbs', () => {
  const start = usePlans();

  it(
    'leaves states, files and calls as the contract says',
    async () => {
      const property = fc.asyncProperty(
        graphs,
        fc.array(fc.array(behaviour, { maxLength: 3 }), { minLength: MOST_TASKS, maxLength: MOST_TASKS }),
        fc.commands(verbs, { maxCommands: 14, size: 'max' }),
        async (nodes, rows, commands) => {
          const failures = Object.fromEntries(rows.map((row, at) => [`t${at}`, row]));
          const plan = await start();
          const asked = new Map<string, number>();
          plan.world.script.generate = ({ task, generation, seed }) => {
            const call = asked.get(task.id) ?? 0;
            asked.set(task.id, call + 1);
            const does = failures[task.id]?.[call] ?? 'ok';
            if (does === 'timeout') throw terminal('Timeout', 'too slow');
            if (does === 'bad-answer') throw terminal('BadAnswer', 'prose');
            if (does === 'flaky') throw ApplicationFailure.retryable('busy', 'ProviderError');
            return `content of ${task.id}, seed ${seed ?? generation}`;
          };
          await plan.plan({ nodes });
          try {
            const reference = new Reference(nodes, failures);
            await fc.asyncModelRun(() => ({ model: reference, real: { plan } }), commands);
            if (reference.workerRuns) await end(reference, plan);
          } finally {
            await plan.stopWorker();
          }
        },
      );
      await fc.assert(property, {
        numRuns: RUNS,
        interruptAfterTimeLimit: LIMIT_MS,
        ...(SEED === undefined ? {} : { seed: Number(SEED) }),
      });
    },
    LIMIT_MS + 60_000,
  );
});
