import { ApplicationFailure } from '@temporalio/common';
import { SchemaError } from '../../plan/schema';
import type { CallTrace, Usage } from '../../plan/types';
import { jsonPart } from './content';
import type { LlmDeps } from './context';
import { finalFailure, masked } from './errors';
import { askAgain, promptDigest, type Question } from './prompts';
import type { Completion, ModelProvider } from './provider';
import { type CallKey, CallRecords } from './records';
import { refused, tracesOf, withCalls } from './trace';

/** Answers that break a rule are asked again this often. */
const REPEATS = 2;

/** An answer that was accepted, with what it took to get it. */
export interface Answered<T> {
  value: T;
  completion: Completion;
  /** Of the first question; repetitions differ only by what was wrong. */
  promptDigest: string;
  usage: Usage;
  /** True where no model was called: every answer was found in the records. */
  fromRecord: boolean;
  /** What was asked and not told of before. */
  calls: CallTrace[];
  /** Set where the fallback answered: its name. */
  provider?: string;
}

interface Turn {
  provider: ModelProvider;
  question: Question;
}

/** What says that a provider cannot answer now; a question that it will not take, and a wrong key, stay failures. */
const CANNOT: readonly string[] = ['Unreachable', 'RateLimited', 'ProviderError', 'Timeout'];
/** What may pass is tried this often before somebody else is asked. */
const PATIENCE = 3;

function fallsBack(error: unknown, attempt: number): boolean {
  if (!(error instanceof ApplicationFailure) || !CANNOT.includes(error.type ?? '')) return false;
  return error.nonRetryable === true || attempt >= PATIENCE;
}

export interface Purpose {
  plan: string;
  task: string | null;
  generation: number;
  timeoutMs: number;
  /** Start of the newest call that was told of before. */
  toldUntil?: string;
  /** After a call that was not told of before, whether there is another one is for the workflow to say: it has a budget. */
  oneCall?: boolean;
}

/** Who is asked, and who in their place where they cannot answer. */
export interface Who {
  provider: ModelProvider;
  fallback?: { provider: ModelProvider; model: string } | null;
}

/**
 * Asks a model until its answer is accepted, at most three times, each with the faults so far in the prompt. Every
 * answer is recorded before it is looked at, so an activity that runs again after a crash walks the same path without
 * a call. Where the provider cannot answer and there is a fallback, that one is asked the same, under its own name.
 *
 * @param accept reads an answer's text; throws SchemaError for one that cannot be used
 * @throws ApplicationFailure `BadAnswer` after the third, `Refused` where the model will not, `AskAgain` where the
 *   workflow has to be asked before the next call, and as `ModelProvider`
 */
export async function askModel<T>(
  deps: LlmDeps,
  who: Who,
  purpose: Purpose,
  question: Question,
  accept: (text: string) => T,
): Promise<Answered<T>> {
  const calls: CallTrace[] = [];
  try {
    return await askInTurn(deps, who, purpose, question, accept, calls);
  } catch (error) {
    throw withCalls(error, calls);
  }
}

