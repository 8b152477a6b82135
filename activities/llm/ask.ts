import { SchemaError } from '../../plan/schema';
import type { CallTrace, Usage } from '../../plan/types';
import { jsonPart } from './content';
import type { LlmDeps } from './context';
import { finalFailure, masked } from './errors';
import { askAgain, promptDigest, type Question } from './prompts';
import type { Completion, ModelProvider } from './provider';
import { CallRecords } from './records';
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

/**
 * Asks a model until its answer is accepted, at most three times, each with the faults so far in the prompt. Every
 * answer is recorded before it is looked at, so an activity that runs again after a crash walks the same path without
 * a call.
 *
 * @param accept reads an answer's text; throws SchemaError for one that cannot be used
 * @throws ApplicationFailure `BadAnswer` after the third, `Refused` where the model will not, `AskAgain` where the
 *   workflow has to be asked before the next call, and as `ModelProvider`
 */
export async function askModel<T>(
  deps: LlmDeps,
  provider: ModelProvider,
  purpose: Purpose,
  question: Question,
  accept: (text: string) => T,
): Promise<Answered<T>> {
  const calls: CallTrace[] = [];
  try {
    return await askInTurn(deps, provider, purpose, question, accept, calls);
  } catch (error) {
    throw withCalls(error, calls);
  }
}

/** @param calls filled with what was asked, also where this throws */
async function askInTurn<T>(
  deps: LlmDeps,
  provider: ModelProvider,
  purpose: Purpose,
  question: Question,
  accept: (text: string) => T,
  calls: CallTrace[],
): Promise<Answered<T>> {
  const { plan, task, generation, timeoutMs, toldUntil } = purpose;
  const records = new CallRecords(deps.layout.calls, deps.report?.bind(deps));
  const context = deps.context();
  const faults: string[] = [];
  const usage: Usage = { promptTokens: 0, completionTokens: 0, calls: 0 };
  let fromRecord = true;
  for (;;) {
    const asked = faults.length === 0 ? question : askAgain(question, faults);
    const key = { plan, task, generation, promptDigest: promptDigest(asked, provider.name) };
    const trace = async (): Promise<void> => {
      const record = await records.read(key);
      if (record) calls.push(...tracesOf(record, toldUntil ?? null));
    };
    const ask = (): Promise<Completion> =>
      provider.complete({ ...asked, timeoutMs, signal: context.signal, onProgress: () => context.heartbeat() });
    // A trace is told beside the answer or the failure, and must not stand in for it.
    const recorded = await records.once(key, provider.name, ask).finally(() => trace().catch(() => undefined));
    const { completion } = recorded;
    fromRecord &&= recorded.fromRecord;
    usage.promptTokens += completion.usage.promptTokens;
    usage.completionTokens += completion.usage.completionTokens;
    usage.calls += completion.usage.calls;
    if (completion.usage.estimated) usage.estimated = true;
    try {
      refuseRefusal(completion, provider);
      const value = accept(textOf(completion));
      return { value, completion, promptDigest: promptDigest(question, provider.name), usage, fromRecord, calls };
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
