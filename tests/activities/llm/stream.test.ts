import { openaiProvider } from '../../../activities/llm/openai';
import type { ModelProvider } from '../../../activities/llm/provider';
import {
  type ModelReply,
  type ModelServer,
  type ModelServerOptions,
  startModelServer,
} from '../../support/model-server';
import { failureOf, KEY, modelRequest } from './fixtures';

let server: ModelServer;
const start = async (options: ModelServerOptions = {}): Promise<ModelProvider> => {
  server = await startModelServer(options);
  const settings = { name: 'openai', apiKey: KEY, baseURL: server.url, keyPlace: 'OPENAI_API_KEY' };
  return openaiProvider({ ...settings, attempt: () => 1 });
};
afterEach(() => server?.close());

const TEXT = '{"files":[{"path":"Makefile","content":"größer → 走る 🚀 \\u0000"}],"summary":"ok"}';

describe('a streamed answer', () => {
  it('is asked for with its usage, and is the answer that it would be in one piece', async () => {
    const streamed = await start({ reply: () => ({ content: TEXT }) });
    const one = await streamed.complete(modelRequest());
    expect(server.calls[0]?.body).toMatchObject({ stream: true, stream_options: { include_usage: true } });
    await server.close();
    const whole = await start({ stream: 'ignored', reply: () => ({ content: TEXT }) });
    expect(await whole.complete(modelRequest())).toEqual(one);
    expect(one).toMatchObject({ text: TEXT, usage: { promptTokens: 100, completionTokens: 50, calls: 1 } });
    expect(one.usage).not.toHaveProperty('estimated');
  });

  it.each([1, 2, 3, 7])('is whole where its bytes come in pieces of %i, within characters too', async (pieceBytes) => {
    const provider = await start({ reply: () => ({ content: TEXT, pieceBytes }) });
    expect((await provider.complete(modelRequest())).text).toBe(TEXT);
  });

  it.each<[string, ModelReply]>([
    ['keep-alive comments between its events', { comment: ': keep-alive\n\n: OPENROUTER PROCESSING\n\n' }],
    ['event and id lines', { comment: 'event: message\nid: 7\nretry: 10\n' }],
    ['gzip', { gzip: true }],
  ])('may hold %s', async (_, how) => {
    const provider = await start({ reply: () => ({ content: TEXT, ...how }) });
    expect((await provider.complete(modelRequest())).text).toBe(TEXT);
  });

  it('says how many tokens there are while it comes, counting a reasoning that is no part of the answer', async () => {
    const seen: number[] = [];
    let heard = (): void => undefined;
    const chunk = (delta: object): string => JSON.stringify({ choices: [{ index: 0, delta }] });
    const provider = await start({
      reply: () => ({
        events: [
          chunk({ reasoning_content: 'x'.repeat(400) }),
          chunk({ content: '{"nodes":' }),
          JSON.stringify({ choices: [{ index: 0, delta: { content: '[]}' }, finish_reason: 'stop' }] }),
          '[DONE]',
        ],
        // The next piece waits until the progress was told: no timing decides.
        beforePiece: () =>
          new Promise((resolve) => {
            const before = seen.length;
            heard = () => {
              if (seen.length >= before + 2) resolve();
            };
          }),
      }),
    });
    const onProgress = (tokens: number): void => {
      seen.push(tokens);
      heard();
    };
    const { text, usage } = await provider.complete(modelRequest({ onProgress }));
    expect(text).toBe('{"nodes":[]}');
    expect(seen[1]).toBe(100);
    expect(seen.at(-1)).toBeGreaterThan(100);
    expect([...seen].sort((a, b) => a - b)).toEqual(seen);
    // No usage came: the answer's tokens are estimated, the reasoning is not in it.
    expect(usage).toMatchObject({ completionTokens: 3, estimated: true });
    expect(usage.promptTokens).toBeGreaterThan(0);
  });

  it.each<[string, ModelReply]>([
    ['ends before its answer does', { cut: { after: 3, how: 'end' } }],
    ['is closed in between', { cut: { after: 3, how: 'close' } }],
    ['holds what is no chunk', { events: ['{"choices":[{"delta":{"content":"{"}}]}', '{"choices": oops'] }],
    ['ends without any event', { events: [] }],
    ['reports an error of the server', { events: ['{"error":{"message":"Overloaded","code":503}}'] }],
  ])('that %s is no answer, and is asked for again', async (_, reply) => {
    const provider = await start({ reply: () => ({ content: TEXT, ...reply }) });
    expect(await failureOf(provider.complete(modelRequest()))).toMatchObject({
      type: 'ProviderError',
      nonRetryable: false,
    });
  });

  it('that ends in [DONE] or with a finish reason is whole, also where the other is missing', async () => {
    const piece = '{"choices":[{"delta":{"content":"{}"}}]}';
    const last = '{"choices":[{"delta":{},"finish_reason":"stop"}]}';
    const provider = await start({ script: [{ events: [piece, '[DONE]'] }, { events: [piece, last] }] });
    expect(await provider.complete(modelRequest())).toMatchObject({ text: '{}', finishReason: null });
    expect(await provider.complete(modelRequest())).toMatchObject({ text: '{}', finishReason: 'stop' });
  });

  it('that reports a wrong key, a refusal or a filter is what it would be in one piece', async () => {
    const provider = await start({
      script: [
        { events: ['{"error":{"message":"bad key","code":401}}'] },
        { refusal: 'I will not.' },
        { content: '', finishReason: 'content_filter' },
        { empty: true },
      ],
    });
    expect(await failureOf(provider.complete(modelRequest()))).toMatchObject({
      type: 'Credentials',
      nonRetryable: true,
    });
    expect(await provider.complete(modelRequest())).toMatchObject({ text: '', refusal: 'I will not.' });
    expect(await provider.complete(modelRequest())).toMatchObject({ finishReason: 'content_filter' });
    expect(await provider.complete(modelRequest())).toMatchObject({ text: '' });
  });

  it('that drips is under the time limit of the whole call', async () => {
    const provider = await start({ reply: () => ({ content: TEXT, pieceBytes: 1, pieceMs: 20 }) });
    expect(await failureOf(provider.complete(modelRequest({ timeoutMs: 200 })))).toMatchObject({ type: 'Timeout' });
  });

  it('that never ends is cut off, whether its bytes or its text are too many', async () => {
    const piece = JSON.stringify({ choices: [{ delta: { content: 'x'.repeat(1024 * 1024) } }] });
    const provider = await start({ reply: () => ({ events: Array.from({ length: 40 }, () => piece), gzip: true }) });
    expect(await failureOf(provider.complete(modelRequest()))).toMatchObject({ type: 'BadAnswer', nonRetryable: true });
  });
});

describe('a server that refuses to stream', () => {
  it('is asked without, and is not asked to again', async () => {
    const provider = await start({ stream: false });
    expect((await provider.complete(modelRequest())).usage.calls).toBe(2);
    expect(server.calls.at(-1)?.body).not.toHaveProperty('stream');
    expect((await provider.complete(modelRequest())).usage.calls).toBe(1);
  });

  it('keeps the stream where only its options are refused, and estimates the tokens', async () => {
    const provider = await start({ streamOptions: false });
    const { usage } = await provider.complete(modelRequest());
    expect(usage).toMatchObject({ calls: 2, estimated: true });
    expect(server.calls.at(-1)?.body).toMatchObject({ stream: true });
  });
});
