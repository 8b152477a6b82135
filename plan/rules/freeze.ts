/** Times in which nothing is written. */
import type { FreezeWindow } from './types';

const MINUTE_MS = 60_000;
const WEEK = 7 * 24 * 60;
/** Monday 1970-01-05 00:00 UTC, in minutes since the epoch. */
const A_MONDAY = 4 * 24 * 60;
/** Windows that follow each other without a gap are walked through; more than these are the whole year. */
const MOST_STEPS = 100;

export interface Frozen {
  name: string;
  /** ISO time at which it, and what follows it without a gap, is over. */
  until: string;
  run: FreezeWindow['run'];
}

/**
 * The window that a moment lies in; null where it lies in none. Where several do, one that refuses is told first.
 * @param at ISO time
 */
export function frozenAt(windows: readonly FreezeWindow[], at: string): Frozen | null {
  const now = Date.parse(at);
  const open = windows.filter((window) => endOf(window, now) !== null);
  const window = open.find(({ run }) => run === 'refuse') ?? open[0];
  if (!window) return null;
  let until = now;
  for (let step = 0; step < MOST_STEPS; step++) {
    const ends = windows.flatMap((one) => endOf(one, until) ?? []);
    if (ends.length === 0) break;
    until = Math.max(...ends);
  }
  return { name: window.name, until: new Date(until).toISOString(), run: window.run };
}

/** The end (epoch ms) of the window that a moment lies in; the end itself lies outside. */
function endOf({ once, weekly }: FreezeWindow, now: number): number | null {
  if (once) return Date.parse(once.from) <= now && now < Date.parse(once.until) ? Date.parse(once.until) : null;
  if (!weekly) return null;
  const minutes = now / MINUTE_MS - A_MONDAY;
  const inWeek = ((minutes % WEEK) + WEEK) % WEEK;
  const length = (weekly.until - weekly.from + WEEK) % WEEK;
  const since = (inWeek - weekly.from + WEEK) % WEEK;
  return since < length ? Math.round(now + (length - since) * MINUTE_MS) : null;
}
