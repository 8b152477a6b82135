/**
 * Event histories that the plan itself kept as objects, found without Temporal: by the digests that the audit log names, and
 * by those that were noted beside the exported histories, for a log that is gone.
 */
import type { History } from '@temporalio/common/lib/proto-utils';
import { z } from 'zod';
import { CorruptLog } from '../../audit/errors';
import { readLines } from '../../audit/forward';
import { runOf } from '../../audit/history';
import { notedObjects, unpackHistory } from '../../audit/history-object';
import { hasFolder, logPaths, segmentsOf } from '../../audit/log-files';
import type { Finding } from '../../audit/report';
import { IntegrityError } from '../../plan/errors';
import type { WorkspaceLayout } from '../../store/layout';
import { ObjectStore } from '../../store/objects';
import { type KeptHistory, keptHistories } from './kept-histories';

export interface AllKept {
  histories: KeptHistory[];
  /** Objects whose bytes are not the ones that were kept. */
  changed: Finding[];
}

interface Named {
  execution: string;
  object: string;
  /** The entry of the log that names it; null where only a note does. */
  seq: number | null;
}

const EVENT = 'history.exported';
/** As much of a line of the log as is read here; whether the line holds is for `history verify` to say. */
const lineShape = z.object({
  body: z.object({
    seq: z.number(),
    event: z.literal(EVENT),
    data: z.object({ execution: z.string(), object: z.string().regex(/^[0-9a-f]{64}$/) }),
  }),
});

/** All histories that the workspace keeps of a plan; of an execution that is kept twice, the object. Errors as `keptHistories`. */
export async function allKept(layout: WorkspaceLayout, plan: string): Promise<AllKept> {
  const objects = new ObjectStore(layout.objects);
  const found = new Map<string, KeptHistory>();
  const changed: Finding[] = [];
  for (const named of await namedObjects(layout, plan)) {
    // One that is gone is no contradiction: its part of the history cannot be had here.
    if (found.has(named.execution) || !(await objects.has(named.object))) continue;
    const read = await readObject(objects, named);
    if ('history' in read) found.set(named.execution, read);
    else changed.push(read);
  }
  const files = await keptHistories(layout, plan);
  return { histories: [...files.filter(({ run }) => !found.has(run)), ...found.values()], changed };
}

async function readObject(objects: ObjectStore, { execution, object, seq }: Named): Promise<KeptHistory | Finding> {
  try {
    const history: History = await unpackHistory(await objects.get(object));
    return { run: runOf(history.events ?? []), history };
  } catch (error) {
    if (!(error instanceof IntegrityError)) throw error;
    return {
      what: `the kept event history of execution ${execution}`,
      seq,
      segment: null,
      offset: null,
      expected: `the object with SHA-256 ${object}`,
      actual: error.message,
    };
  }
}

/** Those of the log first, in its order; then those of the notes that it does not name. */
async function namedObjects(layout: WorkspaceLayout, plan: string): Promise<Named[]> {
  const named = await namedByLog(layout, plan);
  for (const [execution, object] of await notedObjects(layout, plan)) {
    if (!named.some((one) => one.object === object)) named.push({ execution, object, seq: null });
  }
  return named;
}

/** Line by line, in constant memory: a log may have a million entries, and few of them are of this kind. */
async function namedByLog(layout: WorkspaceLayout, plan: string): Promise<Named[]> {
  const named: Named[] = [];
  try {
    const paths = logPaths(layout, plan);
    if (!hasFolder(layout, paths)) return named;
    for await (const { pieces } of readLines(paths.folder, segmentsOf(paths))) {
      for (const { bytes } of pieces) {
        const parsed = bytes.includes(`"${EVENT}"`) ? lineShape.safeParse(jsonOf(bytes)) : null;
        if (parsed?.success) named.push({ ...parsed.data.body.data, seq: parsed.data.body.seq });
      }
    }
  } catch (error) {
    // Told by the level `structure`.
    if (!(error instanceof CorruptLog)) throw error;
  }
  return named;
}

/** Null where it is none: a line that somebody broke is broken elsewhere. */
function jsonOf(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString('utf8'));
  } catch {
    return null;
  }
}
