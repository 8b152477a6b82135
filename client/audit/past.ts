/** A plan's event history, from wherever it can be had: Temporal first, and what was exported where that has forgotten. */
import { defaultDataConverter } from '@temporalio/common';
import {
  type Executions,
  eitherHistory,
  entriesOf,
  executionsUpTo,
  exportedHistory,
  type HistorySource,
  Schedules,
} from '../../audit/history';
import { decodeEvent, payloadReader, type RawEvent, type ReadPayload } from '../../audit/history-events';
import { FACTS_MEMO } from '../../plan/facts';
import { largePayloads } from '../../store/large-payloads';
import type { PlanPast } from '../types';
import { type KeptHistory, newestOf, startOf } from './kept-histories';

export interface Past {
  source: HistorySource;
  read: ReadPayload;
  executions: Executions;
  /** As `HistoryRange`. */
  startsAt: string | null;
  mayEnd: boolean;
  /** Where it came from; for people. */
  origin: string;
}

/**
 * @param temporal null where it cannot be asked
 * @param kept what was exported; it counts where Temporal has no such execution (any more)
 * @returns null where there is no history at all
 */
export async function findPast(temporal: PlanPast | null, kept: readonly KeptHistory[]): Promise<Past | null> {
  const exported = exportedHistory(kept.map(({ history }) => history));
  const asked = temporal?.run ? [temporal.source, exported] : [exported];
  const source = eitherHistory(...asked);
  const run = temporal?.run ?? newestOf(kept)?.run ?? null;
  if (run === null) return null;
  const read = temporal?.read ?? payloadReader({ ...defaultDataConverter, payloadCodecs: [largePayloads] });
  const executions = await executionsUpTo(source, run);
  const earlier = await lostBefore(exported, kept, executions.runs, source);
  const runs = [...earlier.runs, ...executions.runs];
  const missing = earlier.runs.length > 0 ? earlier.missing : executions.missing;
  const startsAt = missing !== null || (await isTakenUp(source, read, runs[0])) ? (runs[0] ?? null) : null;
  const isFromTemporal = Boolean(temporal?.run);
  return {
    source,
    read,
    executions: { runs, missing },
    startsAt,
    mayEnd: !isFromTemporal && !hasEnded(newestOf(kept)),
    origin: isFromTemporal ? 'Temporal' : 'the exported history',
  };
}

/** Where Temporal had lost the plan and it was taken up, its earlier executions lead nowhere on; they may be kept. */
async function lostBefore(
  exported: HistorySource,
  kept: readonly KeptHistory[],
  runs: readonly string[],
  source: HistorySource,
): Promise<Executions> {
  const first = runs[0] === undefined ? null : await source.first(runs[0]);
  const before = Number(String(first?.eventTime?.seconds ?? 0));
  const older = newestOf(kept.filter((one) => !runs.includes(one.run) && startOf(one) < before));
  const continued = first?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId;
  return older && !continued ? executionsUpTo(exported, older.run) : { runs: [], missing: null };
}

/** Whether a plan's first execution says that there was another before it, of which no history is left. */
async function isTakenUp(source: HistorySource, read: ReadPayload, run: string | undefined): Promise<boolean> {
  const raw = run === undefined ? null : await source.first(run);
  if (!raw || run === undefined) return false;
  const events = [await decodeEvent(raw, read, FACTS_MEMO)];
  const [first] = entriesOf({ run, events, there: true }, new Schedules());
  return first?.event === 'plan.created' && first.data.takenUp === true;
}

function hasEnded(newest: KeptHistory | undefined): boolean {
  const last: RawEvent | undefined = newest?.history.events?.at(-1);
  return Boolean(
    last?.workflowExecutionCompletedEventAttributes ??
      last?.workflowExecutionFailedEventAttributes ??
      last?.workflowExecutionTimedOutEventAttributes ??
      last?.workflowExecutionCanceledEventAttributes ??
      last?.workflowExecutionTerminatedEventAttributes,
  );
}
