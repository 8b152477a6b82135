import fc from 'fast-check';
import { jsonPart } from '../../../activities/llm/content';
import { type OpenAiSettings, openaiProvider } from '../../../activities/llm/openai';
import { EventReader } from '../../../activities/llm/sse';
import { type ModelServer, type ModelServerOptions, startModelServer } from '../../support/model-server';
import { failureOf, KEY, modelRequest } from './fixtures';

let server: ModelServer;
const start = async (options: ModelServerOptions = {}, more: Partial<OpenAiSettings> = {}, tail = '') => {
  server = await startModelServer(options);
  const settings = { name: 'mine', apiKey: KEY, baseURL: server.url + tail, keyPlace: 'MY_KEY', attempt: () => 1 };
  return openaiProvider({ ...settings, ...more });
};
afterEach(() => server?.close());

describe('servers and their quirks', () => {
  it('a limit of tokens is sent by its new name, then by its old one, then not at all', async () => {
    const both = await start({ maxCompletionTokens: false }, { maxTokens: 900 });
    await both.complete(modelRequest());
    expect(server.calls.map(({ body }) => [body.max_completion_tokens, body.max_tokens])).toEqual([
      [900, undefined],
      [undefined, 900],
    ]);
    await server.close();
    const none = await start({ maxCompletionTokens: false, maxTokens: false }, { maxTokens: 900 });
    expect((await none.complete(modelRequest())).usage.calls).toBe(3);
    expect(server.calls.at(-1)?.body).not.toHaveProperty('max_tokens');
  });

  it('a limit that the model finds too high is not dropped: its owner is told', async () => {
    const error = { message: 'max_completion_tokens is too large: 900000', param: 'max_completion_tokens' };
    const provider = await start({ reply: () => ({ status: 400, error }) }, { maxTokens: 900_000 });
    expect(await failureOf(provider.complete(modelRequest()))).toMatchObject({ type: 'BadRequest' });
    expect(server.calls).toHaveLength(1);
  });

  it('without a limit none is sent', async () => {
    await (await start()).complete(modelRequest());
    expect(Object.keys(server.calls[0]?.body ?? {}).filter((key) => key.startsWith('max'))).toEqual([]);
  });

  it('a query in the base URL goes with each request, behind the path, and is in no message', async () => {
    const base = '/openai/deployments/my-gpt';
    const provider = await start({ base, script: [{}, { status: 400, error: 'no' }] }, {}, '?api-version=2024-10-21');
    await provider.complete(modelRequest());
    expect(server.calls[0]?.path).toBe(`${base}/chat/completions?api-version=2024-10-21`);
    expect((await failureOf(provider.complete(modelRequest()))).message).not.toContain('api-version');
  });

  it('a key can go in a header of its own, and then in no other', async () => {
    await (await start({}, { keyHeader: 'api-key' })).complete(modelRequest());
    expect(server.calls[0]?.headers['api-key']).toBe(KEY);
    expect(server.calls[0]?.headers).not.toHaveProperty('authorization');
  });

  it('a server without keys is asked without one', async () => {
    const provider = await start({}, { apiKey: '', keyless: true });
    await provider.complete(modelRequest());
    expect(String(server.calls[0]?.headers.authorization)).not.toContain('CANARY');
  });

  it.each<[string, object, string]>([
    [
      'one call of a function',
      { content: null, tool_calls: [{ function: { name: 'f', arguments: '{"a":1}' } }] },
      '{"a":1}',
    ],
    ['the old form of a function call', { content: '', function_call: { name: 'f', arguments: '{"a":2}' } }, '{"a":2}'],
    [
      'a list of parts',
      { content: [{ type: 'text', text: '{"a"' }, { type: 'image' }, { type: 'text', text: ':3}' }] },
      '{"a":3}',
    ],
    ['a reasoning beside it', { content: '{"a":4}', reasoning_content: 'Hm. {"a":0}' }, '{"a":4}'],
    [
      'several calls, which are no answer',
      { content: null, tool_calls: [{ function: { arguments: '{}' } }, { function: { arguments: '{}' } }] },
      '',
    ],
  ])('an answer as %s is read', async (_, message, text) => {
    const provider = await start({ stream: 'ignored', reply: () => ({ message: { ...message } }) });
    expect((await provider.complete(modelRequest())).text).toBe(text);
  });

  it('a call of a function that is streamed in pieces is read', async () => {
    const piece = (args: string): string =>
      JSON.stringify({ choices: [{ delta: { tool_calls: [{ index: 0, function: { arguments: args } }] } }] });
    const provider = await start({ reply: () => ({ events: [piece('{"a"'), piece(':5}'), '[DONE]'] }) });
    expect((await provider.complete(modelRequest())).text).toBe('{"a":5}');
  });

  it.each<[string, unknown]>([
    ['missing', undefined],
    ['null', null],
    ['zero', { prompt_tokens: 0, completion_tokens: 0 }],
  ])('a usage that is %s is estimated, and says so', async (_, usage) => {
    const provider = await start({
      stream: 'ignored',
      reply: () => ({ content: 'x'.repeat(400), envelope: { usage } }),
    });
    const answer = await provider.complete(modelRequest());
    expect(answer.usage).toMatchObject({ completionTokens: 100, estimated: true });
    expect(answer.usage.promptTokens).toBeGreaterThan(0);
  });

  it('a body that is packed is unpacked', async () => {
    const provider = await start({ stream: 'ignored', reply: () => ({ content: '{"a":6}', gzip: true }) });
    expect((await provider.complete(modelRequest())).text).toBe('{"a":6}');
  });

  it.each<[string, { status: number; body: string }, string, string]>([
    [
      'a page of a gateway',
      { status: 502, body: '<html><head><title>502 Bad Gateway</title></head></html>' },
      'ProviderError',
      'an HTML page, "502 Bad Gateway"',
    ],
    [
      'a page with success',
      { status: 200, body: '<!doctype html><title>Login</title>' },
      'BadRequest',
      'no chat completion',
    ],
    [
      'an error with success',
      { status: 200, body: '{"error":{"message":"slow down","code":429}}' },
      'RateLimited',
      'slow down',
    ],
    [
      'an error that is a text',
      { status: 200, body: '{"error":"model not loaded"}' },
      'ProviderError',
      'model not loaded',
    ],
    ['nothing at all', { status: 200, body: '' }, 'BadRequest', 'no chat completion'],
  ])('%s is a failure that says what came', async (_, reply, type, said) => {
    const provider = await start({ reply: () => reply });
    const failure = await failureOf(provider.complete(modelRequest()));
    expect(failure).toMatchObject({ type, message: expect.stringContaining(said) });
    expect(failure.message).not.toContain('<');
  });
});

