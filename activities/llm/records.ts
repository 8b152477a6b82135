import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { canonicalJson } from '../../plan/canonical';
import { digestOf, sha256 } from '../../plan/digest';
import { IntegrityError } from '../../plan/errors';
import { replaceFile } from '../../store/durable';
import type { ObjectStore } from '../../store/objects';
import type { Completion } from './provider';

/** What makes two calls the same: then the second is never made. */
export interface CallKey {
  plan: string;
  /** Task id; null for the decomposition. */
  task: string | null;
  /** Generation of a task, attempt of a decomposition. */
  generation: number;
  promptDigest: string;
}

const usage = z.object({
  promptTokens: z.number(),
  completionTokens: z.number(),
  calls: z.number(),
  estimated: z.boolean().optional(),
});

/** What a model answered, without its text: that is an object. */
const completion = z.object({
  /** The answer's text as it came, SHA-256 in hex. */
  textSha256: z.string(),
  model: z.string(),
  responseId: z.string().nullable(),
  finishReason: z.string().nullable(),
  refusal: z.string().nullable(),
  temperatureSent: z.number().nullable(),
  seedSent: z.number().nullable(),
  usage,
});

const recordSchema = z.object({
  schema: z.literal('planwright.call/1'),
  plan: z.string(),
  task: z.string().nullable(),
  generation: z.number(),
  promptDigest: z.string(),
  provider: z.string(),
  /** When the calls for this answer began, one entry for each attempt; ISO 8601. */
  starts: z.array(z.string()),
  /** Earlier calls for the same answer that brought none; without an `at`, nobody knows what became of it. */
  failures: z
    .array(z.object({ start: z.string(), at: z.string().nullable(), failure: z.string().nullable() }))
    .default([]),
  /** Null: the last start has no end yet, or never got one. */
  end: z.object({ at: z.string(), failure: z.string().nullable(), completion: completion.nullable() }).nullable(),
});

type Stored = z.infer<typeof recordSchema>;

/** A record with the answer's text in it, read from its object. */
export type CallRecord = Omit<Stored, 'end'> & {
  end: { at: string; failure: string | null; completion: Completion | null } | null;
};

const wrapper = z.object({ sha256: z.string(), body: z.string() });

/** What `once` reports beside its answer. */
export interface CallEvent {
  kind: 'damaged-record' | 'unknown-outcome';
  path: string;
  reason: string;
}

/**
 * The calls to a model, kept under `.planwright/calls/<plan>/`, one file for each question. Every start and every end
 * is synced before anything else happens, so that after a crash a finished call is found and not made again, and one
 * that has a start and no end is known as "outcome unknown". A file is `{ sha256, body }`, the hash over the body. What the
 * model said is not in it: the text is an object, synced before the end that names it, so that it stands in one place only.
 */
export class CallRecords {
  constructor(
    private readonly folder: string,
    private readonly objects: Pick<ObjectStore, 'put' | 'text'>,
    private readonly report: (event: CallEvent) => void = () => undefined,
    private readonly now: () => Date = () => new Date(),
  ) {}

  path(key: CallKey): string {
    const { plan, task, generation, promptDigest } = key;
    return join(this.folder, safeName(plan), `${digestOf({ plan, task, generation, promptDigest })}.json`);
  }

  /**
   * Gives the stored answer to a question, or asks and stores the answer before it returns.
   * What `ask` throws is recorded as the call's end and thrown again.
   */
  async once(
    key: CallKey,
    provider: string,
    ask: () => Promise<Completion>,
  ): Promise<{ completion: Completion; fromRecord: boolean }> {
    const path = this.path(key);
    const before = await this.read(key);
    if (before?.end?.completion) return { completion: before.end.completion, fromRecord: true };
    if (before && before.end === null) {
      this.report({
        kind: 'unknown-outcome',
        path,
        reason: `The call of ${before.starts.at(-1)} has a start and no end.`,
      });
    }
    const last = before?.starts.at(-1);
    const failed =
      before && last ? [{ start: last, at: before.end?.at ?? null, failure: before.end?.failure ?? null }] : [];
    const started: Stored = {
      schema: 'planwright.call/1',
      plan: key.plan,
      task: key.task,
      generation: key.generation,
      promptDigest: key.promptDigest,
      provider,
      starts: [...(before?.starts ?? []), this.now().toISOString()],
      failures: [...(before?.failures ?? []), ...failed],
      end: null,
    };
    const written = await write(path, started);
    try {
      const completion = await ask();
      // Another attempt of the same question, believed dead, may have been quicker: what it stored may be on disk by now.
      const meanwhile = (await sizeOf(path)) === written ? null : (await this.read(key))?.end?.completion;
      if (meanwhile) return { completion: meanwhile, fromRecord: true };
      const { text, ...rest } = completion;
      const kept = { ...rest, textSha256: await this.objects.put(text) };
      await write(path, { ...started, end: { at: this.now().toISOString(), failure: null, completion: kept } });
      return { completion, fromRecord: false };
    } catch (error) {
      const failure = (error instanceof Error ? error.message : String(error)).toWellFormed();
      await write(path, { ...started, end: { at: this.now().toISOString(), failure, completion: null } });
      throw error;
    }
  }

  /** The record of a call, or null where there is none or it cannot be trusted (which is reported). */
  async read(key: CallKey): Promise<CallRecord | null> {
    const path = this.path(key);
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null;
      throw error;
    });
    if (text === null) return null;
    const damaged = (reason: string): null => {
      this.report({ kind: 'damaged-record', path, reason });
      return null;
    };
    let record: Stored;
    try {
      const { body, sha256: expected } = wrapper.parse(JSON.parse(text));
      if (sha256(body) !== expected) return damaged('Its bytes are not the ones that were stored.');
      record = recordSchema.parse(JSON.parse(body));
      const { plan, task, generation, promptDigest } = record;
      const found = digestOf({ plan, task, generation, promptDigest });
      if (found !== digestOf(key)) return damaged('It belongs to another call.');
    } catch (error) {
      return damaged(error instanceof Error ? error.message.slice(0, 200) : 'It is unreadable.');
    }
    try {
      return { ...record, end: await this.withText(record.end) };
    } catch (error) {
      // A disk that does not answer says nothing about the record: whoever asked again would pay twice.
      if (!(error instanceof IntegrityError)) throw error;
      return damaged(error.message);
    }
  }

  /** @throws IntegrityError where the text is gone, or is not what was stored */
  private async withText(end: Stored['end']): Promise<CallRecord['end']> {
    if (!end?.completion) return end && { ...end, completion: null };
    const { textSha256, ...rest } = end.completion;
    return { ...end, completion: { ...rest, text: await this.objects.text(textSha256) } };
  }
}

/** @returns how many bytes it has now */
async function write(path: string, record: Stored): Promise<number> {
  const body = canonicalJson(record);
  const content = Buffer.from(JSON.stringify({ sha256: sha256(body), body }));
  await replaceFile(path, content);
  return content.length;
}

/** A record that got an end, or another start, is longer. */
async function sizeOf(path: string): Promise<number | null> {
  return stat(path).then(
    ({ size }) => size,
    () => null,
  );
}

/** Plan ids are our own; one that is not becomes a digest, so that it cannot leave the folder. */
function safeName(plan: string): string {
  return /^[A-Za-z0-9_-]{1,64}$/.test(plan) ? plan : sha256(plan);
}
