/** Reads a log for people and programs: strictly, so that nothing is shown that does not hold. */
import type { LogId } from '../../audit/append';
import type { PlacedFault } from '../../audit/errors';
import { checkData } from '../../audit/events';
import { readLines } from '../../audit/forward';
import { checkLocalData } from '../../audit/local';
import { hasFolder, logPaths, segmentsOf } from '../../audit/log-files';
import { Structure } from '../../audit/structure';
import type { Entry, Head } from '../../audit/types';
import type { JsonObject } from '../../plan/types';
import type { WorkspaceLayout } from '../../store/layout';

export interface ReadLog {
  log: string;
  /** False: there is no log. */
  isThere: boolean;
  head: Head;
  entries: Entry[];
  /** What ended the reading before the end; null where all of it holds in itself. */
  fault: PlacedFault | null;
}

/** @throws CorruptLog where something else than files stands there */
export async function readLog(layout: WorkspaceLayout, { plan, log }: LogId): Promise<ReadLog> {
  const paths = logPaths(layout, plan);
  const structure = new Structure(log, (event, data) => checkLocalData(event, data) ?? checkData(event, data));
  const entries: Entry[] = [];
  const segments = hasFolder(layout, paths) ? segmentsOf(paths) : [];
  for await (const batch of readLines(paths.folder, segments)) {
    for (const piece of batch.pieces) {
      const entry = structure.take(batch, piece);
      if (entry) entries.push(entry);
    }
    if (structure.fault) break;
  }
  return { log, isThere: segments.length > 0, head: structure.head, entries, fault: structure.fault };
}

/** Which entries are wanted; a condition that is not given holds for all. */
export interface Filter {
  /** Ids of tasks. */
  tasks?: readonly string[];
  /** Names, or their beginnings that end with a dot: `gate.` is every event of gates. */
  events?: readonly string[];
  /** A part of the actor's id, or its kind. */
  actor?: string;
  /** Milliseconds since the epoch; both included. */
  since?: number;
  until?: number;
}

export function matches({ body: { at, event, actor, data } }: Entry, filter: Filter): boolean {
  const { tasks, events, actor: who, since, until } = filter;
  const time = Date.parse(at);
  if (since !== undefined && time < since) return false;
  if (until !== undefined && time > until) return false;
  if (who !== undefined && actor.kind !== who && !actor.id.includes(who)) return false;
  if (events && !events.some((one) => event === one || (one.endsWith('.') && event.startsWith(one)))) return false;
  return !tasks || tasksOf(data).some((task) => tasks.includes(task));
}

/** Tasks that an entry tells of: most name one, those of a cascade or a run several. */
export function tasksOf({ task, tasks }: JsonObject): string[] {
  const many = Array.isArray(tasks) ? tasks : [];
  return [task, ...many].flatMap((one) => {
    if (typeof one === 'string') return [one];
    const id = typeof one === 'object' && one !== null && !Array.isArray(one) ? (one.id ?? one.task) : null;
    return typeof id === 'string' ? [id] : [];
  });
}
