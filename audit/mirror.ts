/**
 * The mirror: what the audit log of a plan does not hold yet is read from the end of its history, projected and
 * appended. Sending the same twice changes nothing, so it may run whenever it likes.
 */
import type { WorkspaceLayout } from '../store/layout';
import { type AppendOptions, appendEntries, lastMirrored } from './append';
import { MirrorFailed } from './errors-mirror';
import { entriesOf, type HistorySource, readStretch, Schedules, type Stretch } from './history';
import type { ReadPayload } from './history-events';
import type { Head, ProjectedEntry } from './types';

/** Schedules that a plan's reading position remembers. */
const KEPT_SCHEDULES = 2_000;

/** What one process remembers of a plan between two readings: only to read less. */
export interface Position {
  run: string;
  schedules: Schedules;
}

export interface MirrorJob {
  layout: WorkspaceLayout;
  plan: string;
  /** `planwright/<namespace>/<plan>`. */
  log: string;
  source: HistorySource;
  read: ReadPayload;
  /** The execution whose history is the newest. */
  run: string;
  /** Ids of activities of that execution whose schedules must be among what is mirrored. */
  activities?: readonly string[];
  position?: Position | null;
  append?: AppendOptions;
}

export interface Mirrored {
  head: Head;
  /** Entries that were projected, oldest first; those that the log had already may be among them. */
  entries: ProjectedEntry[];
  /** How many of them are new in the log. */
  appended: number;
  /** Events that were looked at. */
  events: number;
  position: Position;
}

/** The name of a plan's log, which every entry of it bears. */
export const logName = (namespace: string, plan: string): string => `planwright/${namespace}/${plan}`;

/**
 * Brings the log up to the newest event.
 *
 * @throws MirrorFailed where the history does not reach back to the log's end, or does not show an activity yet
 * @throws IntegrityError as `project`, and as `appendEntries` and `lastMirrored` do
 */
export async function mirrorHistory(job: MirrorJob): Promise<Mirrored> {
  const { layout, plan, log, run, activities = [] } = job;
  const last = await lastMirrored(layout, plan);
  const position: Position = job.position?.run === run ? job.position : { run, schedules: new Schedules() };
  const stretches: { stretch: Stretch; schedules: Schedules }[] = [];
  for (let at: string | null = run; at; ) {
    const schedules: Schedules = at === run ? position.schedules : new Schedules();
    const from: number | null = last?.run === at ? last.eventId : null;
    const wanted = at === run ? activities : [];
    const stretch: Stretch = await readStretch(job.source, job.read, at, from, schedules, wanted);
    if (!stretch.there) throw gone(plan, at);
    stretches.unshift({ stretch, schedules });
    at = from === null ? previousOf(stretch) : null;
  }
  const unseen = activities.find((id) => !position.schedules.knows(id));
  if (unseen !== undefined)
    throw new MirrorFailed(`The history of ${plan} does not show yet that ${unseen} was begun.`);
  const entries = stretches.flatMap(({ stretch, schedules }) => entriesOf(stretch, schedules));
  const { appended, ...head } = await appendEntries(layout, { plan, log }, entries, job.append);
  position.schedules.keepNewest(KEPT_SCHEDULES);
  const events = stretches.reduce((sum, { stretch }) => sum + stretch.events.length, 0);
  return { head, entries, appended, events, position };
}

function previousOf({ events }: Stretch): string | null {
  const first = events[0];
  return first?.kind === 'started' ? first.previous : null;
}

function gone(plan: string, run: string): MirrorFailed {
  return new MirrorFailed(
    `Temporal has forgotten execution ${run} of ${plan}, and the audit log does not hold all of it.`,
    'Repair the log from an exported history: planwright history repair.',
  );
}
