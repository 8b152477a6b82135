/** Verifies a plan's log against all evidence that can be had from here. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { LogId } from '../../audit/append';
import { checkData } from '../../audit/events';
import { allEntries } from '../../audit/history';
import { broken, type Finding, type Level, missing, type Report, together } from '../../audit/report';
import { type Evidence, verifyLog } from '../../audit/verify';
import { PlanwrightError } from '../../plan/errors';
import type { PlanView } from '../../plan/view';
import type { WorkspaceLayout } from '../../store/layout';
import type { PlanClient, PlanPast } from '../types';
import type { KeptHistory } from './kept-histories';
import { findPast, type Past } from './past';

export const LEVELS = ['structure', 'head', 'history', 'files'] as const;
export type LevelName = (typeof LEVELS)[number];

export interface VerifyOptions {
  /** To look at. */
  levels: readonly LevelName[];
  kept: readonly KeptHistory[];
  /** Exported histories that are not what was exported. */
  changed: readonly Finding[];
  /** The clock, milliseconds since the epoch. */
  now(): number;
}

interface Place {
  layout: WorkspaceLayout;
  state: string;
  id: LogId;
  client: PlanClient;
}

export interface Verified extends Report {
  plan: string;
  /** Levels that were looked at and are broken. */
  broken: LevelName[];
  /** Levels that were looked at, and whose evidence cannot be had. */
  unavailable: LevelName[];
}

/** The mirror writes within a second. What is younger than this may not be in the log yet. */
const YOUNG_MS = 10_000;
/** Between two looks at a plan that goes on: what one look read first may be older than what it read last. */
const AGAIN_MS = 400;
const LOOKS = 4;

/** Errors of the connection and of the system are thrown; what is wrong with the log is told. */
export async function verifyPlan(place: Place, options: VerifyOptions): Promise<Verified> {
  for (let look = 1; ; look++) {
    const { verified, isOpen } = await verifyOnce(place, options);
    const isSettled = verified.broken.every((level) => level === 'structure' || level === 'files');
    if (isSettled || !isOpen || look === LOOKS) return verified;
    await sleep(AGAIN_MS);
  }
}

async function verifyOnce(
  { layout, state, id, client }: Place,
  { levels, kept, changed, now }: VerifyOptions,
): Promise<{ verified: Verified; isOpen: boolean }> {
  const asks = (level: LevelName): boolean => levels.includes(level);
  const asksTemporal = asks('history') || asks('head');
  // In this order: whatever others know of the log was known before it is read.
  const temporal = asksTemporal ? await client.past(id.plan) : null;
  const view = asksTemporal ? await viewOf(client, id.plan) : null;
  const past = asks('history') ? await findPast(temporal, kept) : null;
  const evidence: Evidence = {
    state: asks('head') ? state : null,
    workflowHead: (asks('head') && view?.audit) || null,
    history: past && allEntries(past.source, past.read, past.executions),
    ...(past ? { historyRange: rangeOf(past, view, now()) } : {}),
    files: asks('files'),
    checkData,
  };
  const report = await verifyLog(layout, id, evidence);
  const looked = (level: LevelName): Level => {
    if (level !== 'structure' && !asks(level)) return missing('It was not asked for.');
    const one = report.levels[level];
    if (level !== 'history') return one;
    const compared = past ? { ...one, notes: [...one.notes, `from ${past.origin}`] } : noPast(temporal);
    return together([compared, ...changed.map((finding) => broken(finding))]);
  };
  const found: Record<LevelName, Level> = {
    structure: looked('structure'),
    head: looked('head'),
    history: looked('history'),
    files: looked('files'),
  };
  const inState = (state: Level['state']): LevelName[] => LEVELS.filter((level) => found[level].state === state);
  return {
    verified: {
      ...report,
      plan: id.plan,
      levels: found,
      broken: inState('broken'),
      unavailable: inState('not to be had').filter(asks),
    },
    isOpen: temporal?.isOpen ?? false,
  };
}

function rangeOf({ startsAt, mayEnd }: Past, view: PlanView | null, now: number): Evidence['historyRange'] {
  const young = new Date(now - YOUNG_MS).toISOString();
  // A plan that cannot write its log waits, and says so: what it could not write yet is no break.
  const blocked = view?.blocked?.since;
  return { startsAt, mayEnd, mayLead: { since: blocked && blocked < young ? blocked : young } };
}

/** What is known of the plan; null where nobody and nothing tells. */
async function viewOf(client: PlanClient, plan: string): Promise<PlanView | null> {
  try {
    return (await client.show(plan)).view;
  } catch (error) {
    if (error instanceof PlanwrightError) return null;
    throw error;
  }
}

function noPast(temporal: PlanPast | null): Level {
  return missing(
    temporal === null
      ? 'Temporal cannot be asked, and no history was exported.'
      : 'Temporal does not know the plan (any more), and no history was exported.',
  );
}
