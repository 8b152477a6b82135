import { maskSecrets } from '../plan/mask';
import type { Json } from '../plan/types';

/** Digests and ids hold no secret, and there are many. */
const HARMLESS = /^[0-9a-f-]{16,64}$/;

/** A value as it may stand in an entry: without secrets, and with one spelling as UTF-8. */
export function clean(value: Json): Json {
  if (typeof value === 'string') return HARMLESS.test(value) ? value : maskSecrets(value.toWellFormed());
  if (Array.isArray(value)) return value.map(clean);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key.toWellFormed(), clean(member)]));
}
