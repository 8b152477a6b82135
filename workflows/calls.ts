/**
 * The activities as the workflow calls them: options, ids and summaries in one place (settings: the measured
 * ones of the design), and the retry of what only a worker's death interrupted.
 */
import {
  ActivityFailure,
  type ActivityOptions,
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  isCancellation,
  proxyActivities,
  TimeoutFailure,
} from '@temporalio/workflow';
import type { PlanActivities } from '../activities/types';
import type { CallTrace, Usage } from '../plan/types';
import type { TaskError } from '../plan/view';

const RETRY = { initialInterval: 100, backoffCoefficient: 2, maximumInterval: '10s', maximumAttempts: 8 } as const;

const COMMON = {
  startToCloseTimeout: '5m',
  heartbeatTimeout: '5s',
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  retry: RETRY,
} satisfies ActivityOptions;

/** How often a step is scheduled anew when its worker died or was stopped, beside the server's own retries. */
const RESCHEDULES = 20;

export interface Step {
  /** Activity id: step, task, generation, run; unique within the workflow run. */
  id: string;
  /** One line that people read in Temporal's tools. */
  summary: string;
  /** Milliseconds; for calls of a model only. */
  timeoutMs?: number;
  taskQueue?: string | null;
}

/** A model is asked at most three times within one generation (twice again after a broken answer). */
const CALLS_PER_GENERATION = 3;
/** For what a generation does beside its calls, and for the write that may follow in the same step. */
const BESIDE_CALLS_MS = 5 * 60_000;

function options(step: Step, attempt: number): ActivityOptions {
  return {
    ...COMMON,
    activityId: attempt === 0 ? step.id : `${step.id}-again${attempt}`,
    summary: step.summary,
    ...(step.timeoutMs ? { startToCloseTimeout: step.timeoutMs * CALLS_PER_GENERATION + BESIDE_CALLS_MS } : {}),
    ...(step.taskQueue ? { taskQueue: step.taskQueue } : {}),
  };
}

/** Calls one activity. Throws what the activity threw once its retries are used up. */
export async function call<Name extends keyof PlanActivities>(
  name: Name,
  step: Step,
  request: Parameters<PlanActivities[Name]>[0],
): Promise<Awaited<ReturnType<PlanActivities[Name]>>> {
  for (let attempt = 0; ; attempt++) {
    const activity = proxyActivities<PlanActivities>(options(step, attempt))[name] as unknown as (
      request: Parameters<PlanActivities[Name]>[0],
    ) => ReturnType<PlanActivities[Name]>;
    try {
      return await activity(request);
    } catch (error) {
      if (!interrupted(error) || attempt >= RESCHEDULES) throw error;
    }
  }
}

/**
 * As `call`, but a cancel waits until it is done: for what changes files. After a cancel none is begun.
 * @param begun true for what an earlier step began: that is brought to its end in any case
 */
export async function callToTheEnd<Name extends keyof PlanActivities>(
  name: Name,
  step: Step,
  request: Parameters<PlanActivities[Name]>[0],
  begun = false,
): Promise<Awaited<ReturnType<PlanActivities[Name]>>> {
  if (!begun && CancellationScope.current().consideredCancelled)
    throw new CancelledFailure('cancelled before it began');
  return CancellationScope.nonCancellable(() => call(name, step, request));
}

/** True where the work itself did not fail: its worker died, or was stopped and lost its heartbeat. */
function interrupted(error: unknown): boolean {
  if (!(error instanceof ActivityFailure)) return false;
  const { cause } = error;
  if (cause instanceof TimeoutFailure)
    return cause.timeoutType === 'HEARTBEAT' || cause.timeoutType === 'START_TO_CLOSE';
  return cause instanceof ApplicationFailure && cause.type === 'WorkerDied';
}

/** An activity's failure in the words of a task's `error`. Rethrows a cancellation, and what is no failure of an activity. */
export function taskErrorOf(error: unknown): TaskError {
  if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
  const { cause } = error;
  if (cause instanceof ApplicationFailure) {
    const [detail] = cause.details ?? [];
    const advice = isAdvice(detail) ? detail.advice : undefined;
    return { type: cause.type ?? 'Error', message: cause.message, ...(advice ? { advice } : {}) };
  }
  if (cause instanceof TimeoutFailure) {
    return {
      type: 'Timeout',
      message: `${error.activityType} did not finish in time.`,
      advice: 'Raise --timeout and retry.',
    };
  }
  return { type: 'Error', message: cause?.message ?? error.message };
}

/** What answers that could not be used left behind: the last of them (an object), and what all of them cost. */
export interface Left {
  raw: string;
  usage: Usage;
}

/** @returns null where the failure left nothing: no answer came */
export function leftBy(error: unknown): Left | null {
  if (!(error instanceof ActivityFailure) || !(error.cause instanceof ApplicationFailure)) return null;
  const [detail] = error.cause.details ?? [];
  return isLeft(detail) ? detail : null;
}

/** What was used so far, where an answer could not be used and the budget has to be looked at before the next call. */
export function asksAgain(error: unknown): { usage: Usage } | null {
  if (!(error instanceof ActivityFailure) || !(error.cause instanceof ApplicationFailure)) return null;
  const [detail] = error.cause.details ?? [];
  return error.cause.type === 'AskAgain' && hasUsage(detail) ? detail : null;
}

/** The calls of a model that a failed activity tells of; none where it tells of none. */
export function callsIn(error: unknown): CallTrace[] {
  const cause = error instanceof ActivityFailure ? error.cause : undefined;
  if (!(cause instanceof ApplicationFailure) && !(cause instanceof CancelledFailure)) return [];
  const [detail] = cause.details ?? [];
  return hasCalls(detail) ? detail.calls : [];
}

function hasCalls(detail: unknown): detail is { calls: CallTrace[] } {
  return typeof detail === 'object' && detail !== null && 'calls' in detail && Array.isArray(detail.calls);
}

function hasUsage(detail: unknown): detail is { usage: Usage } {
  return (
    typeof detail === 'object' &&
    detail !== null &&
    'usage' in detail &&
    typeof detail.usage === 'object' &&
    detail.usage !== null
  );
}

function isLeft(detail: unknown): detail is Left {
  return hasUsage(detail) && 'raw' in detail && typeof detail.raw === 'string';
}

function isAdvice(detail: unknown): detail is { advice: string } {
  return typeof detail === 'object' && detail !== null && 'advice' in detail && typeof detail.advice === 'string';
}
