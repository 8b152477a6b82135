/** What comes back from a chat completions endpoint, as values: no I/O. */
import { z } from 'zod';
import type { Usage } from '../../plan/types';
import { contentText } from './content';
import { type Asked, finalFailure, httpFailure, masked, wordsOf } from './errors';
import type { Completion, ModelRequest } from './provider';

const called = z.object({ arguments: z.string().nullish() });

const answerSchema = z.object({
  id: z.string().nullish(),
  model: z.string().nullish(),
  choices: z.array(
    z.object({
      finish_reason: z.string().nullish(),
      message: z.object({
        content: z.union([z.string(), z.array(z.unknown())]).nullish(),
        refusal: z.string().nullish(),
        tool_calls: z.array(z.object({ function: called.nullish() })).nullish(),
        function_call: called.nullish(),
      }),
    }),
  ),
  usage: z.object({ prompt_tokens: z.number().nullish(), completion_tokens: z.number().nullish() }).nullish(),
});

const errorSchema = z.object({
  error: z.union([
    z.string().transform((message) => ({ message, code: null, status: null })),
    z.object({
      message: z.string().optional(),
      code: z.union([z.string(), z.number()]).nullish(),
      status: z.union([z.string(), z.number()]).nullish(),
    }),
  ]),
});

type Answered = Omit<Completion, 'temperatureSent' | 'seedSent'>;

type Message = z.output<typeof answerSchema>['choices'][number]['message'];

/**
 * @param answer as it came, or as the events of a stream were folded
 * @param calls requests that it took
 * @throws ApplicationFailure where it is no completion
 */
export function completionOf(answer: unknown, asked: Asked, calls: number, request: ModelRequest): Answered {
  const parsed = answerSchema.safeParse(answer);
  if (!parsed.success) throw notACompletion(answer, asked);
  const { id, model, choices, usage } = parsed.data;
  const choice = choices[0];
  // A lone surrogate has no UTF-8 form, and so no digest.
  const text = (choice ? textOf(choice.message) : '').toWellFormed();
  return {
    text,
    model: model ?? asked.model,
    responseId: id ?? null,
    finishReason: choice?.finish_reason ?? null,
    refusal: choice?.message.refusal?.toWellFormed() ?? null,
    usage: { ...tokensOf(usage ?? {}, request, text), calls },
  };
}

/** The content; a server that answers by calling a function that nobody offered has the answer in its arguments. */
function textOf({ content, tool_calls, function_call }: Message): string {
  const text = contentText(content);
  if (text.trim() !== '') return text;
  const calls = (tool_calls ?? []).map((call) => call.function?.arguments ?? '');
  return (calls.length === 1 ? calls[0] : function_call?.arguments) ?? text;
}

/** As the server counts; what it does not say is estimated, so that budgets hold for it too. */
function tokensOf(
  { prompt_tokens, completion_tokens }: NonNullable<z.output<typeof answerSchema>['usage']>,
  { system, user }: ModelRequest,
  text: string,
): Omit<Usage, 'calls'> {
  const counted = (tokens: number | null | undefined): tokens is number => typeof tokens === 'number' && tokens > 0;
  const whole = counted(prompt_tokens) && (counted(completion_tokens) || text === '');
  if (whole) return { promptTokens: prompt_tokens, completionTokens: completion_tokens ?? 0 };
  return {
    promptTokens: counted(prompt_tokens) ? prompt_tokens : estimatedTokens(system.length + user.length),
    completionTokens: counted(completion_tokens) ? completion_tokens : estimatedTokens(text.length),
    estimated: true,
  };
}

/** Of a text of so many characters: four characters a token, which is right to a third for English and code. */
export function estimatedTokens(characters: number): number {
  return Math.ceil(characters / 4);
}

/** A success that holds no completion: a gateway's error in disguise, or a page of some other server. */
function notACompletion(answer: unknown, asked: Asked): Error {
  const wrapped = errorSchema.safeParse(answer);
  if (wrapped.success) {
    const { code, message, status: said } = wrapped.data.error;
    const status = [code, said].map(Number).find((number) => number >= 400 && number < 600) ?? 502;
    return httpFailure(
      { status, code: code == null ? null : String(code), message: message ?? '', headers: new Headers() },
      asked,
    );
  }
  const said = masked(typeof answer === 'string' ? wordsOf(answer) : JSON.stringify(answer ?? null), asked.key);
  return finalFailure(
    'BadRequest',
    `${asked.provider} (${asked.baseURL}) answered with something that is no chat completion: ${said.replace(/\.?$/, '.')} ` +
      'Check the base URL; it usually ends in /v1.',
  );
}
