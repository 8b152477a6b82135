/**
 * What the audit log is told of the calls to a model. A history shows only the last attempt of an activity, so what
 * went before it is read from the records, where every start and end was synced.
 */
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { sha256 } from '../../plan/digest';
import { maskSecrets } from '../../plan/mask';
import type { CallTrace } from '../../plan/types';
import type { CallRecord } from './records';

const FAILURE_CHARS = 300;
/** A failure's details are part of the history: a server that is tried for hours must not fill it. */
const MOST = 30;

const NOTHING = {
  failure: null,
  seed: null,
  temperature: null,
  modelReturned: null,
  output: null,
  finishReason: null,
  responseId: null,
  promptTokens: 0,
  completionTokens: 0,
  fromRecord: false,
} as const;

/**
 * The calls that a record tells of.
 *
 * @param toldUntil start of the newest call that was told of before; only later ones count, and an answer from before
 *   is one that nobody was asked for again
 */
export function tracesOf(record: CallRecord, toldUntil: string | null): CallTrace[] {
  const prompt = record.promptDigest;
  const isNew = (start: string): boolean => toldUntil === null || start > toldUntil;
  const traces = record.failures
    .filter(({ start }) => isNew(start))
    .map(({ start, at, failure }) => withoutAnswer(prompt, start, at === null, failure));
  const start = record.starts.at(-1) ?? null;
  if (start === null) return traces;
  const answer = record.end?.completion;
  if (!answer) {
    const last = withoutAnswer(prompt, start, record.end === null, record.end?.failure ?? null);
    return isNew(start) ? [...traces, last] : traces;
  }
  const { text, model, seedSent, temperatureSent, finishReason, responseId, usage } = answer;
  const { promptTokens, completionTokens, estimated } = usage;
  return [
    ...traces,
    {
      ...NOTHING,
      prompt,
      startedAt: start,
      outcome: 'answered',
      seed: seedSent,
      temperature: temperatureSent,
      modelReturned: model,
      output: sha256(text),
      finishReason,
      responseId,
      promptTokens,
      completionTokens,
      ...(estimated ? { estimated } : {}),
      fromRecord: !isNew(start),
    },
  ];
}

function withoutAnswer(prompt: string, startedAt: string, unknown: boolean, failure: string | null): CallTrace {
  return { ...NOTHING, prompt, startedAt, outcome: unknown ? 'unknown' : 'failed', failure: short(failure) };
}

/** Rules and templates: nobody was asked, and the same prompt gives the same answer. */
export function templateTrace(prompt: string, output: string): CallTrace {
  return { ...NOTHING, prompt, startedAt: null, outcome: 'answered', modelReturned: 'template', output };
}

/** The answer came, and could not be used. */
export function refused(trace: CallTrace, why: string): CallTrace {
  return { ...trace, outcome: 'refused', failure: short(why) };
}

/** The same failure with what was asked in its details, where the history keeps it. */
export function withCalls(error: unknown, calls: readonly CallTrace[]): unknown {
  if (calls.length === 0) return error;
  const told = { calls: calls.slice(-MOST) };
  if (error instanceof CancelledFailure) return new CancelledFailure(error.message, [told], error.cause);
  if (!(error instanceof ApplicationFailure)) return error;
  const { message, type, nonRetryable, nextRetryDelay, cause, details } = error;
  const [first, ...rest] = details ?? [];
  const joined = typeof first === 'object' && first !== null ? { ...first, ...told } : told;
  return ApplicationFailure.create({
    message,
    type: type ?? undefined,
    nonRetryable: nonRetryable ?? undefined,
    nextRetryDelay: nextRetryDelay ?? undefined,
    cause,
    details: [joined, ...rest],
  });
}

function short(text: string | null): string | null {
  return text === null ? null : maskSecrets(text).slice(0, FAILURE_CHARS).toWellFormed();
}
