import type { Finding } from '../../../plan/types';
import { hint } from '../near';

/** Tells a finding; the path leads to what it is about. */
export type Report = (rule: string, severity: Finding['severity'], message: string, path: (string | number)[]) => void;

/** Prometheus' durations: `1h30m`, units in this order, or 0. */
const DURATION = /^(?:(?:\d+y)?(?:\d+w)?(?:\d+d)?(?:\d+h)?(?:\d+m)?(?:\d+s)?(?:\d+ms)?|0)$/;

const isDuration = (value: unknown): boolean =>
  (typeof value === 'string' && value !== '' && DURATION.test(value)) || value === 0;

export function checkDuration(value: unknown, path: (string | number)[], report: Report): void {
  if (
    value === undefined ||
    value === null ||
    isDuration(value) ||
    (typeof value === 'string' && /\$\{|\{\{/.test(value))
  )
    return;
  report(
    'duration',
    'error',
    `"${String(value).slice(0, 40)}" is not a duration; write for example 30s, 5m or 1h30m.`,
    path,
  );
}

/** Milliseconds of a duration; null where it is none. */
export function milliseconds(value: unknown): number | null {
  if (!isDuration(value)) return null;
  const unit: Readonly<Record<string, number>> = {
    ms: 1,
    s: 1e3,
    m: 6e4,
    h: 3.6e6,
    d: 8.64e7,
    w: 6.048e8,
    y: 3.1536e10,
  };
  return [...String(value).matchAll(/(\d+)(ms|[smhdwy])/g)].reduce(
    (sum, [, count, name]) => sum + Number(count) * (unit[name ?? ''] ?? 0),
    0,
  );
}

export function checkKeys(
  value: Record<string, unknown>,
  known: ReadonlySet<string>,
  what: string,
  path: (string | number)[],
  report: Report,
): void {
  for (const key of Object.keys(value)) {
    if (!known.has(key))
      report('unknown-key', 'error', `${what} has no key "${key.slice(0, 60)}".${hint(key, known)}`, [...path, key]);
  }
}

export const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));
