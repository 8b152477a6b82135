import { askModel } from '../../../activities/llm/ask';
import { whoOf } from '../../../activities/llm/context';
import { openaiProvider } from '../../../activities/llm/openai';
import { type ModelReply, type ModelServer, startModelServer } from '../../support/model-server';
import { failureOf, KEY, modelRequest, type World, world } from './fixtures';

let first: ModelServer;
let second: ModelServer;
let w: World;
beforeEach(async () => {
  first = await startModelServer();
  second = await startModelServer();
  w = await world(first.url);
  w.deps.providers = (name) =>
    openaiProvider({
      ...{ name, apiKey: KEY, keyPlace: 'KEY', attempt: () => w.context.attempt },
      baseURL: name === 'first' ? first.url : second.url,
    });
});
afterEach(async () => {
  await Promise.all([first.close(), second.close(), w.remove()]);
});

const purpose = { plan: 'plan-1', task: '1', generation: 1, timeoutMs: 5000 };
const question = { ...modelRequest(), model: 'one' };
const ask = (told = true) => {
  const settings = { provider: 'first', model: 'one', temperature: 0 };
  const fallback = told ? { provider: 'second', model: 'two' } : null;
  return askModel(w.deps, whoOf(w.deps, { ...settings, fallback }), purpose, question, (text) => text);
};
const down: ModelReply = { status: 503, headers: { 'x-should-retry': 'false' } };

describe('a fallback', () => {
  it('is asked with its own model where the provider cannot answer, and each call says who was asked', async () => {
    first.reply = () => down;
    const { provider, calls } = await ask();
    expect(provider).toBe('second');
    expect(second.calls[0]?.body.model).toBe('two');
    expect(calls).toMatchObject([{ outcome: 'failed' }, { outcome: 'answered', provider: 'second', model: 'two' }]);
    expect(calls[0]).not.toHaveProperty('provider');
  });

  it('is not asked where nobody said so, nor where the provider answers', async () => {
    expect(await ask()).not.toHaveProperty('provider');
    first.reply = () => down;
    w.context.attempt = 9;
    const other = { ...purpose, generation: 2 };
    const who = whoOf(w.deps, { provider: 'first', model: 'one', temperature: 0 });
    expect(await failureOf(askModel(w.deps, who, other, question, String))).toMatchObject({ type: 'ProviderError' });
    expect(second.calls).toHaveLength(0);
  });

  it.each([400, 401, 403, 404])('is never asked after a %i', async (status) => {
    first.reply = () => ({ status });
    expect(await failureOf(ask())).toMatchObject({ nonRetryable: true });
    expect(second.calls).toHaveLength(0);
  });

  it('waits for the third attempt where the failure may pass', async () => {
    first.reply = () => ({ status: 429 });
    for (w.context.attempt = 1; w.context.attempt < 3; w.context.attempt++) {
      expect(await failureOf(ask())).toMatchObject({ type: 'RateLimited', nonRetryable: false });
    }
    expect(second.calls).toHaveLength(0);
    expect((await ask()).provider).toBe('second');
    expect(first.calls).toHaveLength(3);
  });

  it('whose answer is on record is not asked again after a crash, and neither is the provider', async () => {
    first.reply = () => down;
    const before = await ask();
    const after = await ask();
    expect(after).toMatchObject({ provider: 'second', fromRecord: true, value: before.value });
    expect([first.calls.length, second.calls.length]).toEqual([1, 1]);
  });
});
