import { costOf, type TokenPrice } from '../../../plan/spending';
import type { PlanView } from '../../../plan/view';
import { safe } from './style';

/** Of a million tokens, by provider; those whose price is known. */
export type Prices = { [provider: string]: TokenPrice };

/** What a plan cost so far, by the prices in the user's config of today: " · 0.0123 USD"; empty where none is known. */
export function costText({ usageBy = {} }: Pick<PlanView, 'usageBy'>, prices: Prices): string {
  const { costs, unpriced } = costOf(usageBy, prices);
  if (costs.length === 0) return '';
  const sums = costs.map(({ amount, currency, estimated }) => {
    return `${estimated ? 'about ' : ''}${amountText(amount)} ${currency}`;
  });
  const rest =
    unpriced.length === 0 ? '' : ` and what ${safe(unpriced.join(', '))} cost, which has no price in your config`;
  return ` · ${sums.join(' + ')}${rest}`;
}

/** Cents and more with two places, less with four. */
const amountText = (amount: number): string => amount.toFixed(amount >= 1 ? 2 : 4);
