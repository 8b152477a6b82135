import type { Risk } from '../types';

const ORDER: { [risk in Risk]: number } = { LOW: 0, MEDIUM: 1, HIGH: 2 };

/** The higher of two levels. */
export function maxRisk(a: Risk, b: Risk): Risk {
  return riskAbove(b, a) ? b : a;
}

/** True where `a` is riskier than `b`; equal is not above. */
export function riskAbove(a: Risk, b: Risk): boolean {
  return ORDER[a] > ORDER[b];
}