/** @param calls filled with what was asked, also where this throws */
async function askInTurn<T>(
  deps: LlmDeps,
  { provider: first, fallback = null }: Who,
  purpose: Purpose,
  question: Question,
  accept: (text: string) => T,
  calls: CallTrace[],
): Promise<Answered<T>> {
  const { plan, task, generation, timeoutMs, toldUntil } = purpose;
  const records = new CallRecords(deps.layout.calls, deps.objects, deps.report?.bind(deps));
  const context = deps.context();
  const faults: string[] = [];
  const usage: Usage = { promptTokens: 0, completionTokens: 0, calls: 0 };
  let fromRecord = true;
  let turn: Turn = { provider: first, question };
  const keyOf = ({ provider, question: own }: Turn): CallKey => {
    const asked = faults.length === 0 ? own : askAgain(own, faults);
    return { plan, task, generation, promptDigest: promptDigest(asked, provider.name) };
  };
  const askOf = async (now: Turn): ReturnType<CallRecords['once']> => {
    const { provider } = now;
    const asked = faults.length === 0 ? now.question : askAgain(now.question, faults);
    const key = keyOf(now);
    const trace = async (): Promise<void> => {
      const record = await records.read(key);
      if (!record) return;
      const traces = tracesOf(record, toldUntil ?? null);
      const other = provider === first ? {} : { provider: provider.name, model: asked.model };
      calls.push(...traces.map((one) => ({ ...one, ...other })));
    };
    const progress = (tokens: number): void => context.heartbeat({ task, generation, tokens });
    const ask = (): Promise<Completion> =>
      provider.complete({ ...asked, timeoutMs, signal: context.signal, onProgress: progress });
    // A trace is told beside the answer or the failure, and must not stand in for it.
    return records.once(key, provider.name, ask).finally(() => trace().catch(() => undefined));
  };
  const other: Turn | null = fallback && {
    provider: fallback.provider,
    question: { ...question, model: fallback.model },
  };
  for (;;) {
    // An answer that the fallback gave before a crash counts: nobody is asked again for it.
    if (other && turn !== other && (await records.read(keyOf(other)))?.end?.completion) turn = other;
    let recorded: Awaited<ReturnType<CallRecords['once']>>;
    try {
      recorded = await askOf(turn);
    } catch (error) {
      if (!other || turn === other || !fallsBack(error, context.attempt)) throw error;
      turn = other;
      continue;
    }
    const { completion } = recorded;
    const { provider } = turn;
    fromRecord &&= recorded.fromRecord;
    usage.promptTokens += completion.usage.promptTokens;
    usage.completionTokens += completion.usage.completionTokens;
    usage.calls += completion.usage.calls;
    if (completion.usage.estimated) usage.estimated = true;
    try {
      refuseRefusal(completion, provider);
      const value = accept(textOf(completion));
      const digest = promptDigest(turn.question, provider.name);
      const by = turn === other ? { provider: provider.name } : {};
      return { value, completion, promptDigest: digest, usage, fromRecord, calls, ...by };
    } catch (error) {
      const last = calls.pop();
      if (last) calls.push(refused(last, error instanceof Error ? error.message : String(error)));
      if (!(error instanceof SchemaError)) throw error;
      faults.push(error.message);
      if (faults.length > REPEATS) throw await badAnswer(deps, completion, provider, error, usage);
      if (purpose.oneCall && calls.some(({ fromRecord }) => !fromRecord)) throw askAgainLater(error, usage);
    }
  }
}

function textOf({ text, finishReason }: Completion): string {
  if (finishReason === 'length') {
    throw new SchemaError('The answer was cut off at the length limit of the model. Give a shorter one.');
  }
  return jsonPart(text);
}

function refuseRefusal({ refusal, finishReason, model }: Completion, { name }: ModelProvider): void {
  if (refusal === null && finishReason !== 'content_filter') return;
  const why = refusal === null ? "The provider's content filter stopped the answer." : masked(refusal, '');
  throw finalFailure(
    'Refused',
    `${name} (${model}) would not answer: ${why} Say the goal in other words, or use another model.`,
  );
}

/** The answer is on record: whoever asks again finds it there and goes on from it. */
const askAgainLater = (error: SchemaError, usage: Usage): Error =>
  finalFailure(
    'AskAgain',
    `The answer cannot be used, and the budget is looked at before the next: ${masked(error.message, '')}`,
    [{ usage }],
  );

/** The answer as it came goes into the object store: it is what one needs to see, and it is too long for a message. */
async function badAnswer(
  deps: LlmDeps,
  completion: Completion,
  { name }: ModelProvider,
  error: SchemaError,
  usage: Usage,
): Promise<Error> {
  const raw = await deps.objects.put(completion.text);
  return finalFailure(
    'BadAnswer',
    `${name} (${completion.model}) gave ${REPEATS + 1} answers that cannot be used. The last: ${masked(error.message, '')} ` +
      'Try again, or use a model that follows JSON schemas.',
    [{ raw, usage }],
  );
}
