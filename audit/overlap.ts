import { BLOCK, type Found } from './backward';
import { EMPTY, headAfter, nextLine } from './chain';
import { LogGap } from './errors';
import type { Entry, Head, ProjectedEntry } from './types';

/** With the log's end, and its last entry. */
export type Overlap = { head: Head; newest: Entry | null } & Outcome;

type Outcome =
  | { unseen: readonly ProjectedEntry[] }
  /** The log holds this entry where the history has another, or none. */
  | { differs: Entry; expected: ProjectedEntry | null };

/**
 * What the log does not hold yet of `from`. What it holds is compared: the whole last event, which may be there in part
 * where a writer was killed, and of those before it what stands in the block that was read anyway.
 *
 * @param backward the log's entries from the last on
 * @param from in order, every event with all its entries
 * @throws LogGap where `from` does not reach back to the log's last event
 */
export async function unseenOf(
  backward: AsyncGenerator<Found>,
  log: string,
  from: readonly ProjectedEntry[],
): Promise<Overlap> {
  let head = EMPTY;
  let last: Entry | null = null;
  const older = async (): Promise<Found | null> => {
    const { value, done } = await backward.next();
    if (done) return null;
    if (last === null) {
      last = value.entry;
      head = headAfter(last);
    }
    // What we say of the log ourselves stands in no history.
    return value.entry.body.run === null ? older() : value;
  };
  try {
    const newest = await older();
    return { ...(await compare(newest, older, log, from)), head, newest: last };
  } finally {
    await backward.return(undefined);
  }
}

async function compare(
  newest: Found | null,
  older: () => Promise<Found | null>,
  log: string,
  from: readonly ProjectedEntry[],
): Promise<Outcome> {
  let found = newest;
  if (!found || from.length === 0) return { unseen: from };

  // The log may go further than these entries, where another writer was faster: then their end stands further back.
  let later: Entry | null = null;
  while (found && !from.some((one) => keyOf(one) === keyOf(found?.entry.body))) {
    if (cannotMeet(found.entry, from)) throw gap(found.entry, from);
    later = found.entry;
    found = await older();
  }
  if (!found && takesUp(from)) return { unseen: from };
  if (!found) throw gap(later, from);

  const event = keyOf(found.entry.body);
  const shared: Entry[] = [];
  let last = found.entry;
  for (; found && keyOf(found.entry.body) === event; found = await older()) shared.push(found.entry);
  const seen = from.findIndex((one) => keyOf(one) === event) + shared.length;
  if (later && seen < from.length) return { differs: later, expected: from[seen] ?? null };

  let index = seen - 1;
  for (const entry of shared) {
    if (!isSame(entry, from[index], log)) return { differs: entry, expected: from[index] ?? null };
    last = entry;
    index -= 1;
  }
  for (; found && index >= 0 && found.distance <= BLOCK; found = await older()) {
    if (!isSame(found.entry, from[index], log)) return { differs: found.entry, expected: from[index] ?? null };
    last = found.entry;
    index -= 1;
  }
  if (!found && index >= 0) return { differs: last, expected: from[index] ?? null };
  return { unseen: from.slice(seen) };
}

/** Temporal had lost the plan, and it was taken up: its new history goes on where the log of the lost one ends. */
function takesUp([first]: readonly ProjectedEntry[]): boolean {
  return first?.event === 'plan.created' && first.eventId === 1 && first.data.takenUp === true;
}

/** Which event an entry is of. */
export function keyOf(of: { run: string | null; eventId: number | null } | undefined): string {
  return of ? `${of.run} ${of.eventId}` : '';
}

/** Whether further back there is certainly nothing of `from`: event numbers rise within a run. */
function cannotMeet({ body }: Entry, from: readonly ProjectedEntry[]): boolean {
  const first = from[0];
  return first !== undefined && body.run === first.run && (body.eventId ?? 0) < first.eventId;
}

/** Whether an entry of the log is what the history gives for its place. */
export function isSame({ body, hash }: Entry, projected: ProjectedEntry | undefined, log: string): boolean {
  if (!projected) return false;
  const head = { size: body.seq, hash: body.seq === 0 ? null : body.prev };
  return nextLine(head, log, projected).entry.hash === hash;
}

function gap(last: Entry | null, from: readonly ProjectedEntry[]): LogGap {
  const [first] = from;
  const ends = last ? `event ${last.body.eventId} of run ${last.body.run}` : 'an event that was not given';
  return new LogGap(
    `The audit log ends with ${ends}, and the entries to add begin with event ${first?.eventId} of run ${first?.run}: between them some may be missing.`,
    'Run `planwright history repair`, which reads the whole history.',
  );
}
