/**
 * Tells the policy's sinks what happens. Which notification goes where is decided here, from the plan's state after
 * each change; an activity of its own delivers each. Nothing of a plan waits for a delivery, and one sink's troubles are
 * no other's: each has a few places of its own.
 *
 * A notification stands in the carried state until it is delivered or given up, so that neither continue-as-new nor the
 * death of a process loses one. What is under way at continue-as-new is sent again, with the same id: at least once.
 */
import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  condition,
  proxyActivities,
  uuid4,
} from '@temporalio/workflow';
import type { PlanActivities } from '../activities/types';
import { BY_WORKFLOW } from '../plan/facts';
import { NOTHING_TOLD, nameFor, newsSince } from '../plan/news';
import type { PlanContext } from './context';
import { said } from './facts';
import type { NotifyState, Waiting } from './notify-state';

/** At once for one sink of one plan; the rest waits its turn. */
const PLACES = 5;
/** A sink that is away for so long that more than these wait loses the newest. */
const MOST_WAITING = 1_000;
const KEPT_FAILURES = 20;
/** How long continue-as-new and the end of the workflow wait for deliveries under way. */
const PATIENCE = '3s';
/** Beyond the time limit of an attempt: only a worker that died needs it. */
const GRACE_MS = 5_000;
const RETRY = { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '5m' } as const;

export class Notifier {
  private readonly underWay = new Set<string>();
  /** Made where nothing is cancelled: what a cancelled run comes to is told nevertheless. */
  private readonly scope = new CancellationScope({ cancellable: false });
  private readonly own: NotifyState;

  /** @param silent true while a lost plan is taken up: what it came to before was told before */
  constructor(
    private readonly context: PlanContext,
    private readonly silent: () => boolean,
  ) {
    const { state } = context;
    const { told } = newsSince(NOTHING_TOLD, state.view, state.decided, context.at());
    state.notify ??= { told: { ...told, seq: 0 }, waiting: [], sent: 0, failed: [] };
    this.own = state.notify;
    this.start();
  }

  /** Called after every change of the plan: nothing that happens between two changes is missed. */
  look(): void {
    const { state } = this.context;
    const { told, news } = newsSince(this.own.told, state.view, state.decided, this.context.at());
    this.own.told = told;
    if (this.silent()) return;
    for (const one of news) {
      for (const { sink, events, giveUpMs, timeoutMs } of state.policy.notify ?? []) {
        const event = nameFor({ events }, one.names);
        if (event === null) continue;
        const until = new Date(Date.parse(one.at) + giveUpMs).toISOString();
        this.add({ id: `notification-${uuid4()}`, sink, event, news: one, until, timeoutMs });
      }
    }
    if (news.length > 0) this.start();
  }

  /** Gives deliveries under way a moment, before continue-as-new. What is left is carried over. */
  async settle(): Promise<void> {
    if (this.own.waiting.length > 0) await condition(() => this.own.waiting.length === 0, PATIENCE);
  }

  /** The workflow ends, and nobody will try again. */
  async end(): Promise<void> {
    await this.settle();
    for (const one of this.own.waiting) this.failed(one, 'the plan ended before it could be delivered');
    this.own.waiting = [];
    this.show();
  }

  private add(one: Waiting): void {
    const { waiting } = this.own;
    if (waiting.filter(({ sink }) => sink === one.sink).length < MOST_WAITING) waiting.push(one);
    else this.failed(one, `${MOST_WAITING} others wait for this sink already`);
    this.show();
  }

  private failed(one: Waiting, error: string): void {
    const { sink, event } = one;
    this.context.record('notification.failed', BY_WORKFLOW, { ...factOf(one), reason: said(error) });
    this.own.failed = [...this.own.failed, { sink, event, at: this.context.at(), error }].slice(-KEPT_FAILURES);
  }

  private start(): void {
    const { waiting } = this.own;
    const busy = new Map<string, number>();
    const count = (sink: string): void => void busy.set(sink, (busy.get(sink) ?? 0) + 1);
    for (const { id, sink } of waiting) if (this.underWay.has(id)) count(sink);
    for (const one of waiting) {
      if (this.underWay.has(one.id) || (busy.get(one.sink) ?? 0) >= PLACES) continue;
      count(one.sink);
      this.underWay.add(one.id);
      void this.scope.run(() => this.deliver(one));
    }
  }

  private async deliver(one: Waiting): Promise<void> {
    try {
      await this.attempt(one);
      this.own.sent += 1;
      this.context.record('notification.sent', BY_WORKFLOW, factOf(one));
    } catch (error) {
      if (!(error instanceof ActivityFailure)) throw error;
      this.failed(one, reasonOf(error));
    }
    this.underWay.delete(one.id);
    this.own.waiting = this.own.waiting.filter(({ id }) => id !== one.id);
    this.show();
    this.start();
    this.context.changed();
  }

  private async attempt({ id, sink, event, news, until, timeoutMs }: Waiting): Promise<void> {
    const { notify } = proxyActivities<PlanActivities>({
      activityId: `notify-${news.seq}-${sink}`,
      summary: `tell ${sink}: ${event}`,
      startToCloseTimeout: timeoutMs + GRACE_MS,
      // What waited longer than it may has one more chance.
      scheduleToCloseTimeout: Math.max(timeoutMs + GRACE_MS, Date.parse(until) - Date.parse(this.context.at())),
      retry: RETRY,
    });
    await notify({ id, sink, event, news });
  }

  /** What people see of it with the plan. */
  private show(): void {
    const { sent, waiting, failed } = this.own;
    this.context.state.view.notifications = { sent, waiting: waiting.length, failed };
  }
}

const factOf = ({ sink, event, id, news }: Waiting) => ({
  channel: sink,
  about: event,
  gate: news.gate?.gate ?? null,
  id,
  seq: news.seq,
});

function reasonOf({ cause, message }: ActivityFailure): string {
  if (cause instanceof ApplicationFailure) return cause.message;
  return cause?.message ?? message;
}
