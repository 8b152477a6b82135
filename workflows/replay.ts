/** A replay asks again what was asked, compares what comes with the record, and writes over what the record wrote. */
import type { GenerateResult } from '../plan/types';
import type { Difference, FileView, RunView } from '../plan/view';
import type { PlanContext } from './context';
import type { Made, RunState, TaskInternals } from './state';

/** The question as it is on record: the same workspace, overlay and words; only the settings are those of the run. */
export function againAsRecorded(own: TaskInternals, now: Made): Made {
  const { made } = own;
  return made ? { ...made, at: now.at, generation: now.generation, settings: now.settings } : now;
}

/** Notes the files whose bytes are not the recorded ones, and a model that names itself otherwise. */
export function compareWithRecord(context: PlanContext, view: RunView, id: string, result: GenerateResult): void {
  const task = context.task(id);
  const recorded = new Map(task.files.map(({ path, sha256 }) => [path, sha256]));
  const now = new Map(result.files.map(({ path, sha256 }) => [path, sha256]));
  const found: Difference[] = [...new Set([...recorded.keys(), ...now.keys()])]
    .filter((path) => recorded.get(path) !== now.get(path))
    .map((path) => ({ task: id, path, recorded: recorded.get(path) ?? null, now: now.get(path) ?? null }));
  if (found.length > 0) view.differences = [...(view.differences ?? []), ...found];
  const expected = task.modelReturned ?? 'none';
  const matches = expected === result.modelReturned;
  const what = 'model as returned';
  const line = { what, expected, actual: result.modelReturned, matches };
  const known = view.comparison?.some(
    (one) => one.what === what && one.expected === expected && one.actual === line.actual,
  );
  if (!known) view.comparison = [...(view.comparison ?? []), line];
}

/**
 * What a replay writes replaces what stands there now, which is what the record wrote or its base. A file that a person
 * declined stays out.
 */
export function onRecordedBases(context: PlanContext, run: RunState, id: string): void {
  const before = recordedFiles(run, id);
  const declined = new Set(before.filter(({ state }) => state === 'declined').map(({ path }) => path));
  const known = new Set(before.map(({ path }) => path));
  const files = context.task(id).files.filter(({ path }) => !declined.has(path));
  context.update(id, {
    files: files.map((file): FileView => {
      const preSha256 = known.has(file.path) ? (run.bases?.[file.path] ?? null) : file.preSha256;
      return { ...file, preSha256, state: 'proposed', backup: null };
    }),
  });
}

/** Bytes that are on record keep the base of the record: it is what a rollback and a diff go by. */
export function keepRecordedBases(context: PlanContext, run: RunState, id: string): void {
  const before = new Map(recordedFiles(run, id).map((file) => [file.path, file]));
  const files = context.task(id).files.map((file): FileView => {
    const record = before.get(file.path);
    if (record?.sha256 !== file.sha256 || record.state !== 'written') return file;
    const { action, preSha256, digest, diffStat, backup } = record;
    return { ...file, action, preSha256, digest, diffStat, backup };
  });
  const now = new Set(files.map(({ path }) => path));
  const declined = [...before.values()].filter(({ state, path }) => state === 'declined' && !now.has(path));
  context.update(id, { files: [...files, ...declined] });
}

const recordedFiles = (run: RunState, id: string): FileView[] => run.before?.[id]?.files ?? [];
