import { addSpent, costOf } from '../../plan/spending';

const zero = () => ({ promptTokens: 0, completionTokens: 0, calls: 0 });
const usd = { prompt: 1, completion: 10, currency: 'USD' };

describe('what a plan has spent', () => {
  it('is kept by provider, estimates marked, and not of one that nobody asked', () => {
    const view: Parameters<typeof addSpent>[0] = { usage: zero() };
    addSpent(view, 'template', zero());
    expect(view).not.toHaveProperty('usageBy');
    addSpent(view, 'a', { promptTokens: 5, completionTokens: 1, calls: 1 });
    addSpent(view, 'b', { promptTokens: 7, completionTokens: 2, calls: 2, estimated: true });
    expect(view.usage).toEqual({ promptTokens: 12, completionTokens: 3, calls: 3, estimated: true });
    expect(view.usageBy).toEqual({
      a: { promptTokens: 5, completionTokens: 1, calls: 1 },
      b: { promptTokens: 7, completionTokens: 2, calls: 2, estimated: true },
    });
  });

  it('costs what a million tokens cost, by currency, and names whom no price is known of', () => {
    const usage = { promptTokens: 500_000, completionTokens: 100_000, calls: 3 };
    const usageBy = { a: usage, b: { ...usage, estimated: true }, c: usage, toString: usage };
    expect(costOf(usageBy, { a: usd, b: { ...usd, currency: 'EUR' } })).toEqual({
      costs: [
        { amount: 1.5, currency: 'USD', estimated: false },
        { amount: 1.5, currency: 'EUR', estimated: true },
      ],
      unpriced: ['c', 'toString'],
    });
  });
});
