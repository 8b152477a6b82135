import { checkData } from '../../audit/events';
import { FACTS_MEMO, type Fact } from '../../plan/facts';
import { type Driver, node, terminal, usePlans } from './fake-world';

const start = usePlans();

interface Seen {
  /** Type of the event, and for facts what each says. */
  type: string;
  facts: Fact[];
  activity: string | null;
}

/** The plan's history as far as facts and schedules are concerned, oldest first. */
async function history(plan: Driver): Promise<Seen[]> {
  const { events } = await plan.handle.fetchHistory();
  const converter = plan.client.options.loadedDataConverter.payloadConverter;
  return (events ?? []).map((event) => {
    const payload = event.workflowPropertiesModifiedEventAttributes?.upsertedMemo?.fields?.[FACTS_MEMO];
    return {
      type: String(event.eventType),
      facts: payload ? converter.fromPayload<Fact[]>(payload) : [],
      activity: event.activityTaskScheduledEventAttributes?.activityId ?? null,
    };
  });
}

const factsOf = async (plan: Driver): Promise<Fact[]> => (await history(plan)).flatMap(({ facts }) => facts);
const named = (facts: readonly Fact[]): string[] => facts.map(({ event }) => event);

describe('the facts in a plan’s history', () => {
  it('tell of planning, a run and its end, and each has the shape of its event', async () => {
    const plan = await start();
    await plan.plan();
    await plan.run({ yes: true });
    const facts = await factsOf(plan);
    expect(named(facts).sort()).toEqual(
      [
        'plan.ready',
        'run.started',
        'gate.passed',
        'task.completed',
        'task.completed',
        'task.completed',
        'run.finished',
      ].sort(),
    );
    for (const { event, data } of facts) expect(checkData(event, data)).toBeNull();
    expect(facts.find(({ event }) => event === 'run.started')).toMatchObject({
      actor: { kind: 'user', id: 'tester', auth: 'claimed' },
      data: { run: 1, kind: 'apply', flags: ['yes'], tasks: 3 },
    });
  });

  it('stand before the write that a decision allowed', async () => {
    const plan = await start();
    plan.world.script.graph = { nodes: [node('1')] };
    await plan.plan();
    await plan.apply();
    const { gates } = await plan.until((view) => view.gates.length === 1);
    await plan.decide({ gate: gates[0]?.gate ?? '', decision: 'approve', by: 'ana', reason: 'fine' });
    await plan.settled();
    const events = await history(plan);
    const decided = events.findIndex(({ facts }) => named(facts).includes('gate.decided'));
    const write = events.findIndex(({ activity }) => activity?.startsWith('write-'));
    expect(decided).toBeGreaterThan(0);
    expect(write).toBeGreaterThan(decided);
    expect(events[decided]?.facts).toMatchObject([
      { actor: { id: 'ana' }, data: { decision: 'approve', reason: 'fine', way: 'update', path: '1.txt' } },
    ]);
  });

  it('tell of decisions that were refused, also of those that came as a signal and have no form', async () => {
    const plan = await start();
    plan.world.script.graph = { nodes: [node('1')] };
    await plan.plan();
    await plan.apply();
    const { gates } = await plan.until((view) => view.gates.length === 1);
    const gate = gates[0]?.gate ?? '';
    await plan.decide({ gate: 'gate-none', decision: 'approve' }).catch(() => undefined);
    await plan.handle.signal('decide', 'nonsense');
    await plan.handle.signal('decide', { gate, decision: 'approve', by: 'eve', digest: 'f'.repeat(64) });
    await plan.handle.signal('decide', {
      gate,
      decision: 'reject',
      by: 'ben',
      reason: 'password=hunter2horse9battery',
    });
    await plan.settled();
    const facts = (await factsOf(plan)).filter(({ event }) => /^(decision|gate\.decided)/.test(event));
    expect(facts.map(({ event, actor, data }) => [event, actor.id, data.way, data.type ?? data.decision])).toEqual([
      ['decision.refused', 'tester', 'update', 'UnknownGate'],
      ['decision.refused', 'unknown', 'signal', 'BadInput'],
      ['decision.refused', 'eve', 'signal', 'StaleDigest'],
      ['gate.decided', 'ben', 'signal', 'reject'],
    ]);
    expect(JSON.stringify(facts)).not.toContain('hunter2');
    for (const { event, data } of facts) expect(checkData(event, data)).toBeNull();
  });

  it('tell of failures, of what they took with them, and of the retry', async () => {
    const plan = await start();
    plan.world.script.graph = { nodes: [node('1'), node('2', ['1']), node('3', ['2'])] };
    plan.world.script.generate = ({ task }) => {
      if (task.id === '1') throw terminal('BadAnswer', 'prose');
      return 'x';
    };
    await plan.plan();
    await plan.run({ yes: true });
    plan.world.script.generate = ({ task }) => `content of ${task.id}`;
    await plan.run({ yes: true, resume: true, retry: true });
    await plan.undo('rollback');
    await plan.handle.executeUpdate('delete', { args: [{ by: 'tester' }] });
    await plan.handle.result();
    const facts = await factsOf(plan);
    expect(named(facts)).toEqual([
      'plan.ready',
      'run.started',
      'gate.passed',
      'task.failed',
      'task.skipped',
      'run.finished',
      'run.started',
      'gate.passed',
      'task.retried',
      'task.completed',
      'task.completed',
      'task.completed',
      'run.finished',
      'undo.started',
      'undo.finished',
      'plan.deleted',
    ]);
    for (const { event, data } of facts) expect(checkData(event, data)).toBeNull();
    expect(facts.find(({ event }) => event === 'task.skipped')?.data).toMatchObject({
      tasks: [
        { task: '2', number: 2 },
        { task: '3', number: 3 },
      ],
      reason: 'task 1 failed',
    });
  });

  it('tell who cancelled a run, and what that took with it', async () => {
    const plan = await start();
    plan.world.script.risk = 'HIGH';
    await plan.plan();
    await plan.apply({ yes: true });
    await plan.until((view) => view.gates.length === 1);
    await plan.handle.executeUpdate('cancel', { args: [{ by: 'ana', reason: 'enough' }] });
    await plan.settled();
    const facts = await factsOf(plan);
    expect(named(facts)).toEqual([
      'plan.ready',
      'run.started',
      'gate.passed',
      'gate.opened',
      'plan.cancelled',
      'gate.withdrawn',
      'task.cancelled',
      'run.finished',
    ]);
    for (const { event, data } of facts) expect(checkData(event, data)).toBeNull();
  });
});
