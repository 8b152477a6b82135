import { isMoving } from '../../plan/states';
import type { PlanView } from '../../plan/view';
import type { StreamEvent } from '../events';
import { eventsBetween } from '../events';
import type { PlanClient } from '../types';
import type { Ended } from './gatekeeper';
import { Gatekeeper } from './gatekeeper';
import { openGates } from './gates';
import type { Io } from './io';
import { blockedLines, pendingLines } from './show/gate-text';
import type { Show } from './show/types';
import type { Signer } from './signer';

/** How following a plan ended. The plan itself goes on wherever this is not `settled`. */
export type Ending =
  | { kind: 'settled'; view: PlanView }
  | { kind: 'waiting'; view: PlanView }
  | { kind: 'detached'; view: PlanView | null; by: Ended | 'SIGINT' | 'SIGTERM' };

export interface FollowOptions {
  client: PlanClient;
  id: string;
  io: Io;
  show: Show;
  /** What was seen already; only what came after it is shown. */
  before: PlanView | null;
  settled(view: PlanView): boolean;
  /**
   * At a gate: `ask` this person, `leave` (exit code 8) at once or after `waitMs`, or `stay` until someone decides.
   */
  atGate: 'ask' | 'leave' | 'stay';
  waitMs?: number;
  by: string;
  /** Signs what this person decides. */
  sign?: Signer['sign'];
  /** Who generates in this run, where that is not the plan's own provider. */
  provider?: string;
}

/** True where nothing of the plan moves until somebody decides. */
function atRest(view: PlanView): boolean {
  if (Object.values(view.tasks).some(isMoving)) return false;
  return view.status === 'paused' || Boolean(view.frozen) || openGates(view).length > 0;
}

/**
 * Follows a plan until it is settled, until it waits and nobody here can decide, or until this person leaves
 * (Ctrl-C, end of input). Leaving never changes the plan.
 */
export async function follow(options: FollowOptions): Promise<Ending> {
  const { client, id, io, show } = options;
  const stop = new AbortController();
  let ending: Ending | null = null;
  let failure: { error: unknown } | null = null;
  let view: PlanView | null = null;
  const end = (result: Ending): void => {
    ending ??= result;
    stop.abort();
  };
  const fail = (error: unknown): void => {
    failure ??= { error };
    stop.abort();
  };
  const unhook = io.onSignal((signal) => end({ kind: 'detached', view, by: signal }));
  const keeper =
    options.atGate === 'ask'
      ? new Gatekeeper({
          client,
          by: options.by,
          sign: options.sign,
          provider: options.provider,
          prompter: io.prompter,
          show,
          onEnded: (by) => end({ kind: 'detached', view, by }),
          onError: fail,
        })
      : null;
  const announced = new Set<string>();
  let blockedSince: string | null = null;
  let cancelWait: (() => void) | null = null;

  /** At a gate that nobody here can decide: says what to type, and leaves now or when its time is over. */
  const wait = (now: PlanView): void => {
    const fresh = openGates(now).filter(({ gate }) => !announced.has(gate));
    for (const { gate } of fresh) announced.add(gate);
    if (fresh.length > 0) show.demand(pendingLines(now, fresh, show.style));
    if (options.atGate === 'stay') return;
    if (options.waitMs === undefined) end({ kind: 'waiting', view: now });
    else cancelWait ??= io.after(options.waitMs, () => end({ kind: 'waiting', view: view ?? now }));
  };
  const look = (now: PlanView): void => {
    const events = eventsBetween(view ?? options.before, now);
    // Who was asked here has seen the answer already.
    show.progress(keeper ? events.filter((event) => !decidedBy(keeper, event)) : events, now);
    view = now;
    if (now.blocked && now.blocked.since !== blockedSince) show.demand(blockedLines(now.blocked));
    blockedSince = now.blocked?.since ?? null;
    if (options.settled(now)) end({ kind: 'settled', view: now });
    else keeper?.see(now);
    if (ending) return;
    if (atRest(now) && (keeper === null || now.status === 'paused' || now.frozen)) {
      wait(now);
    } else {
      cancelWait?.();
      cancelWait = null;
    }
  };

  try {
    await eachUntil(client.follow(id, stop.signal), stop.signal, look);
  } finally {
    unhook();
    cancelOf(cancelWait);
    const answered = keeper?.close();
    // The plan may be over before the answer to its last decision is here; someone who leaves does not wait for one.
    if (settledBy(ending)) await answered;
    show.close();
  }
  if (failure) throw (failure as { error: unknown }).error;
  if (ending) return ending;
  throw new Error(`the view of plan ${id} ended before the plan did`);
}

const decidedBy = (keeper: Gatekeeper, event: StreamEvent): boolean =>
  event.type === 'gate_decided' && keeper.answered(event.gate);

// Variables that closures set, read where the compiler believes that they are still null.
const cancelOf = (cancel: (() => void) | null): void => cancel?.();
const settledBy = (ending: Ending | null): boolean => ending?.kind === 'settled';

/** Calls back for each item until the signal fires; the source is then told and not waited for. */
async function eachUntil<T>(source: AsyncIterable<T>, stop: AbortSignal, call: (item: T) => void): Promise<void> {
  const iterator = source[Symbol.asyncIterator]();
  const stopped = new Promise<'stopped'>((resolve) => {
    if (stop.aborted) resolve('stopped');
    stop.addEventListener('abort', () => resolve('stopped'), { once: true });
  });
  while (!stop.aborted) {
    const next = iterator.next();
    // Once stopped, nobody awaits this one; its rejection must not count as unhandled.
    next.catch(() => undefined);
    const step = await Promise.race([next, stopped]);
    if (step === 'stopped') break;
    if (step.done) return;
    call(step.value);
  }
  iterator.return?.().catch(() => undefined);
}
