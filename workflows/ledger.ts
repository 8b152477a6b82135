/**
 * What a plan remembers of its writes, so that they can be taken back: noted before each write, confirmed by its answer,
 * struck out once it is undone. Plain functions over the carried state.
 */
import type { BegunFile, UndoFile, UndoneFile, WriteResult, WriteStep } from '../plan/steps';
import type { PlanState, TaskInternals } from './state';

/** Remembers what a write is about to do; its outcome may never be known. */
export function noteAttempt(state: PlanState, task: string, write: string, files: readonly BegunFile[]): void {
  const own = internals(state, task);
  const order = nextOrder(state);
  for (const { path, sha256, preSha256, mode } of files) {
    if (sha256 === preSha256) continue;
    const step: WriteStep = { task, order, sha256, preSha256, mode, backup: null, unconfirmed: write };
    keep(own, path, [step, ...stepsOf(own, path)]);
  }
}

/** The outcome of a write is known after all: what it wrote is added with `noteWritten`. */
export function forgetAttempt(state: PlanState, task: string, write: string): void {
  const own = internals(state, task);
  for (const [path, steps] of Object.entries(own.steps ?? {})) {
    keep(
      own,
      path,
      steps.filter(({ unconfirmed }) => unconfirmed !== write),
    );
  }
}

/**
 * Remembers what is on disk, even where the rest met a conflict: our own output must never become "the original".
 * A write on top of an earlier one of the same task becomes one with it.
 */
export function noteWritten(state: PlanState, task: string, result: WriteResult): void {
  const own = internals(state, task);
  const order = nextOrder(state);
  for (const { path, sha256, preSha256, mode, action, backup } of result.files) {
    if (action === 'unchanged') continue;
    const before = stepsOf(own, path);
    const [newest, ...older] = before;
    const first = !Object.hasOwn(own.backups, path);
    const onTop = newest && newest.unconfirmed === undefined && newest.sha256 === preSha256;
    const step: WriteStep = onTop
      ? { ...newest, sha256, mode }
      : { task, order, sha256, preSha256, mode, backup: first ? backup : null };
    keep(own, path, onTop ? [step, ...older] : [step, ...before]);
    if (first) own.backups[path] = backup;
  }
  own.madeDirectories = [...new Set([...own.madeDirectories, ...(result.madeDirectories ?? [])])];
}

/** Everything that the plan wrote and has not taken back, by path. */
export function writtenFiles(state: PlanState): UndoFile[] {
  const byPath = new Map<string, WriteStep[]>();
  for (const { steps = {} } of Object.values(state.internals)) {
    for (const [path, own] of Object.entries(steps)) byPath.set(path, [...(byPath.get(path) ?? []), ...own]);
  }
  return [...byPath].map(([path, steps]) => ({ path, steps: steps.sort((a, b) => b.order - a.order) }));
}

export function madeDirectories(state: PlanState): string[] {
  return [...new Set(Object.values(state.internals).flatMap((own) => own.madeDirectories))];
}

/** True where a rollback or a clean has something to look at. */
export function hasWritten(state: PlanState): boolean {
  return Object.values(state.internals).some(
    ({ steps = {}, madeDirectories: made }) => Object.keys(steps).length > 0 || made.length > 0,
  );
}

/**
 * Strikes out what was undone, and lets the view say so.
 * @returns ids of the tasks that had written something and have taken back all of it
 */
export function strikeOut(state: PlanState, undone: readonly UndoneFile[]): string[] {
  const struck = new Set<string>();
  const files = new Map(writtenFiles(state).map(({ path, steps }) => [path, steps]));
  for (const { path, undone: count } of undone) {
    const gone = new Set((files.get(path) ?? []).slice(0, count));
    for (const { task } of gone) {
      const own = internals(state, task);
      const rest = stepsOf(own, path).filter((step) => !gone.has(step));
      keep(own, path, rest);
      if (rest.length > 0) continue;
      delete own.backups[path];
      struck.add(task);
      for (const file of state.view.tasks[task]?.files ?? []) {
        if (file.path === path && file.state === 'written') Object.assign(file, { state: 'proposed', backup: null });
      }
    }
  }
  return [...struck].filter((task) => Object.keys(internals(state, task).steps ?? {}).length === 0);
}

const stepsOf = (own: TaskInternals, path: string): WriteStep[] =>
  own.steps && Object.hasOwn(own.steps, path) ? (own.steps[path] ?? []) : [];

function keep(own: TaskInternals, path: string, steps: WriteStep[]): void {
  own.steps ??= {};
  if (steps.length > 0) own.steps[path] = steps;
  else delete own.steps[path];
}

function internals(state: PlanState, task: string): TaskInternals {
  const own = state.internals[task];
  if (!own) throw new Error(`no task ${task}`);
  return own;
}

function nextOrder(state: PlanState): number {
  state.writes = (state.writes ?? 0) + 1;
  return state.writes;
}
