/** An audit log for other programs. */

import type { Entry } from '../../audit/types';
import { canonicalJson } from '../../plan/canonical';
import { tasksOf } from './read-log';

const COLUMNS = [
  'seq',
  'at',
  'event',
  'actorKind',
  'actorId',
  'actorAuth',
  'tasks',
  'run',
  'eventId',
  'prev',
  'hash',
  'data',
];

/** `jsonl`: the very bytes of the log; `csv`: RFC 4180, with a head line, `data` as canonical JSON. */
export function logText(entries: readonly Entry[], format: 'jsonl' | 'csv'): string {
  if (format === 'jsonl') {
    return entries.map(({ body, hash }) => `{"body":${canonicalJson(body)},"hash":"${hash}"}\n`).join('');
  }
  const rows = entries.map(({ body: { seq, at, event, actor, data, run, eventId, prev }, hash }) => [
    seq,
    at,
    event,
    actor.kind,
    actor.id,
    actor.auth,
    tasksOf(data).join(' '),
    run ?? '',
    eventId ?? '',
    prev,
    hash,
    canonicalJson(data),
  ]);
  return [COLUMNS, ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}

/** A spreadsheet takes a cell that begins so for a formula; an apostrophe before it makes it text (OWASP, CSV injection). */
const FORMULA = /^[=+\-@\t\r]/;

function cell(value: string | number): string {
  const text = typeof value === 'string' && FORMULA.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
