import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ApplicationFailure } from '@temporalio/common';
import { z } from 'zod';
import { createGenerate } from '../../../activities/llm/generate';
import type { Completion } from '../../../activities/llm/provider';
import { type CallKey, CallRecords } from '../../../activities/llm/records';
import { sha256 } from '../../../plan/digest';
import { type ModelServer, startModelServer } from '../../support/model-server';
import { failureOf, generateRequest, type World, world } from './fixtures';

let server: ModelServer;
let at: World;
let workspace: string;

beforeEach(async () => {
  server = await startModelServer();
  at = await world(server.url);
  workspace = await at.snapshot();
});

afterEach(async () => {
  await server.close();
  await at.remove();
});

const key: CallKey = { plan: 'plan-00000001', task: '1', generation: 1, promptDigest: 'a'.repeat(64) };
const completion: Completion = {
  text: 'hello',
  model: 'm',
  responseId: null,
  finishReason: 'stop',
  refusal: null,
  temperatureSent: null,
  seedSent: null,
  usage: { promptTokens: 1, completionTokens: 2, calls: 1 },
};
const objectOf = (text: string): string => {
  const digest = sha256(text);
  return join(at.calls, '..', 'objects', digest.slice(0, 2), digest.slice(2));
};
const unreachable = (): Promise<Completion> => Promise.reject(new Error('asked again'));

describe('a finished call', () => {
  it('is not made again by a later attempt of the same generation', async () => {
    const generate = createGenerate(at.deps);
    const first = await generate(generateRequest(workspace));
    const again = await generate(generateRequest(workspace));
    expect(server.calls).toHaveLength(1);
    expect(again).toEqual({ ...first, fromRecord: true });
    // Told of once: an attempt that was heard of is not the next one's.
    const [call] = first.calls;
    const toldUntil = call?.startedAt ?? '';
    expect((await generate(generateRequest(workspace, { toldUntil }))).calls).toEqual([{ ...call, fromRecord: true }]);
    expect(again.usage.calls).toBe(1);
  });

  it('is made again for a new generation, another task or another plan', async () => {
    const generate = createGenerate(at.deps);
    const task = { ...generateRequest(workspace).task, id: '9' };
    for (const more of [{}, { generation: 2 }, { task }, { plan: 'plan-00000002' }]) {
      expect((await generate(generateRequest(workspace, more))).fromRecord).toBe(false);
    }
    expect(server.calls).toHaveLength(4);
  });

  it('counts also where its answer was unusable: a retry asks only the question that had no answer', async () => {
    server.push({ content: 'prose' }, { status: 500 });
    const generate = createGenerate(at.deps);
    expect(await failureOf(generate(generateRequest(workspace)))).toMatchObject({
      type: 'ProviderError',
      nonRetryable: false,
    });
    const result = await generate(generateRequest(workspace));
    expect(server.calls).toHaveLength(3);
    expect(result).toMatchObject({ fromRecord: false, usage: { calls: 2 } });
  });

  it('comes back before the next one where each is to be asked for, and is not told of or made twice', async () => {
    server.push({ content: 'prose' }, { content: 'more prose' });
    const generate = createGenerate(at.deps);
    let toldUntil = '';
    for (const calls of [1, 2]) {
      const request = generateRequest(workspace, { oneCall: true, ...(toldUntil ? { toldUntil } : {}) });
      const failure = await generate(request).catch((error: unknown) => error);
      if (!(failure instanceof ApplicationFailure)) throw new Error('it should have come back');
      expect(failure).toMatchObject({ type: 'AskAgain', nonRetryable: true, details: [{ usage: { calls } }] });
      expect(server.calls).toHaveLength(calls);
      const [detail] = failure.details ?? [];
      const { calls: told } = z
        .object({ calls: z.array(z.object({ startedAt: z.string(), fromRecord: z.boolean() })) })
        .parse(detail);
      expect(told.filter(({ fromRecord }) => !fromRecord)).toHaveLength(1);
      toldUntil = told.at(-1)?.startedAt ?? '';
    }
    const result = await generate(generateRequest(workspace, { oneCall: true, toldUntil }));
    expect(result.usage.calls).toBe(3);
    expect(server.calls).toHaveLength(3);
  });
});

