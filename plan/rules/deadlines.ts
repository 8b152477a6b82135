/** What happens to a gate that nobody decides, and when. */
import type { Deadlines } from './types';

/** ISO times that are still to come; null: never, or it has happened. */
export interface Schedule {
  remindAt: string | null;
  escalateAt: string | null;
  /** Expiry: from this moment on the gate is rejected. */
  until: string | null;
}

export interface Due {
  gate: string;
  what: 'remind' | 'escalate' | 'expire';
  at: string;
}

/** @param since ISO time at which the gate opened */
export function scheduleFrom(since: string, { remindMs, escalateMs, expireMs }: Deadlines): Schedule {
  const after = (ms: number | null): string | null =>
    ms === null ? null : new Date(Date.parse(since) + ms).toISOString();
  return { remindAt: after(remindMs), escalateAt: after(escalateMs), until: after(expireMs) };
}

/**
 * What comes next over all gates; null: nothing ever does. Of two at the same moment the one that settles more comes
 * first: nobody is reminded of a gate that has expired.
 */
export function nextDue(gates: readonly (Partial<Schedule> & { gate: string })[]): Due | null {
  let next: Due | null = null;
  for (const { gate, until, escalateAt, remindAt } of gates) {
    const all = [
      [until, 'expire'],
      [escalateAt, 'escalate'],
      [remindAt, 'remind'],
    ] as const;
    for (const [at, what] of all) if (at && (next === null || at < next.at)) next = { gate, what, at };
  }
  return next;
}
