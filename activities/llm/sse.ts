/** Server-sent events as a chat completions endpoint sends them, folded into one answer. No I/O. */
import { z } from 'zod';
import { LIMITS } from '../../plan/schema';
import { type Content, contentText } from './content';
import { finalFailure } from './errors';

const part = z.object({
  content: z.union([z.string(), z.array(z.unknown())]).nullish(),
  refusal: z.string().nullish(),
  reasoning_content: z.string().nullish(),
  reasoning: z.string().nullish(),
  tool_calls: z
    .array(z.object({ index: z.number().nullish(), function: z.object({ arguments: z.string().nullish() }).nullish() }))
    .nullish(),
});

/** One chunk (OpenAI API reference, "Chat completion chunk"); some servers send a whole `message` in the place of a delta. */
const chunkSchema = z.object({
  id: z.string().nullish(),
  model: z.string().nullish(),
  choices: z
    .array(
      z.object({
        index: z.number().nullish(),
        finish_reason: z.string().nullish(),
        delta: part.nullish(),
        message: part.nullish(),
      }),
    )
    .nullish(),
  usage: z.unknown().optional(),
  error: z.unknown().optional(),
});

/**
 * Reads the lines of an event stream (WHATWG HTML, "Server-sent events"): comments are passed over, several `data:`
 * lines of one event belong together. Pieces may end anywhere, also within a character's bytes.
 */
export class EventReader {
  private readonly decoder = new TextDecoder();
  private rest = '';
  private data: string[] = [];

  /** @returns the data of the events that are complete now */
  read(bytes: Uint8Array): string[] {
    return this.lines(this.decoder.decode(bytes, { stream: true }));
  }

  /** The end of the stream; an event that no blank line ended counts, since some servers leave it out. */
  end(): string[] {
    return this.lines(`${this.decoder.decode()}\n\n`);
  }

  private lines(text: string): string[] {
    const lines = (this.rest + text).split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop() ?? '';
    const events: string[] = [];
    for (const line of lines) {
      if (line === '') {
        if (this.data.length > 0) events.push(this.data.join('\n'));
        this.data = [];
      } else if (line.startsWith('data:')) this.data.push(line.slice(line[5] === ' ' ? 6 : 5));
    }
    return events;
  }
}

/** Puts the chunks of one answer together. */
export class AnswerFold {
  private head: { id: string | null; model: string | null } = { id: null, model: null };
  private readonly texts: string[] = [];
  private readonly refusals: string[] = [];
  private readonly tools = new Map<number, string>();
  private finish: string | null = null;
  private usage: unknown;
  private error: unknown;
  private choices = 0;
  private chars = 0;
  private ended = false;

  /**
   * Takes one event's data.
   * @returns true where nothing more comes
   * @throws SyntaxError for data that is no chunk, ApplicationFailure `BadAnswer` beyond the largest answer
   */
  add(data: string): boolean {
    if (this.ended || data.trim() === '[DONE]') {
      this.ended = true;
      return true;
    }
    const parsed = chunkSchema.safeParse(JSON.parse(data));
    if (!parsed.success) throw new SyntaxError('an event of the stream is no chunk of a completion');
    const { id, model, choices, usage, error } = parsed.data;
    if (error !== undefined && error !== null) {
      this.error = error;
      this.ended = true;
      return true;
    }
    this.head = { id: this.head.id ?? id ?? null, model: model ?? this.head.model };
    if (usage !== undefined && usage !== null) this.usage = usage;
    for (const choice of choices ?? []) {
      if ((choice.index ?? 0) !== 0) continue;
      this.choices += 1;
      const delta = choice.delta ?? choice.message;
      if (delta) this.grow(delta);
      this.finish = choice.finish_reason ?? this.finish;
    }
    return false;
  }

  private grow({ content, refusal, tool_calls, ...thought }: z.output<typeof part>): void {
    const text = contentText(content satisfies Content);
    this.texts.push(text);
    if (refusal) this.refusals.push(refusal);
    this.chars += text.length + (thought.reasoning_content ?? thought.reasoning ?? '').length;
    for (const { index, function: called } of tool_calls ?? []) {
      const piece = called?.arguments ?? '';
      this.tools.set(index ?? 0, (this.tools.get(index ?? 0) ?? '') + piece);
      this.chars += piece.length;
    }
    if (this.chars > LIMITS.answerBytes) {
      throw finalFailure(
        'BadAnswer',
        `The provider's answer is too long: at most ${LIMITS.answerBytes} characters are read. Use a smaller task.`,
      );
    }
  }

  /** Characters that the model has written so far, its reasoning among them. */
  get written(): number {
    return this.chars;
  }

  /** False: the stream broke off, and what there is of the answer is no answer. */
  get complete(): boolean {
    return this.ended || this.finish !== null;
  }

  /** In the form of an answer that was not streamed. */
  answer(): unknown {
    if (this.error !== undefined) return { error: this.error };
    const tools = [...this.tools.values()].map((text) => ({ function: { arguments: text } }));
    const message = {
      content: this.texts.join(''),
      refusal: this.refusals.length > 0 ? this.refusals.join('') : null,
      ...(tools.length > 0 ? { tool_calls: tools } : {}),
    };
    const choices = this.choices === 0 ? [] : [{ finish_reason: this.finish, message }];
    return { id: this.head.id, model: this.head.model, choices, usage: this.usage ?? null };
  }
}
