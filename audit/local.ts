/** What we say of a log ourselves: entries that come from no history, and keep their place when it is rebuilt. */
import { z } from 'zod';
import type { JsonObject } from '../plan/types';
import type { DataCheck } from './entry';
import { LOCAL_EVENTS } from './entry';

const digest = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.int().nonnegative();

/** The first place that was not what was written. */
const fault = z.strictObject({
  what: z.string(),
  segment: z.string(),
  offset: count,
  seq: count,
  expected: z.string(),
  actual: z.string(),
});

const shapes = {
  'audit.repaired': z.strictObject({
    /** Of all segments together, before. */
    sha256: digest,
    bytes: count,
    /** Null where what was there only was not all. */
    fault: fault.nullable(),
    quarantine: z.string(),
  }),
  'audit.break': z.strictObject({
    sha256: digest,
    bytes: count,
    fault: fault.nullable(),
    quarantine: z.string(),
    /** Entries that were signed or seen and are not in the log any more; null where nobody knows. */
    lost: count.nullable(),
  }),
};

export type RepairedData = z.infer<(typeof shapes)['audit.repaired']>;
export type BreakData = z.infer<(typeof shapes)['audit.break']>;

/** As a check of `data`, of these two events; others pass. */
export const checkLocalData: DataCheck = (event, data) => {
  if (event !== 'audit.repaired' && event !== 'audit.break') return null;
  const parsed = shapes[event].safeParse(data);
  return parsed.success
    ? null
    : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
};

export function breakOf(data: JsonObject): BreakData | null {
  return shapes['audit.break'].safeParse(data).data ?? null;
}

export function isLocal(event: string): boolean {
  return [...LOCAL_EVENTS].some((local) => local === event);
}
