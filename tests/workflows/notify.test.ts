/** Who is told what: on the real server, with sinks that the test plays. What goes over the wire: tests/notify. */
import { ApplicationFailure } from '@temporalio/common';
import { checkData } from '../../audit/events';
import { DEFAULT_EVENTS, type NotifyEvent, type SinkRule } from '../../plan/news';
import type { NotifyRequest } from '../../plan/steps';
import { factsOf } from './facts-of';
import { type Driver, node, usePlans } from './fake-world';
import { ruled, setRules, within } from './rule-world';

const start = usePlans();

const sink = (name: string, change: Partial<SinkRule> = {}): SinkRule => ({
  sink: name,
  events: DEFAULT_EVENTS,
  timeoutMs: 1_000,
  giveUpMs: 60_000,
  ...change,
});

async function planWith(sinks: SinkRule[], nodes = [node('1')]): Promise<Driver> {
  const plan = await start();
  plan.world.script.graph = { nodes };
  plan.world.script.policy = { ...plan.world.script.policy, notify: sinks };
  return plan;
}

const toldTo = (plan: Driver, name: string): NotifyRequest[] =>
  plan.world.requests.notify.filter((request) => request.sink === name);
const events = (plan: Driver, name: string): NotifyEvent[] =>
  toldTo(plan, name)
    .sort((a, b) => a.news.seq - b.news.seq)
    .map(({ event }) => event);
const allSent = (plan: Driver, count: number) =>
  plan.until(({ notifications }) => notifications?.sent === count && notifications.waiting === 0);
const down = (message = 'down', nextRetryDelay = 100): ApplicationFailure =>
  ApplicationFailure.create({ message, type: 'Notification', nextRetryDelay });

