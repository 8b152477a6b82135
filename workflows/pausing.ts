/** Pause and unpause: a run rests between two steps of its tasks, and people may decide meanwhile. */
import type { Refusal } from '../plan/admission';
import { claimedBy } from '../plan/facts';
import { isMoving } from '../plan/states';
import type { PauseAnswer, PauseRequest, PlanView } from '../plan/view';
import type { PlanContext } from './context';
import { said } from './facts';

/** @returns why it cannot be, as a refusal; null where it can. Asked by the validator, and again when it is carried out. */
export function refusePause({ id, status, paused }: PlanView, running: boolean, pause: boolean): Refusal | null {
  if (!running) {
    const verb = pause ? 'pause' : 'unpause';
    return { type: 'NotReady', message: `Plan ${id} is ${status}: there is no run to ${verb}.` };
  }
  if (!pause && !paused) return { type: 'NotReady', message: `Plan ${id} is not paused.` };
  return null;
}

/** What is in flight comes to its end and is recorded; nothing else of the run begins until `unpause`. */
export function pause(context: PlanContext, { by, reason }: PauseRequest): PauseAnswer {
  const { view } = context.state;
  const changed = !view.paused;
  view.paused ??= { by, at: context.at(), reason: reason ?? null };
  if (changed) {
    context.record('plan.paused', claimedBy(by), {
      run: context.state.run?.number ?? null,
      reason: said(reason ?? null),
    });
    context.changed();
  }
  return { ...view.paused, status: view.status, changed, finishing: changed ? inFlight(view) : [] };
}

export function unpause(context: PlanContext, { by, reason }: PauseRequest): PauseAnswer {
  const { view } = context.state;
  view.paused = null;
  context.record('plan.unpaused', claimedBy(by), {
    run: context.state.run?.number ?? null,
    reason: said(reason ?? null),
  });
  context.changed();
  return { by, at: context.at(), reason: reason ?? null, status: view.status, changed: true, finishing: [] };
}

const inFlight = (view: PlanView): number[] =>
  Object.values(view.tasks)
    .filter(isMoving)
    .map(({ number }) => number)
    .sort((a, b) => a - b);
