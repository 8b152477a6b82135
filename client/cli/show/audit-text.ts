import type { Entry } from '../../../audit/types';
import type { Json, JsonObject } from '../../../plan/types';
import { dateOf } from './history-text';
import { type Style, safe, short } from './style';

/** Digests are for programs: a person compares their beginnings at most. */
const DIGEST = /^[0-9a-f]{64}$/;
const VALUE_CHARS = 60;

/** One line an entry: number, time, event, who, and what the entry says. */
export function auditText(entries: readonly Entry[], style: Style): string {
  const width = Math.max(0, ...entries.map(({ body }) => String(body.seq).length));
  return entries.map((entry) => `${lineOf(entry, width, style)}\n`).join('');
}

function lineOf({ body: { seq, at, event, actor, data } }: Entry, width: number, style: Style): string {
  const who = actor.auth === 'process' ? actor.kind : `${safe(actor.id)} (${actor.auth})`;
  const number = style.dim(String(seq).padStart(width));
  return [number, dateOf(at), eventText(event, style), who, style.dim(dataText(data))].join('  ').trimEnd();
}

function eventText(event: string, style: Style): string {
  if (/^audit\.|\.failed$|\.refused$|\.unknown$/.test(event)) return style.warn(event);
  return style.strong(event);
}

function dataText(data: JsonObject): string {
  return Object.entries(data)
    .filter(([, value]) => value !== null && value !== '')
    .map(([key, value]) => `${safe(key)}=${valueText(value)}`)
    .join(' ');
}

function valueText(value: Json): string {
  if (typeof value === 'string') return DIGEST.test(value) ? `${value.slice(0, 12)}…` : short(value, VALUE_CHARS);
  return short(JSON.stringify(value), VALUE_CHARS);
}
