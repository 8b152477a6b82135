import { CancelledFailure } from '@temporalio/common';
import { openaiProvider } from '../../../activities/llm/openai';
import type { ModelProvider } from '../../../activities/llm/provider';
import { type ModelServer, type ModelServerOptions, startModelServer } from '../../support/model-server';
import { failureOf, KEY, modelRequest } from './fixtures';

let server: ModelServer;
const start = async (options: ModelServerOptions = {}): Promise<ModelProvider> => {
  server = await startModelServer(options);
  return at(server.url);
};
const at = (baseURL: string, apiKey = KEY, attempt = 1): ModelProvider =>
  openaiProvider({ name: 'openai', apiKey, baseURL, keyPlace: 'OPENAI_API_KEY', attempt: () => attempt });

afterEach(() => server?.close());

describe('a question to an OpenAI-compatible server', () => {
  it('is asked once, in strict JSON schema mode, and its answer says who answered', async () => {
    const provider = await start({ model: 'gpt-4o-2024-08-06' });
    const completion = await provider.complete(modelRequest());
    expect(completion).toMatchObject({
      model: 'gpt-4o-2024-08-06',
      responseId: 'chatcmpl-test-1',
      finishReason: 'stop',
      temperatureSent: 0.2,
      seedSent: 1,
      usage: { promptTokens: 100, completionTokens: 50, calls: 1 },
    });
    expect(server.calls).toHaveLength(1);
    expect(server.calls[0]?.body).toMatchObject({
      model: 'test-model',
      temperature: 0.2,
      seed: 1,
      response_format: { type: 'json_schema', json_schema: { name: 'task_graph', strict: true } },
    });
    expect(server.calls[0]?.headers.authorization).toBe(`Bearer ${KEY}`);
  });

  it('falls back to JSON mode with the schema in the prompt, and remembers it', async () => {
    const provider = await start({ jsonSchema: false });
    expect((await provider.complete(modelRequest())).usage.calls).toBe(2);
    expect(server.calls[1]?.body.response_format).toEqual({ type: 'json_object' });
    expect(server.calls[1]?.system).toContain('"additionalProperties":false');
    expect((await at(server.url).complete(modelRequest())).usage.calls).toBe(1);
    expect(server.calls).toHaveLength(3);
  });

  it('asks without a format where the server knows none', async () => {
    const provider = await start({ jsonSchema: false, jsonObject: false });
    expect((await provider.complete(modelRequest())).usage.calls).toBe(3);
    expect(server.calls[2]?.body).not.toHaveProperty('response_format');
  });

  it('asks again without temperature or seed where the model refuses them, and says that none was sent', async () => {
    const provider = await start({ temperature: false, seed: false });
    const completion = await provider.complete(modelRequest());
    expect(completion).toMatchObject({ temperatureSent: null, seedSent: null, usage: { calls: 3 } });
    expect(server.calls[2]?.body).not.toHaveProperty('temperature');
  });

  it('hands on an answer without choices as an empty one, and a refusal as one', async () => {
    const provider = await start({ script: [{ empty: true }, { refusal: 'I will not.' }] });
    expect(await provider.complete(modelRequest())).toMatchObject({ text: '', refusal: null });
    expect(await provider.complete(modelRequest())).toMatchObject({ text: '', refusal: 'I will not.' });
  });
});

