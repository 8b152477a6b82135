import fc from 'fast-check';
import type { StreamEvent } from '../../client/events';
import { eventsBetween, versionEvent } from '../../client/events';
import type { TaskStatus, Verification } from '../../plan/types';
import type { DecisionView, GateView, PlanView, TaskView } from '../../plan/view';
import { atGate, completed, fileView, gateView, planView, runView, taskView } from './cli/views';

const types = (events: StreamEvent[]): string[] => events.map(({ type }) => type);
const passed: Verification = { verifier: 'yaml', version: '1', path: 'x', verdict: 'passed', findings: [] };

describe('eventsBetween', () => {
  it('tells the making of a plan, then its readiness', () => {
    const planning = planView({ status: 'planning', graph: { nodes: [] }, tasks: {} });
    expect(types(eventsBetween(null, planning))).toEqual(['plan_created']);
    expect(types(eventsBetween(planning, planView()))).toEqual(['plan_ready']);
    const failure = { type: 'NoRule', message: 'no rule fits' };
    const failed = eventsBetween(planning, { ...planning, status: 'failed', failure });
    expect(failed).toEqual([expect.objectContaining({ type: 'plan_failed', error: failure })]);
  });

  it('implies what was skipped: pending, then completed', () => {
    const verified = completed();
    const task = verified.tasks.docker as TaskView;
    verified.tasks = { ...verified.tasks, docker: { ...task, verification: [passed] } };
    const events = eventsBetween(planView(), verified).filter(({ task: id }) => id === 'docker');
    expect(types(events)).toEqual(['task_started', 'artifact', 'verification', 'file_written', 'task_completed']);
  });

  it('says nothing twice, and nothing for a view that tells nothing new', () => {
    expect(eventsBetween(completed(), completed())).toEqual([]);
  });

  it('tells of a gate that opened and was decided between two views, with who and why', () => {
    const before = planView({ runs: [runView()], status: 'running' });
    const after = completed();
    const decision: DecisionView = {
      gate: 'g1',
      kind: 'file',
      decision: 'approve',
      by: 'bob',
      reason: 'read it',
      at: '2026-01-01T00:00:03.000Z',
      path: 'Dockerfile',
    };
    after.tasks = { ...after.tasks, docker: { ...(after.tasks.docker as TaskView), decisions: [decision] } };
    const gates = eventsBetween(before, after).filter(({ type }) => type.startsWith('gate'));
    expect(gates).toEqual([
      expect.objectContaining({
        type: 'gate_opened',
        gate: 'g1',
        kind: 'file',
        path: 'Dockerfile',
        task: 'docker',
        run: 1,
      }),
      expect.objectContaining({ type: 'gate_decided', gate: 'g1', decision: 'approve', by: 'bob', reason: 'read it' }),
    ]);
  });

  it('tells that a gate of the whole plan was passed', () => {
    const risk = { gate: 'g-risk', kind: 'risk', task: null, path: null, sha256: null } as const;
    const before = atGate(risk);
    const at = before.runs[0]?.startedAt ?? '';
    const decision = {
      gate: 'g-risk',
      kind: 'risk',
      decision: 'approve',
      by: 'ana',
      reason: 'seen',
      at,
      path: null,
    } as const;
    const events = eventsBetween(before, { ...before, gates: [], decisions: [decision] });
    expect(events).toEqual([
      expect.objectContaining({
        type: 'gate_decided',
        gate: 'g-risk',
        run: 1,
        decision: 'approve',
        by: 'ana',
        reason: 'seen',
      }),
    ]);
    expect(types(eventsBetween(planView(), before))).toContain('gate_opened');
  });

  it('closes a run with status, counts, files and tokens', () => {
    const after = completed();
    after.tasks.docker = {
      ...(after.tasks.docker as TaskView),
      usage: { promptTokens: 10, completionTokens: 5, calls: 1 },
    };
    expect(eventsBetween(atGate(), after).at(-1)).toMatchObject({
      type: 'run_finished',
      status: 'completed',
      counts: { completed: 2 },
      files: [{ path: 'Dockerfile', action: 'create' }, { path: '.github/workflows/ci.yml' }],
      tokens: 15,
    });
  });

  it('a task that runs again in a later run starts again', () => {
    const failed = planView({
      status: 'partial',
      runs: [runView({ status: 'partial' })],
      tasks: { docker: taskView(1, 'completed'), ci: taskView(2, 'failed') },
    });
    const retried = {
      ...failed,
      status: 'completed' as const,
      runs: [...failed.runs, runView({ number: 2, kind: 'retry', status: 'completed', tasks: ['ci'] })],
      tasks: { ...failed.tasks, ci: taskView(2, 'completed', { run: 2, attempts: 2 }) },
    };
    const events = eventsBetween(failed, retried);
    expect(events.map(({ type, run, task }) => [type, run, task])).toEqual([
      ['run_started', 2, undefined],
      ['task_started', 2, 'ci'],
      ['task_completed', 2, 'ci'],
      ['run_finished', 2, undefined],
    ]);
  });

  it('without an earlier view tells of the latest run only', () => {
    const runs = [runView({ status: 'partial' }), runView({ number: 2, status: 'completed' })];
    const view = completed({
      runs,
      tasks: { docker: taskView(1, 'completed'), ci: taskView(2, 'completed', { run: 2 }) },
    });
    expect(eventsBetween(null, view).filter(({ run }) => run === 1)).toEqual([]);
  });

  it('begins a stream with its version', () => {
    expect(versionEvent('0.1.0')).toEqual({ type: 'version', planwright: '0.1.0', stream: 1 });
  });
});

