/** What a plan and each of its tasks may spend. */
import type { Usage } from '../types';
import type { Budgets, Limit } from './types';

/** A budget that is used up. */
export interface Overrun {
  scope: 'plan' | 'task';
  what: 'tokens' | 'calls';
  limit: number;
  used: number;
}

const least = (one: number | null, other: number | null): number | null =>
  one === null ? other : other === null ? one : Math.min(one, other);

/** Of policy and flag the smaller one; null: neither says one. */
export function smaller(policy: Limit, flag: Partial<Limit>): Limit {
  return { tokens: least(policy.tokens, flag.tokens ?? null), calls: least(policy.calls, flag.calls ?? null) };
}

/** The larger of a limit and what a person raised it to. */
export function raisedTo(limit: Limit, raised: Partial<Limit> | undefined): Limit {
  const higher = (one: number | null, other: number | null | undefined): number | null =>
    one === null ? null : Math.max(one, other ?? 0);
  return { tokens: higher(limit.tokens, raised?.tokens), calls: higher(limit.calls, raised?.calls) };
}

/** Asked before each call. @returns the first budget that leaves nothing for one more; null where there is something left */
export function overrun(limits: Budgets, used: { plan: Usage; task: Usage }): Overrun | null {
  for (const scope of ['task', 'plan'] as const) {
    const spent = { tokens: used[scope].promptTokens + used[scope].completionTokens, calls: used[scope].calls };
    for (const what of ['tokens', 'calls'] as const) {
      const limit = limits[scope][what];
      if (limit !== null && spent[what] >= limit) return { scope, what, limit, used: spent[what] };
    }
  }
  return null;
}