describe('what goes wrong', () => {
  it('is retried for 408, 409, 429 and 5xx, by Temporal and not by the SDK', async () => {
    const provider = await start({ reply: (_, number) => ({ status: [408, 409, 429, 500, 503][number - 1] ?? 500 }) });
    for (const type of ['ProviderError', 'ProviderError', 'RateLimited', 'ProviderError', 'ProviderError']) {
      expect(await failureOf(provider.complete(modelRequest()))).toMatchObject({ type, nonRetryable: false });
    }
    expect(server.calls).toHaveLength(5);
  });

  it('waits as long as the server says, at most a minute', async () => {
    const date = new Date(Date.now() + 20_000).toUTCString();
    const headers: { [name: string]: string }[] = [
      { 'retry-after-ms': '1500', 'retry-after': '9' },
      { 'retry-after': '7' },
      { 'retry-after': '3600' },
      { 'retry-after': date },
      {},
    ];
    const provider = await start({ script: headers.map((one) => ({ status: 429, headers: one })) });
    const delays: unknown[] = [];
    for (const _ of headers) delays.push((await failureOf(provider.complete(modelRequest()))).delay);
    expect(delays.slice(0, 3)).toEqual([1500, 7000, 60_000]);
    expect(Number(delays[3])).toBeGreaterThan(10_000);
    expect(Number(delays[3])).toBeLessThanOrEqual(20_000);
    expect(delays[4] ?? null).toBeNull();
  });

  it('obeys x-should-retry both ways', async () => {
    const provider = await start({
      script: [
        { status: 500, headers: { 'x-should-retry': 'false' } },
        { status: 418, headers: { 'x-should-retry': 'true' } },
      ],
    });
    expect(await failureOf(provider.complete(modelRequest()))).toMatchObject({
      type: 'ProviderError',
      nonRetryable: true,
    });
    expect(await failureOf(provider.complete(modelRequest()))).toMatchObject({
      type: 'ProviderError',
      nonRetryable: false,
    });
  });

  it('is final for 400, 401, 403, 404, a spent quota and a context overflow', async () => {
    const provider = await start({
      script: [
        { status: 400, error: 'bad' },
        { status: 401, error: `Incorrect API key provided: ${KEY}` },
        { status: 403 },
        { status: 404, error: 'The model does not exist' },
        { status: 429, error: { message: 'You exceeded your quota', code: 'insufficient_quota' } },
        {
          status: 400,
          error: { message: "This model's maximum context length is 8192 tokens", code: 'context_length_exceeded' },
        },
      ],
    });
    for (const type of ['BadRequest', 'Credentials', 'Credentials', 'BadRequest', 'RateLimited', 'ContextOverflow']) {
      const failure = await failureOf(provider.complete(modelRequest()));
      expect(failure).toMatchObject({ type, nonRetryable: true });
      expect(failure.message).not.toContain('CANARY');
      if (type === 'Credentials') expect(failure.message).toContain('OPENAI_API_KEY');
    }
    expect(server.calls).toHaveLength(6);
  });

  it('shows no key and no credentials of a URL, and caps what the provider says', async () => {
    const provider = await start({
      script: [{ status: 400, error: `${KEY} https://me:secret@host/x sk-abc***wxyz ${'x'.repeat(5000)}` }],
    });
    const { message } = await failureOf(
      at(server.url.replace('http://', 'http://user:hunter2@')).complete(modelRequest()),
    );
    expect(provider.name).toBe('openai');
    expect(message).not.toMatch(/CANARY|secret@|wxyz|hunter2/);
    expect(message.length).toBeLessThan(1000);
    expect(server.calls[0]?.headers.authorization).toBe(`Basic ${Buffer.from('user:hunter2').toString('base64')}`);
  });

  it('aborts a call that takes too long, before or within the answer, and never retries it', async () => {
    const provider = await start({ script: [{ hang: true }, { stall: true }] });
    for (let count = 0; count < 2; count++) {
      const failure = await failureOf(provider.complete(modelRequest({ timeoutMs: 150 })));
      expect(failure).toMatchObject({ type: 'Timeout', nonRetryable: true });
      expect(failure.message).toContain('--timeout');
    }
    expect(server.calls).toHaveLength(2);
  });

  it('stops at once when it is cancelled, with the reason of the signal', async () => {
    const provider = await start({ reply: () => ({ hang: true }) });
    const abort = new AbortController();
    const reason = new CancelledFailure('WORKER_SHUTDOWN');
    const call = provider.complete(modelRequest({ signal: abort.signal, onProgress: () => abort.abort(reason) }));
    await expect(call).rejects.toBe(reason);
  });

  it('retries a connection that broke, and gives up an address where nobody is after four attempts', async () => {
    const provider = await start({ script: [{ close: true }] });
    expect(await failureOf(provider.complete(modelRequest()))).toMatchObject({
      type: 'ProviderError',
      nonRetryable: false,
    });
    const gone = server.url;
    await server.close();
    expect(await failureOf(at(gone, KEY, 1).complete(modelRequest()))).toMatchObject({
      type: 'Unreachable',
      nonRetryable: false,
    });
    const last = await failureOf(at(gone, KEY, 4).complete(modelRequest()));
    expect(last).toMatchObject({ type: 'Unreachable', nonRetryable: true });
    expect(last.message).toMatch(/ECONNREFUSED.*OPENAI_BASE_URL/);
  });

  it('says that a page which is no completion points to a wrong base URL', async () => {
    const provider = await start({
      script: [
        { body: '<html>hello</html>' },
        { body: '{"error":{"message":"busy","code":503}}', headers: { 'content-type': 'application/json' } },
      ],
    });
    expect(await failureOf(provider.complete(modelRequest()))).toMatchObject({
      type: 'BadRequest',
      message: expect.stringContaining('/v1'),
    });
    expect(await failureOf(provider.complete(modelRequest()))).toMatchObject({
      type: 'ProviderError',
      nonRetryable: false,
    });
  });

  it('calls nobody without a key', async () => {
    await start();
    const failure = await failureOf(at(server.url, '').complete(modelRequest()));
    expect(failure).toMatchObject({ type: 'Credentials', nonRetryable: true });
    expect(await failureOf(at(server.url, 'sk-CANARY\n').complete(modelRequest()))).toMatchObject({
      type: 'Credentials',
    });
    expect(() => at('localhost:8080')).toThrow('no http or https URL');
    expect(server.calls).toHaveLength(0);
  });

  it('stops reading a flood', async () => {
    const provider = await start({ script: [{ body: 'x'.repeat(17 * 1024 * 1024) }] });
    expect(await failureOf(provider.complete(modelRequest()))).toMatchObject({ type: 'BadAnswer', nonRetryable: true });
  });
});