describe('the record of a call', () => {
  it('is on disk as started before the call is made, and as ended before its answer is returned', async () => {
    const records = new CallRecords(at.calls, at.objects);
    const seen: unknown[] = [];
    await records.once(key, 'openai', async () => {
      seen.push(await records.read(key));
      return completion;
    });
    expect(seen[0]).toMatchObject({ starts: [expect.any(String)], end: null });
    expect(await records.read(key)).toMatchObject({
      starts: [expect.any(String)],
      end: { failure: null, completion: { text: 'hello' } },
    });
    expect(await records.once(key, 'openai', unreachable)).toEqual({ completion, fromRecord: true });
  });

  it('that another attempt of the same question has stored meanwhile is the answer of both', async () => {
    const records = new CallRecords(at.calls, at.objects);
    const other = { ...completion, text: 'the answer of the other attempt' };
    const late = await records.once(key, 'openai', async () => {
      await new CallRecords(at.calls, at.objects).once(key, 'openai', async () => other);
      return completion;
    });
    expect(late).toEqual({ completion: other, fromRecord: true });
    expect(await records.read(key)).toMatchObject({ end: { completion: { text: other.text } } });
  });

  it('keeps a failure, and the next start beside the first', async () => {
    const records = new CallRecords(at.calls, at.objects);
    await expect(records.once(key, 'openai', unreachable)).rejects.toThrow('asked again');
    expect(await records.read(key)).toMatchObject({ end: { failure: 'asked again', completion: null } });
    await records.once(key, 'openai', async () => completion);
    expect((await records.read(key))?.starts).toHaveLength(2);
  });

  it('with a start and no end is reported as an unknown outcome', async () => {
    const records = new CallRecords(at.calls, at.objects, (event) => at.events.push(event));
    let started = '';
    await records.once(key, 'openai', async () => {
      started = await readFile(records.path(key), 'utf8');
      return completion;
    });
    await writeFile(records.path(key), started);
    expect((await records.once(key, 'openai', async () => completion)).fromRecord).toBe(false);
    expect(at.events).toEqual([expect.objectContaining({ kind: 'unknown-outcome', path: records.path(key) })]);
  });

  it.each([
    ['changed', (text: string) => text.replace('stop', 'step')],
    ['cut short', (text: string) => text.slice(0, 50)],
    ['emptied', () => ''],
  ])('is refused, reported and asked again when it was %s', async (_, damage) => {
    const records = new CallRecords(at.calls, at.objects, (event) => at.events.push(event));
    await records.once(key, 'openai', async () => completion);
    await writeFile(records.path(key), damage(await readFile(records.path(key), 'utf8')));
    expect((await records.once(key, 'openai', async () => completion)).fromRecord).toBe(false);
    expect(at.events).toEqual([expect.objectContaining({ kind: 'damaged-record' })]);
  });

  it('holds the digest of what the model said, and only the owner may read either', async () => {
    const records = new CallRecords(at.calls, at.objects);
    await records.once(key, 'openai', async () => completion);
    const text = await readFile(records.path(key), 'utf8');
    expect(text).not.toContain(completion.text);
    expect(text).toContain(sha256(completion.text));
    expect((await stat(records.path(key))).mode & 0o777).toBe(0o600);
    expect((await stat(objectOf(completion.text))).mode & 0o777).toBe(0o400);
  });

  it.each([
    ['gone', (path: string) => rm(path)],
    ['changed', (path: string) => chmod(path, 0o600).then(() => writeFile(path, 'hallo'))],
  ])('whose text is %s is reported and asked again, and then holds', async (_, damage) => {
    const records = new CallRecords(at.calls, at.objects, (event) => at.events.push(event));
    await records.once(key, 'openai', async () => completion);
    await damage(objectOf(completion.text));
    expect((await records.once(key, 'openai', async () => completion)).fromRecord).toBe(false);
    expect(at.events).toEqual([expect.objectContaining({ kind: 'damaged-record' })]);
    expect(await records.once(key, 'openai', unreachable)).toEqual({ completion, fromRecord: true });
  });

  it('whose text cannot be read now is an error, and nobody is asked again', async () => {
    const records = new CallRecords(at.calls, at.objects);
    await records.once(key, 'openai', async () => completion);
    await rm(objectOf(completion.text));
    await mkdir(objectOf(completion.text));
    await expect(records.once(key, 'openai', unreachable)).rejects.toThrow('EISDIR');
  });

  it("of another call is refused under this one's name", async () => {
    const records = new CallRecords(at.calls, at.objects, (event) => at.events.push(event));
    const other = { ...key, generation: 2 };
    await records.once(other, 'openai', async () => completion);
    await writeFile(records.path(key), await readFile(records.path(other)));
    expect(await records.read(key)).toBeNull();
    expect(at.events).toEqual([expect.objectContaining({ reason: 'It belongs to another call.' })]);
  });

  it('stays in its folder whatever the plan is called', async () => {
    const records = new CallRecords(at.calls, at.objects);
    await records.once({ ...key, plan: '../../out' }, 'openai', async () => completion);
    expect(await readdir(join(at.calls, '..'))).toEqual(expect.not.arrayContaining(['out']));
    expect(await readdir(at.calls)).toHaveLength(1);
  });
});
