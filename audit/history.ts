/**
 * The event history of a plan as a source of entries: from Temporal, or from exported files. A plan has several
 * executions, each continuing the one before it; an `eventId` means something within one only.
 */
import { type Client, isGrpcServiceError } from '@temporalio/client';
import type { History } from '@temporalio/common/lib/proto-utils';
import { FACTS_MEMO } from '../plan/facts';
import { decodeEvent, type HistoryEvent, type RawEvent, type ReadPayload, type Scheduled } from './history-events';
import { needs, project } from './projection';
import type { ProjectedEntry } from './types';

/** Where the events of executions come from. Both return null for an execution that is not there. */
export interface HistorySource {
  /** Events of an execution, newest first, in pages: Temporal can be read from the end, but not from the middle. */
  backwards(run: string): AsyncGenerator<RawEvent[], boolean>;
  /** Its first event. */
  first(run: string): Promise<RawEvent | null>;
}

/** Most often a writer needs no more than what came since the last write. */
const FIRST_PAGE = 12;
/** Above 256 the server warns. */
const NEXT_PAGES = 250;
/** gRPC's NOT_FOUND and INVALID_ARGUMENT: no such execution (any more). */
const NOT_THERE = [5, 3];

/** Reads from Temporal. Errors of the connection are thrown as they come. */
export function temporalHistory(client: Client, workflowId: string): HistorySource {
  const { namespace } = client.options;
  const service = client.workflowService;
  return {
    async *backwards(run) {
      let nextPageToken: Uint8Array | null | undefined;
      for (let page = 0; page === 0 || (nextPageToken && nextPageToken.length > 0); page++) {
        const asked = {
          namespace,
          execution: { workflowId, runId: run },
          // Counted in batches of events, of which a workflow task makes two or three.
          maximumPageSize: page === 0 ? FIRST_PAGE : NEXT_PAGES,
          nextPageToken,
        };
        const answer = await orNull(() => service.getWorkflowExecutionHistoryReverse(asked));
        if (answer === null) return false;
        nextPageToken = answer.nextPageToken;
        yield answer.history?.events ?? [];
      }
      return true;
    },
    async first(run) {
      const asked = { namespace, execution: { workflowId, runId: run }, maximumPageSize: 1 };
      const answer = await orNull(() => service.getWorkflowExecutionHistory(asked));
      return answer?.history?.events?.[0] ?? null;
    },
  };
}

async function orNull<T>(ask: () => Promise<T>): Promise<T | null> {
  try {
    return await ask();
  } catch (error) {
    if (isGrpcServiceError(error) && NOT_THERE.includes(error.code)) return null;
    throw error;
  }
}

/** Reads from exported histories (`historyFromJSON` of `@temporalio/common/lib/proto-utils` makes them from text). */
export function exportedHistory(histories: readonly History[]): HistorySource {
  const byRun = new Map(histories.map(({ events }) => [runOf(events ?? []), events ?? []]));
  return {
    async *backwards(run) {
      const events = byRun.get(run);
      if (!events) return false;
      yield [...events].reverse();
      return true;
    },
    async first(run) {
      return byRun.get(run)?.[0] ?? null;
    },
  };
}

/** An execution's own id, as its first event names it. */
export function runOf(events: readonly RawEvent[]): string {
  return events[0]?.workflowExecutionStartedEventAttributes?.originalExecutionRunId ?? '';
}

/** Takes each execution from the first source that has it. */
export function eitherHistory(...sources: HistorySource[]): HistorySource {
  return {
    async *backwards(run) {
      for (const source of sources) if (yield* source.backwards(run)) return true;
      return false;
    },
    async first(run) {
      for (const source of sources) {
        const event = await source.first(run);
        if (event) return event;
      }
      return null;
    },
  };
}

/** A plan's executions up to this one. */
export interface Executions {
  /** Run ids, oldest first. */
  runs: string[];
  /** The execution before them that no source has (any more); null where the first is the plan's first. */
  missing: string | null;
}

