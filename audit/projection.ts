/**
 * From events of a history to entries of the audit log: a function of the events alone, so that the log can be made
 * again from the history, byte for byte. What only the workflow knows it said itself, as facts; here is no copy of what
 * it does. Changed output for an old history is a break of every log: add, never change.
 */
import { sha256 } from '../plan/digest';
import { IntegrityError } from '../plan/errors';
import { type Actor, BY_WORKFLOW, claimedBy } from '../plan/facts';
import type { JsonObject } from '../plan/types';
import { checkData } from './events';
import type { HistoryEvent, Scheduled } from './history-events';
import { clean } from './masked';
import { callsOf, exportedOf, madeOf, type Told, undoneOf, verifiedOf, writtenOf } from './project-activities';
import { factsShape, inputShape } from './shapes';
import type { ProjectedEntry } from './types';

/** Which rules made the entries. */
export const PROJECTION_VERSION = 1;

/** @returns the schedule that an activity's later event names; undefined where it was not read */
export type FindScheduled = (eventId: number) => Scheduled | undefined;

/** The schedule that an event cannot be projected without; null where it needs none. */
export function needs(event: HistoryEvent): number | null {
  return event.kind === 'completed' || event.kind === 'failed' ? event.scheduled : null;
}

/**
 * The entries that come of one event, in order.
 *
 * @param run id of the execution whose event it is
 * @throws IntegrityError for a fact or an answer that this version does not know: nothing is skipped
 */
export function project(run: string, event: HistoryEvent, scheduled: FindScheduled): ProjectedEntry[] {
  const { eventId, at } = event;
  return told(event, scheduled).map(({ event: name, actor, data }) => {
    const entry = { run, eventId, at, event: name, actor: cleanActor(actor), data: clean(data) as JsonObject };
    const amiss = checkData(name, entry.data);
    if (amiss !== null) throw unreadable(eventId, amiss);
    return entry;
  });
}

function told(event: HistoryEvent, scheduled: FindScheduled): Told[] {
  switch (event.kind) {
    case 'started':
      return [started(event)];
    case 'facts': {
      const parsed = factsShape.safeParse(event.facts);
      if (!parsed.success) throw unreadable(event.eventId, parsed.error.message);
      return parsed.data;
    }
    case 'completed':
    case 'failed':
      return ofActivity(event, scheduled(event.scheduled));
    case 'ended': {
      const actor: Actor = { kind: 'temporal', id: event.identity || 'temporal', auth: 'process' };
      const reason = `its workflow was ${event.how} in Temporal${event.reason ? `: ${event.reason.slice(0, 300)}` : ''}`;
      return [{ event: 'plan.cancelled', actor, data: { run: null, reason } }];
    }
    default:
      return [];
  }
}

function started({ eventId, input, previous }: Extract<HistoryEvent, { kind: 'started' }>): Told {
  if (previous !== null) {
    const data = { previous, state: sha256(JSON.stringify(input ?? null)) };
    return { event: 'plan.continued', actor: BY_WORKFLOW, data };
  }
  const parsed = inputShape.safeParse(input);
  if (!parsed.success) throw unreadable(eventId, parsed.error.message);
  const { plan, lost } = parsed.data;
  const { goal, settings } = plan;
  return {
    event: 'plan.created',
    actor: claimedBy(plan.by),
    data: {
      plan: plan.id,
      name: plan.name.slice(0, 200),
      goal: sha256(goal),
      goalBytes: Buffer.byteLength(goal),
      workspace: plan.workspace,
      provider: settings.provider,
      model: settings.model,
      temperature: settings.temperature,
      planwright: plan.planwrightVersion,
      graphGiven: plan.graph !== null && plan.graph !== undefined,
      takenUp: lost !== null && lost !== undefined,
    },
  };
}

function ofActivity(event: Extract<HistoryEvent, { scheduled: number }>, schedule: Scheduled | undefined): Told[] {
  if (!schedule)
    throw unreadable(event.eventId, `event ${event.scheduled}, which scheduled its activity, is not there`);
  const actor: Actor = { kind: 'worker', id: event.identity, auth: 'process' };
  const answer = event.kind === 'completed' ? event.result : event.detail;
  try {
    switch (schedule.type) {
      case 'generate':
      case 'decompose':
        return callsOf(schedule, answer, actor);
      case 'make':
        return madeOf(schedule, answer, event.kind === 'completed', actor);
      case 'verify':
      case 'verifyAndWrite':
      case 'writeFiles':
        return event.kind === 'completed'
          ? [...verifiedOf(schedule, answer, actor), ...writtenOf(schedule, answer, actor)]
          : [];
      case 'undo':
        return event.kind === 'completed' ? undoneOf(schedule, answer, actor) : [];
      case 'exportHistory':
        return event.kind === 'completed' ? exportedOf(answer, actor) : [];
      default:
        return [];
    }
  } catch (error) {
    throw unreadable(event.eventId, error instanceof Error ? error.message : String(error));
  }
}

const cleanActor = (actor: Actor): Actor => ({ ...actor, id: String(clean(actor.id)).slice(0, 200).toWellFormed() });

function unreadable(eventId: number, why: string): IntegrityError {
  return new IntegrityError(
    `Event ${eventId} of the plan's history cannot be put into the audit log: ${why.slice(0, 500)}`,
    'It may come from a newer version of planwright: use that one.',
  );
}
