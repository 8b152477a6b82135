/** What models were asked for, in tokens and in money. */
import type { Usage } from './types';

/** Adds to a total, which changes. */
export function addUsage(total: Usage, usage: Usage): void {
  total.promptTokens += usage.promptTokens;
  total.completionTokens += usage.completionTokens;
  total.calls += usage.calls;
  if (usage.estimated) total.estimated = true;
}

/** Adds to what a plan has used, in all and of one provider. Where nobody was asked, nothing is noted of the provider. */
export function addSpent(
  view: { usage: Usage; usageBy?: { [provider: string]: Usage } },
  provider: string,
  usage: Usage,
): void {
  addUsage(view.usage, usage);
  if (usage.calls === 0) return;
  view.usageBy ??= {};
  const before = Object.hasOwn(view.usageBy, provider) ? view.usageBy[provider] : undefined;
  const total = before ?? { promptTokens: 0, completionTokens: 0, calls: 0 };
  addUsage(total, usage);
  view.usageBy[provider] = total;
}

/** Of a million tokens. */
export interface TokenPrice {
  prompt: number;
  completion: number;
  /** ISO 4217, for example "USD". */
  currency: string;
}

export interface Cost {
  amount: number;
  currency: string;
  /** True: tokens of it were estimated. */
  estimated: boolean;
}

/** What it cost by today's prices, one entry a currency; `unpriced` names the providers whose price is not known. */
export function costOf(
  usageBy: { [provider: string]: Usage },
  prices: { [provider: string]: TokenPrice },
): { costs: Cost[]; unpriced: string[] } {
  const costs = new Map<string, Cost>();
  const unpriced: string[] = [];
  for (const [provider, { promptTokens, completionTokens, estimated }] of Object.entries(usageBy)) {
    const price = Object.hasOwn(prices, provider) ? prices[provider] : undefined;
    if (!price) {
      unpriced.push(provider);
      continue;
    }
    const { currency } = price;
    const cost = costs.get(currency) ?? { amount: 0, currency, estimated: false };
    cost.amount += (promptTokens * price.prompt + completionTokens * price.completion) / 1_000_000;
    cost.estimated ||= estimated === true;
    costs.set(currency, cost);
  }
  return { costs: [...costs.values()], unpriced };
}