export async function executionsUpTo(source: HistorySource, run: string): Promise<Executions> {
  const runs: string[] = [];
  for (let at: string | null = run; at; ) {
    const first: RawEvent | null = await source.first(at);
    if (!first) return { runs, missing: at };
    runs.unshift(at);
    at = first.workflowExecutionStartedEventAttributes?.continuedExecutionRunId || null;
  }
  return { runs, missing: null };
}

/** What was read of one execution: a stretch up to its newest event. */
export interface Stretch {
  run: string;
  /** Oldest first. */
  events: HistoryEvent[];
  /** False: the source does not have the execution. */
  there: boolean;
}

/** The schedules of one execution that were read so far, by event id and by the activity's id. */
export class Schedules {
  private readonly byEvent = new Map<number, Scheduled>();
  private readonly byActivity = new Map<string, number>();

  add(scheduled: Scheduled): void {
    this.byEvent.set(scheduled.eventId, scheduled);
    this.byActivity.set(scheduled.id, scheduled.eventId);
  }

  get(eventId: number): Scheduled | undefined {
    return this.byEvent.get(eventId);
  }

  knows(activity: string): boolean {
    return this.byActivity.has(activity);
  }

  /** Forgets all but the newest; what is needed again is read again. */
  keepNewest(most: number): void {
    const ids = [...this.byEvent.keys()].sort((a, b) => b - a);
    for (const eventId of ids.slice(most)) {
      this.byActivity.delete(this.byEvent.get(eventId)?.id ?? '');
      this.byEvent.delete(eventId);
    }
  }
}

/**
 * Reads an execution from its end back to an event, and further back only for what the events in between refer to.
 *
 * @param from the first event to give, or null for all
 * @param schedules those that are known already; what is read is added
 * @param activities ids of activities whose schedules must be read, too
 */
export async function readStretch(
  source: HistorySource,
  read: ReadPayload,
  run: string,
  from: number | null,
  schedules: Schedules = new Schedules(),
  activities: readonly string[] = [],
): Promise<Stretch> {
  const newestFirst: HistoryEvent[] = [];
  const missing = new Set<number>();
  const wanted = new Set(activities.filter((id) => !schedules.knows(id)));
  const pages = source.backwards(run);
  for (;;) {
    const page = await pages.next();
    if (page.done) return { run, events: newestFirst.reverse(), there: page.value };
    let oldest = Number.POSITIVE_INFINITY;
    for (const raw of page.value) {
      oldest = Number(raw.eventId);
      const inside = from === null || oldest >= from;
      const own = wanted.delete(raw.activityTaskScheduledEventAttributes?.activityId ?? '');
      if (!inside && !own && !missing.has(oldest)) continue;
      const event = await decodeEvent(raw, read, FACTS_MEMO);
      if (event.kind === 'scheduled') schedules.add(event);
      missing.delete(oldest);
      if (!inside) continue;
      newestFirst.push(event);
      const needed = needs(event);
      if (needed !== null && !schedules.get(needed)) missing.add(needed);
    }
    if (from !== null && oldest <= from && missing.size === 0 && wanted.size === 0) break;
  }
  await pages.return(true);
  return { run, events: newestFirst.reverse(), there: true };
}

/** The entries of a stretch, in order. Throws as `project` does. */
export function entriesOf({ run, events }: Stretch, schedules: Schedules): ProjectedEntry[] {
  return events.flatMap((event) => project(run, event, (id) => schedules.get(id)));
}

/**
 * All entries of a plan's history, oldest first: what its audit log must hold, byte for byte.
 *
 * @param executions as `executionsUpTo` gives them
 */
export async function* allEntries(
  source: HistorySource,
  read: ReadPayload,
  { runs }: Executions,
): AsyncGenerator<ProjectedEntry> {
  for (const run of runs) {
    const schedules = new Schedules();
    yield* entriesOf(await readStretch(source, read, run, null, schedules), schedules);
  }
}
