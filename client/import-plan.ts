/** What an export has to agree with here before a plan begins with it: the files that its artifacts were made for. */
import { RefusedError } from '../plan/errors';
import type { Base, CarriedPlan } from '../plan/export';
import type { UnpackedExport } from '../store/export-file';
import type { WorkspaceLayout } from '../store/layout';
import { ObjectStore } from '../store/objects';
import { type Standing, standingAt } from '../store/standing';
import { carriedBases } from './export-plan';

export interface Changed extends Base {
  /** What stands there now: SHA-256 (hex), null for nothing, "unsafe" for what is no plain file. */
  found: string | null;
}

export interface Prepared {
  /** The plan as it begins here. */
  plan: CarriedPlan;
  /** Bases that are others here; with `refresh`, their artifacts were left out of `plan`. */
  changed: Changed[];
}

/**
 * Compares every base with the disk and stores what the plan stands on: the artifacts, and the bases as they are here.
 *
 * @param refresh leave out the artifacts whose base is another one: they are generated anew
 * @throws RefusedError where a base is another one, listing them; nothing is stored then
 */
export async function prepareImport(
  layout: WorkspaceLayout,
  { plan, objects }: UnpackedExport,
  refresh: boolean,
): Promise<Prepared> {
  const standing = new Map<string, Standing>();
  const bases = carriedBases(plan);
  for (const { path } of bases) standing.set(path, await standingAt(layout.root, path));
  const changed = bases.flatMap((one): Changed[] => {
    const found = digestOf(standing.get(one.path) ?? null);
    return found === one.base || found === one.made ? [] : [{ ...one, found }];
  });
  if (changed.length > 0 && !refresh) throw new RefusedError(...changedText(plan, changed));
  const store = new ObjectStore(layout.objects);
  for (const content of objects.values()) await store.put(content);
  const used = new Set(bases.flatMap(({ base }) => base ?? []));
  for (const found of standing.values()) {
    if (found !== null && found !== 'unsafe' && used.has(found.sha256)) await store.put(found.content);
  }
  const stale = new Set(changed.map(({ task }) => task));
  const tasks = plan.tasks.map((task) => {
    if (!task.artifact || stale.has(task.id)) return { ...task, artifact: null };
    // What is there already is its own base: nothing is to be written then.
    const files = task.artifact.files.map((file) =>
      digestOf(standing.get(file.path) ?? null) === file.sha256 ? { ...file, preSha256: file.sha256 } : file,
    );
    return { ...task, artifact: { ...task.artifact, files } };
  });
  return { plan: { ...plan, tasks }, changed };
}

const digestOf = (found: Standing): string | null => (found === null || found === 'unsafe' ? found : found.sha256);

const shown = (digest: string | null): string =>
  digest === null ? 'nothing' : digest === 'unsafe' ? 'no plain file' : digest.slice(0, 12);

/** The changed bases as lines. Paths have passed the path rules, so they can be shown. */
export const changedLines = (changed: readonly Changed[]): string[] =>
  changed.map(({ path, base, found }) => `  ${path}: made for ${shown(base)}, here is ${shown(found)}`);

function changedText({ id }: CarriedPlan, changed: readonly Changed[]): [message: string, advice: string] {
  return [
    `The export of ${id} was made for other files than those that are here:\n${changedLines(changed).join('\n')}`,
    'Put them back (check out the commit that it was made on), or import with --refresh: their artifacts are then generated anew.',
  ];
}
