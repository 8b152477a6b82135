/** The shapes that the parts of the audit log share. No code. */
import type { Actor, AuditEvent } from '../plan/facts';
import type { JsonObject } from '../plan/types';

export const ENTRY_TYPE = 'planwright.audit/1';

/** What the projection makes of one event of Temporal's history, in order; several may come of one event. */
export interface ProjectedEntry {
  /** Run id of the workflow execution; `eventId` is unique within it only. */
  run: string;
  eventId: number;
  /** The event's time, ISO 8601 with milliseconds: a rebuild gives the same bytes. */
  at: string;
  event: AuditEvent;
  actor: Actor;
  data: JsonObject;
}

/** The hashed part of a line. `run` and `eventId` are null in an entry that no history holds (a repair, a declared break). */
export interface EntryBody extends Omit<ProjectedEntry, 'run' | 'eventId'> {
  typ: typeof ENTRY_TYPE;
  /** `planwright/<namespace>/<plan>`: an entry cannot be moved into another plan's log. */
  log: string;
  seq: number;
  prev: string;
  run: string | null;
  eventId: number | null;
}

/** One line of the log, parsed. */
export interface Entry {
  body: EntryBody;
  /** SHA-256(0x00 ‖ body), hex: also the RFC 6962 leaf hash. */
  hash: string;
}

/** The end of a log: how many entries, and the hash of the last (null for an empty log). */
export interface Head {
  size: number;
  hash: string | null;
}