describe('notifications', () => {
  it('tell of a gate, its decision and the end of the run, in the order of their numbers, with the line to type', async () => {
    const plan = await planWith([sink('ops')]);
    await plan.plan();
    await plan.apply();
    const { gates } = await plan.until((view) => view.gates.length === 1);
    await plan.decide({ gate: gates[0]?.gate ?? '', decision: 'reject', reason: 'no', by: 'ana' });
    await plan.settled();
    await allSent(plan, 3);
    const sent = (await factsOf(plan)).filter(({ event }) => event === 'notification.sent');
    expect(sent.map(({ data }) => data.id).sort()).toEqual(
      toldTo(plan, 'ops')
        .map(({ id }) => id)
        .sort(),
    );
    for (const { event, data } of sent) expect(checkData(event, data)).toBeNull();
    const [opened, decided, finished] = toldTo(plan, 'ops').sort((a, b) => a.news.seq - b.news.seq);
    expect([opened?.news.seq, decided?.news.seq, finished?.news.seq]).toEqual([1, 2, 3]);
    expect(opened).toMatchObject({
      event: 'gate.opened',
      news: {
        plan: { id: plan.id, name: 'a plan', risk: 'MEDIUM' },
        run: { number: 1, kind: 'apply' },
        gate: { gate: gates[0]?.gate, path: '1.txt', digest: gates[0]?.digest, task: 1 },
        command: `planwright approve ${plan.id} --gate ${gates[0]?.gate}`,
      },
    });
    expect(decided).toMatchObject({ event: 'gate.decided', news: { decision: { decision: 'reject', by: 'ana' } } });
    expect(finished).toMatchObject({
      event: 'run.finished',
      news: { run: { status: 'completed' }, tasks: { declined: 1 } },
    });
  });

  it('are told by the most special name that a sink asks for, once, and not at all where it asks for none', async () => {
    const plan = await planWith([
      sink('failures', { events: ['plan.failed'] }),
      sink('runs', { events: ['run.finished'] }),
      sink('gates', { events: ['gate.opened'] }),
    ]);
    plan.world.script.verdict = () => 'failed';
    plan.world.script.generate = () => 'always wrong';
    await plan.plan();
    await plan.run({ yes: true });
    await allSent(plan, 2);
    expect([events(plan, 'failures'), events(plan, 'runs'), events(plan, 'gates')]).toEqual([
      ['plan.failed'],
      ['run.finished'],
      [],
    ]);
    expect(toldTo(plan, 'runs')[0]?.news).toMatchObject({
      run: { status: 'failed' },
      command: `planwright apply ${plan.id} --resume --retry`,
    });
  });

  it('tell of a gate that nobody decides: reminded, escalated with who is asked now, and expired', async () => {
    const plan = await planWith([sink('ops'), sink('gates', { events: ['gate.decided'] })]);
    const deadlines = within({ remindMs: 100, escalateMs: 200, escalateTo: ['lea'], expireMs: 400 });
    setRules(plan, { rules: [ruled('all', { by: ['ana'], deadlines })] });
    await plan.plan();
    await plan.apply();
    await plan.settled();
    await allSent(plan, 6);
    expect(events(plan, 'ops')).toEqual([
      'gate.opened',
      'gate.reminded',
      'gate.escalated',
      'gate.expired',
      'run.finished',
    ]);
    expect(events(plan, 'gates')).toEqual(['gate.decided']);
    expect(toldTo(plan, 'ops').find(({ event }) => event === 'gate.escalated')?.news.gate?.by).toContain('lea');
  });

  it('tell of a task that is stuck, and how to go on', async () => {
    const plan = await planWith([sink('ops')]);
    plan.world.script.generate = () => {
      throw ApplicationFailure.nonRetryable('no', 'Provider');
    };
    await plan.plan();
    await plan.apply({ yes: true, onFailure: 'wait' });
    await allSent(plan, 1);
    expect(toldTo(plan, 'ops')[0]).toMatchObject({
      event: 'plan.stuck',
      news: { gate: { kind: 'stuck', task: 1 }, command: expect.stringMatching(/^planwright decide .* retry$/) },
    });
  });

  it('of a plan that could not be made say so', async () => {
    const plan = await planWith([sink('ops')]);
    plan.world.script.planFaults = [['a cycle'], ['a cycle'], ['a cycle']];
    await plan.plan();
    await allSent(plan, 1);
    expect(toldTo(plan, 'ops')[0]).toMatchObject({ event: 'plan.failed', news: { run: null } });
  });

  it('for a sink that is down hold up neither the plan nor another sink, and arrive when it is back, with the same id', async () => {
    const plan = await planWith([sink('bad'), sink('good')]);
    let back = false;
    plan.world.script.notify = ({ sink: name }) => {
      if (name === 'bad' && !back) throw down();
    };
    await plan.plan();
    expect((await plan.run({ yes: true })).status).toBe('completed');
    const view = await plan.until(({ notifications }) => notifications?.sent === 1);
    expect(view.notifications).toMatchObject({ waiting: 1, failed: [] });
    expect(events(plan, 'good')).toEqual(['run.finished']);
    back = true;
    await allSent(plan, 2);
    expect(new Set(toldTo(plan, 'bad').map(({ id }) => id)).size).toBe(1);
    expect(toldTo(plan, 'bad').length).toBeGreaterThan(1);
    expect(toldTo(plan, 'bad')[0]?.id).not.toBe(toldTo(plan, 'good')[0]?.id);
  });

  it('that cannot be delivered for as long as the policy says, or to a receiver that is gone, are recorded as failed', async () => {
    const plan = await planWith([sink('slow', { giveUpMs: 300, timeoutMs: 100 }), sink('gone')]);
    plan.world.script.notify = ({ sink: name }) => {
      if (name === 'gone') throw ApplicationFailure.nonRetryable('it answered 410', 'Notification');
      throw down('nobody listens', 3_600_000);
    };
    await plan.plan();
    await plan.run({ yes: true });
    const { notifications } = await plan.until((view) => view.notifications?.failed.length === 2);
    expect(notifications).toMatchObject({ sent: 0, waiting: 0 });
    expect(notifications?.failed.map((one) => [one.sink, one.event, one.error]).sort()).toEqual([
      ['gone', 'run.finished', 'it answered 410'],
      ['slow', 'run.finished', 'nobody listens'],
    ]);
    const failed = (await factsOf(plan)).filter(({ event }) => event === 'notification.failed');
    expect(failed.map(({ data }) => data.channel).sort()).toEqual(['gone', 'slow']);
    for (const { event, data } of failed) expect(checkData(event, data)).toBeNull();
  });

  it('survive the worker that was delivering them, and a restart in which nobody delivers', async () => {
    const plan = await planWith([sink('ops')]);
    plan.world.script.notify = () => {
      throw down();
    };
    await plan.plan();
    await plan.run({ yes: true });
    await plan.until(() => toldTo(plan, 'ops').length > 0);
    await plan.stopWorker();
    plan.world.script.notify = () => undefined;
    await plan.startWorker();
    await allSent(plan, 1);
    expect(new Set(toldTo(plan, 'ops').map(({ id }) => id)).size).toBe(1);
  });

  it('of thirty gates at once reach a sink a few at a time, each once', async () => {
    const nodes = Array.from({ length: 30 }, (_, index) => node(String(index + 1)));
    const plan = await planWith([sink('ops', { events: ['gate.opened'] })], nodes);
    let now = 0;
    let most = 0;
    plan.world.script.notify = async () => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setTimeout(resolve, 5));
      now -= 1;
    };
    await plan.plan();
    await plan.apply();
    await allSent(plan, 30);
    expect(most).toBeLessThanOrEqual(5);
    expect(new Set(toldTo(plan, 'ops').map(({ news }) => news.gate?.path)).size).toBe(30);
    expect(toldTo(plan, 'ops')).toHaveLength(30);
  });

  it('go on in the next execution: what waits is carried over, what was told is not told again', async () => {
    const plan = await planWith([sink('ops')]);
    let back = false;
    plan.world.script.notify = ({ event }) => {
      if (event === 'gate.opened' && !back) throw down();
    };
    await plan.plan();
    await plan.apply();
    const { gates } = await plan.until((view) => view.gates.length === 1);
    const first = (await plan.handle.describe()).runId;
    for (let left = 1_500; left > 0; left -= 100) {
      const noise = { gate: 'gate-none', decision: 'approve', by: 'noise' };
      await Promise.all(Array.from({ length: 100 }, () => plan.handle.signal('decide', noise)));
      await plan.view();
    }
    for (let round = 0; (await plan.handle.describe()).runId === first; round++) {
      if (round > 400) throw new Error('the plan did not continue as new');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    back = true;
    await plan.decide({ gate: gates[0]?.gate ?? '', decision: 'approve' });
    await plan.settled();
    await allSent(plan, 3);
    const ids = new Map(toldTo(plan, 'ops').map(({ id, event }) => [id, event]));
    expect([...ids.values()].sort()).toEqual(['gate.decided', 'gate.opened', 'run.finished']);
  });

  it('of a plan that is cancelled in Temporal are given a moment, and do not keep it from ending', async () => {
    const plan = await planWith([sink('good'), sink('bad')]);
    plan.world.script.notify = ({ sink: name }) => {
      if (name === 'bad') throw down();
    };
    await plan.plan();
    await plan.apply();
    await plan.until((view) => view.gates.length === 1);
    await plan.handle.cancel();
    await expect(plan.handle.result()).rejects.toThrow();
    expect(events(plan, 'good')).toContain('run.finished');
    expect((await plan.view()).notifications?.failed.map(({ sink: name }) => name)).toContain('bad');
  });
});
