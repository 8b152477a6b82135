import type { AuditEvent } from '../plan/facts';
import { buildLine, genesisOf, type Line } from './entry';
import type { Fault } from './errors';
import { ENTRY_TYPE, type Entry, type Head, type ProjectedEntry } from './types';

/** The end of a log that has no entry yet. */
export const EMPTY: Head = { size: 0, hash: null };

/** What we say ourselves of a log, without any history: that it was repaired, or where it is broken for ever. */
export interface LocalEntry extends Omit<ProjectedEntry, 'run' | 'eventId' | 'event'> {
  run: null;
  eventId: null;
  event: Extract<AuditEvent, 'audit.repaired' | 'audit.break'>;
}

/**
 * The line that follows `head`. What it holds is a function of its arguments alone: a rebuild gives the same bytes.
 *
 * @param log `planwright/<namespace>/<plan>`
 * @throws UnfitEntry as `buildLine` does
 */
export function nextLine(head: Head, log: string, projected: ProjectedEntry | LocalEntry): Line {
  const { run, eventId, at, event, actor, data } = projected;
  const prev = head.hash ?? genesisOf(data);
  return buildLine({ typ: ENTRY_TYPE, log, seq: head.size, prev, run, eventId, at, event, actor, data });
}

/** The lines that follow `head`, and the head after them. */
export function chain(
  head: Head,
  log: string,
  entries: Iterable<ProjectedEntry | LocalEntry>,
): { lines: Line[]; head: Head } {
  const lines: Line[] = [];
  let at = head;
  for (const projected of entries) {
    const line = nextLine(at, log, projected);
    lines.push(line);
    at = headAfter(line.entry);
  }
  return { lines, head: at };
}

/** The log's end, where this entry is its last. */
export function headAfter({ body, hash }: Entry): Head {
  return { size: body.seq + 1, hash };
}

/** Whether an entry stands where it must after `head`, in this log. */
export function linkFault(head: Head, log: string, { body }: Entry): Fault | null {
  if (body.log !== log) return { what: 'log', at: 0, expected: log, actual: body.log };
  if (body.seq !== head.size) return { what: 'seq', at: 0, expected: String(head.size), actual: String(body.seq) };
  const prev = head.hash ?? genesisOf(body.data);
  return body.prev === prev ? null : { what: 'prev', at: 0, expected: prev, actual: body.prev };
}