describe('the JSON in an answer', () => {
  it.each([
    ['{"a":1}', '{"a":1}'],
    ['```json\n{"a":1}\n```', '{"a":1}'],
    ['Here it is:\n```\n{"a":"```"}\n```\nGood luck {with it}!', '{"a":"```"}'],
    ['<think>Maybe {"a":2}?</think>\n{"a":1}', '{"a":1}'],
    ['{"a":"}{\\"}"} and so on', '{"a":"}{\\"}"}'],
    ['{"a":1}{"a":2}', '{"a":1}{"a":2}'],
    ['An example is {"a":1}, the answer is {"a":2}.', 'An example is {"a":1}, the answer is {"a":2}.'],
    ['{"a":1', '{"a":1'],
    ['no', 'no'],
    ['', ''],
  ])('of %j is %j', (text, part) => expect(jsonPart(text)).toBe(part));

  it('is found whatever plain words stand around it', () => {
    const words = fc.string().map((text) => text.replace(/[{}<>"]/g, ''));
    fc.assert(
      fc.property(words, fc.dictionary(fc.string(), fc.jsonValue()), words, (before, value, after) => {
        const json = JSON.stringify(value);
        expect(jsonPart(`${before}${json}${after}`)).toBe(json);
      }),
    );
  });

  it('takes a hostile text no long time', () => {
    expect(jsonPart('{'.repeat(300_000))).toHaveLength(300_000);
  });
});

describe('events', () => {
  it('are the same however their bytes are cut, and whichever line ends they have', () => {
    const data = fc.array(
      fc.string({ unit: 'grapheme' }).map((text) => text.replace(/[\r\n]/g, '')),
      { maxLength: 5 },
    );
    const ends = fc.constantFrom('\n', '\r\n');
    fc.assert(
      fc.property(data, ends, fc.array(fc.nat({ max: 9 }), { minLength: 1 }), (events, end, sizes) => {
        const bytes = Buffer.from(events.map((one) => `: hello${end}data: ${one}${end}${end}`).join(''));
        const reader = new EventReader();
        const read: string[] = [];
        for (let at = 0, cut = 0; at < bytes.length; cut++) {
          const size = (sizes[cut % sizes.length] ?? 0) + 1;
          read.push(...reader.read(bytes.subarray(at, at + size)));
          at += size;
        }
        expect([...read, ...reader.end()]).toEqual(events);
      }),
    );
  });
});