/** Any life of a task that regenerates nothing, as the steps that a view can show. */
const END: TaskStatus[] = ['completed', 'failed', 'declined', 'cancelled'];
const life = fc.record({
  gated: fc.boolean(),
  end: fc.constantFrom(...END, 'skipped' as const, 'failed early' as const),
  files: fc.integer({ min: 1, max: 3 }),
});

interface Step {
  task: TaskView;
  gates: GateView[];
}

function stepsOf(
  id: string,
  number: number,
  { gated, end, files: count }: { gated: boolean; end: string; files: number },
): Step[] {
  const step = (status: TaskStatus, over: Partial<TaskView> = {}, gates: GateView[] = []): Step => ({
    task: taskView(number, status, over),
    gates,
  });
  const start = [step('pending')];
  if (end === 'skipped') return [...start, step('skipped', { run: 1, reason: 'a dependency failed' })];
  start.push(step('generating'));
  if (end === 'failed early') return [...start, step('failed', { error: { type: 'Timeout', message: 'too slow' } })];
  const files = Array.from({ length: count }, (_, at) => fileView(`${id}/${at}`, `${id}${at}`));
  const verification = [passed];
  const gates = gated ? files.map((file) => gateView(id, file)) : [];
  const decisions = gates.map(({ gate, kind, path }): DecisionView => {
    return {
      gate,
      kind,
      path,
      decision: end === 'declined' ? 'reject' : 'approve',
      by: 'ada',
      reason: null,
      at: 'then',
    };
  });
  const steps = [...start, step('verifying', { files }), step('verifying', { files, verification })];
  if (gated) steps.push(step('awaiting_approval', { files, verification }, gates));
  for (let at = 1; at <= gates.length; at++) {
    steps.push(step('awaiting_approval', { files, verification, decisions: decisions.slice(0, at) }, gates.slice(at)));
  }
  const written = files.map((file) => ({
    ...file,
    state: end === 'declined' ? ('declined' as const) : ('written' as const),
  }));
  if (end !== 'declined') steps.push(step('writing', { files, verification, decisions }));
  return [...steps, step(end as TaskStatus, { files: written, verification, decisions })];
}

