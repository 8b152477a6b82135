/**
 * Events of a Temporal history, decoded: what the projection looks at, and nothing else. Raw events carry their
 * payloads as the codecs left them, so each is run through the data converter here.
 */
import type { LoadedDataConverter, SerializationContext } from '@temporalio/common';
import type { History, Payload } from '@temporalio/common/lib/proto-utils';

export type RawEvent = NonNullable<History['events']>[number];

type Failure = NonNullable<NonNullable<RawEvent['workflowExecutionFailedEventAttributes']>['failure']>;

interface Base {
  /** Unique within one execution. */
  eventId: number;
  /** ISO 8601 with milliseconds. */
  at: string;
}

/** An activity's schedule: the later events of that activity name it by its event id. */
export interface Scheduled extends Base {
  kind: 'scheduled';
  /** The activity's id, as the workflow named the step. */
  id: string;
  type: string;
  request: unknown;
}

export type HistoryEvent =
  | Scheduled
  /** The execution's first event; `previous` is the run that continued as this one. */
  | (Base & { kind: 'started'; input: unknown; previous: string | null })
  | (Base & { kind: 'facts'; facts: unknown })
  | (Base & { kind: 'completed'; scheduled: number; identity: string; result: unknown })
  /** `detail`: the first of the failure's details. */
  | (Base & { kind: 'failed'; scheduled: number; identity: string; detail: unknown })
  | (Base & { kind: 'ended'; how: 'terminated' | 'failed' | 'timed out'; reason: string; identity: string })
  | (Base & { kind: 'other' });

/** Decodes one payload; undefined where there is none. */
export type ReadPayload = (payload: Payload | null | undefined) => Promise<unknown>;

/**
 * Reads payloads as the client's data converter does: codecs first, the last one first.
 * @param context whose payloads they must be; a payload of another plan is refused then, where payloads are encrypted
 */
export function payloadReader(
  { payloadConverter, payloadCodecs }: LoadedDataConverter,
  context?: SerializationContext,
): ReadPayload {
  return async (payload) => {
    if (!payload) return undefined;
    let payloads = [payload];
    for (const codec of [...payloadCodecs].reverse()) payloads = await codec.decode(payloads, context);
    return payloads[0] ? payloadConverter.fromPayload(payloads[0]) : undefined;
  };
}

/** @param factsKey memo key that carries the facts */
export async function decodeEvent(raw: RawEvent, read: ReadPayload, factsKey: string): Promise<HistoryEvent> {
  const base: Base = { eventId: Number(raw.eventId), at: timeOf(raw) };
  const started = raw.workflowExecutionStartedEventAttributes;
  if (started) {
    const input = await read(started.input?.payloads?.[0]);
    return { ...base, kind: 'started', input, previous: started.continuedExecutionRunId || null };
  }
  const facts = raw.workflowPropertiesModifiedEventAttributes?.upsertedMemo?.fields?.[factsKey];
  if (facts) return { ...base, kind: 'facts', facts: await read(facts) };
  return (await decodeActivity(raw, base, read)) ?? decodeEnd(raw, base, read);
}

async function decodeActivity(raw: RawEvent, base: Base, read: ReadPayload): Promise<HistoryEvent | null> {
  const scheduled = raw.activityTaskScheduledEventAttributes;
  if (scheduled) {
    const request = await read(scheduled.input?.payloads?.[0]);
    const type = scheduled.activityType?.name ?? '';
    return { ...base, kind: 'scheduled', id: scheduled.activityId ?? '', type, request };
  }
  const completed = raw.activityTaskCompletedEventAttributes;
  if (completed) {
    const result = await read(completed.result?.payloads?.[0]);
    return { ...base, kind: 'completed', ...ofActivity(completed), result };
  }
  const failed = raw.activityTaskFailedEventAttributes;
  if (failed) {
    const detail = await read(failed.failure?.applicationFailureInfo?.details?.payloads?.[0]);
    return { ...base, kind: 'failed', ...ofActivity(failed), detail };
  }
  const canceled = raw.activityTaskCanceledEventAttributes;
  if (!canceled) return null;
  return { ...base, kind: 'failed', ...ofActivity(canceled), detail: await read(canceled.details?.payloads?.[0]) };
}

/** Of a failure; where payloads are encrypted its message stands in one. */
async function messageOf(failure: Failure | null | undefined, read: ReadPayload): Promise<string> {
  const encoded = await read(failure?.encodedAttributes);
  if (typeof encoded === 'object' && encoded !== null && 'message' in encoded) return String(encoded.message);
  return failure?.message ?? '';
}

async function decodeEnd(raw: RawEvent, base: Base, read: ReadPayload): Promise<HistoryEvent> {
  const { workflowExecutionTerminatedEventAttributes: terminated, workflowExecutionFailedEventAttributes: failed } =
    raw;
  if (terminated) {
    const { reason, identity } = terminated;
    return { ...base, kind: 'ended', how: 'terminated', reason: reason ?? '', identity: identity ?? '' };
  }
  if (failed)
    return { ...base, kind: 'ended', how: 'failed', reason: await messageOf(failed.failure, read), identity: '' };
  if (raw.workflowExecutionTimedOutEventAttributes) {
    return { ...base, kind: 'ended', how: 'timed out', reason: '', identity: '' };
  }
  return { ...base, kind: 'other' };
}

interface OfActivity {
  scheduledEventId?: { toString(): string } | null;
  identity?: string | null;
}

const ofActivity = ({ scheduledEventId, identity }: OfActivity): { scheduled: number; identity: string } => ({
  scheduled: Number(String(scheduledEventId ?? 0)),
  identity: identity ?? '',
});

function timeOf({ eventTime }: RawEvent): string {
  const seconds = Number(String(eventTime?.seconds ?? 0));
  return new Date(seconds * 1000 + Math.floor((eventTime?.nanos ?? 0) / 1_000_000)).toISOString();
}
