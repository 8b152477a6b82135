import { SchemaError } from '../../plan/schema';
import type { Usage } from '../../plan/types';
import type { LlmDeps } from './context';
import { finalFailure, masked } from './errors';
import { askAgain, promptDigest, type Question } from './prompts';
import type { Completion, ModelProvider } from './provider';
import { CallRecords } from './records';

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
}

export interface Purpose {
  plan: string;
  task: string | null;
  generation: number;
  timeoutMs: number;
}

/**
 * Asks a model until its answer is accepted, at most three times, each with the faults so far in the prompt. Every
 * answer is recorded before it is looked at, so an activity that runs again after a crash walks the same path without
 * a call.
 *
 * @param accept reads an answer's text; throws SchemaError for one that cannot be used
 * @throws ApplicationFailure `BadAnswer` after the third, `Refused` where the model will not, and as `ModelProvider`
 */
export async function askModel<T>(
  deps: LlmDeps,
  provider: ModelProvider,
  purpose: Purpose,
  question: Question,
  accept: (text: string) => T,
): Promise<Answered<T>> {
  const { plan, task, generation, timeoutMs } = purpose;
  const records = new CallRecords(deps.layout.calls, deps.report?.bind(deps));
  const context = deps.context();
  const faults: string[] = [];
  const usage: Usage = { promptTokens: 0, completionTokens: 0, calls: 0 };
  let fromRecord = true;
  for (;;) {
    const asked = faults.length === 0 ? question : askAgain(question, faults);
    const key = { plan, task, generation, promptDigest: promptDigest(asked, provider.name) };
    const recorded = await records.once(key, provider.name, () =>
      provider.complete({ ...asked, timeoutMs, signal: context.signal, onProgress: () => context.heartbeat() }),
    );
    const { completion } = recorded;
    fromRecord &&= recorded.fromRecord;
    usage.promptTokens += completion.usage.promptTokens;
    usage.completionTokens += completion.usage.completionTokens;
    usage.calls += completion.usage.calls;
    refuseRefusal(completion, provider);
    try {
      const value = accept(textOf(completion));
      return { value, completion, promptDigest: promptDigest(question, provider.name), usage, fromRecord };
    } catch (error) {
      if (!(error instanceof SchemaError)) throw error;
      faults.push(error.message);
      if (faults.length > REPEATS) throw await badAnswer(deps, completion, provider, error, usage);
    }
  }
}

function textOf({ text, finishReason }: Completion): string {
  if (finishReason === 'length') {
    throw new SchemaError('The answer was cut off at the length limit of the model. Give a shorter one.');
  }
  return text;
}

function refuseRefusal({ refusal, finishReason, model }: Completion, { name }: ModelProvider): void {
  if (refusal === null && finishReason !== 'content_filter') return;
  const why = refusal === null ? "The provider's content filter stopped the answer." : masked(refusal, '');
  throw finalFailure(
    'Refused',
    `${name} (${model}) would not answer: ${why} Say the goal in other words, or use another model.`,
  );
}

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