/** Every view that one run goes through, when the tasks' steps happen in the order of `turns`. */
function finest(lives: Step[][], turns: number[]): PlanView[] {
  const at = lives.map(() => 0);
  const show = (over: Partial<PlanView>): PlanView => {
    const now = lives.map((steps, index) => steps[at[index] ?? 0] as Step);
    const tasks = Object.fromEntries(now.map(({ task }, index) => [`t${index}`, task]));
    const nodes = Object.keys(tasks).map((id) => ({ id, tool: 'x', description: id, input: {}, deps: [] }));
    return planView({ graph: { nodes }, tasks, gates: now.flatMap(({ gates }) => gates), ...over });
  };
  const views = [show({ status: 'planning', graph: { nodes: [] }, tasks: {} }), show({})];
  const runs = [runView({ tasks: [] })];
  views.push(show({ status: 'running', runs }));
  for (const turn of [...turns, ...lives.flatMap((steps, index) => steps.map(() => index))]) {
    const index = turn % lives.length;
    const next = (at[index] ?? 0) + 1;
    if (next >= (lives[index]?.length ?? 0)) continue;
    at[index] = next;
    views.push(show({ status: 'running', runs }));
  }
  return [
    ...views,
    show({ status: 'completed', runs: [runView({ tasks: [], status: 'completed', finishedAt: 'then' })] }),
  ];
}

/** Events without the times, which come from the view where the plan keeps none. */
function told(views: PlanView[]): string[] {
  const events = views.flatMap((view, index) => eventsBetween(views[index - 1] ?? null, view));
  return events.map(({ at: _, ...event }) => JSON.stringify(event)).sort();
}

describe('a run seen through snapshots', () => {
  it('tells the same events, whichever snapshots were missed', () => {
    fc.assert(
      fc.property(
        fc.array(life, { minLength: 1, maxLength: 4 }),
        fc.array(fc.nat(), { maxLength: 40 }),
        fc.array(fc.boolean(), { minLength: 80, maxLength: 80 }),
        (lives, turns, kept) => {
          const views = finest(
            lives.map((one, index) => stepsOf(`t${index}`, index + 1, one)),
            turns,
          );
          const seen = views.filter((_, index) => kept[index] || index === views.length - 1);
          expect(told(seen)).toEqual(told(views));
        },
      ),
    );
  });

  it('tells them in an order that makes sense: nothing of a task before its start or after its end', () => {
    fc.assert(
      fc.property(fc.array(life, { minLength: 1, maxLength: 4 }), (lives) => {
        const views = finest(
          lives.map((one, index) => stepsOf(`t${index}`, index + 1, one)),
          [],
        );
        const events = eventsBetween(null, views.at(-1) as PlanView);
        expect(events.at(-1)?.type).toBe('run_finished');
        for (const index of lives.keys()) {
          const own = types(events.filter(({ task }) => task === `t${index}`));
          if (own.length > 1) expect(own[0]).toBe('task_started');
          expect(own.at(-1)).toMatch(/^task_(completed|failed|skipped|declined|cancelled)$/);
        }
      }),
    );
  });
});

it('a gate that took several people is decided once, by what settled it', () => {
  const decision = { kind: 'file', path: 'Dockerfile', reason: null, gate: 'g-1' } as const;
  const at = (second: number): string => `2026-01-01T00:00:0${second}.000Z`;
  const votes = [
    { ...decision, decision: 'approve', by: 'ana', at: at(1) },
    { ...decision, decision: 'reject', by: 'ben', at: at(2) },
  ];
  const before = planView({ status: 'running', runs: [runView()] });
  const after = planView({
    status: 'running',
    runs: [runView()],
    tasks: { ...before.tasks, docker: taskView(1, 'declined', { decisions: votes }) },
  });
  const decided = eventsBetween(before, after).filter(({ type }) => type === 'gate_decided');
  expect(decided).toMatchObject([{ decision: 'reject', by: 'ben' }]);
});
