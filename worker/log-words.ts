/**
 * What a worker's log may say of an error where payloads are encrypted: its kind, and none of its words, since those can be the
 * goal's, the model's or a person's. The words stand, encrypted, in the history, and `planwright plan show` has them.
 */

/** For pino's `formatters.log`. @returns the fields of one line, errors reduced to name and type */
export function withoutWords(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, reduced(name, value)]));
}

function reduced(name: string, value: unknown): unknown {
  if (value instanceof Error) {
    return { name: value.name, ...('type' in value && typeof value.type === 'string' ? { type: value.type } : {}) };
  }
  // `String(error)`: the class's name stands before the first colon. A kind alone is what it is.
  if (name === 'error' && typeof value === 'string') return /^[A-Za-z]{1,60}(?=:|$)/.exec(value)?.[0] ?? 'Error';
  return value;
}
