/** How a run takes its tasks up: what of earlier runs still counts, and what has to hold on disk for it. */
import { claimedBy } from '../plan/facts';
import type { RunStartFacts } from '../plan/types';
import type { ApplyRequest } from '../plan/view';
import type { PlanContext } from './context';
import { said } from './facts';
import { recordTasks } from './run-facts';
import type { RunState, TaskInternals } from './state';

/** Errors for which the same answer of the model would fail again. */
export const CONTENT_ERRORS = new Set(['Verification', 'BadAnswer', 'Refused', 'PathRefused']);
const EARLIER_KEPT = 10;

/** Only once the run was let in: a run that is refused leaves every task as it was. */
export function prepareTasks(context: PlanContext, run: RunState, tasks: readonly string[]): void {
  if (run.prepared) return;
  run.prepared = true;
  const { dryRun, replay } = run.request;
  if (dryRun || replay) run.before = {};
  const failed = tasks.filter((id) => ['failed', 'skipped'].includes(context.task(id).status));
  recordTasks(context, 'task.retried', failed, 'run again after it had failed or was skipped');
  for (const id of tasks) {
    const task = context.task(id);
    if (run.before && replay) run.before[id] = { ...task, own: { ...context.internals(id) } };
    else if (run.before) {
      const { status, reason, error, startedAt, completedAt } = task;
      run.before[id] = { status, reason, error, startedAt, completedAt };
    }
    prepare(context, id, run.number, run.request);
  }
  context.changed();
}

/** A task that runs again starts from `pending`; a finished answer of the model is kept where the model was not at fault. */
function prepare(context: PlanContext, id: string, run: number, request: ApplyRequest): void {
  const task = context.task(id);
  const own = context.internals(id);
  const wrong = CONTENT_ERRORS.has(task.error?.type ?? '') && !own.kept;
  const askAgain = task.status === 'completed' || task.status === 'declined' || wrong;
  Object.assign(own, { approved: {}, rejected: {}, requested: [], repairs: 0, conflicts: 0 });
  Object.assign(own, { stuck: undefined, retries: undefined, toolGate: undefined, toolPassed: undefined });
  if (askAgain && !request.replay) askAnew(own);
  if (request.task === id && request.instruct !== undefined) instruct(context, id, request.instruct, request.by);
  Object.assign(task, {
    status: 'pending',
    reason: null,
    error: null,
    startedAt: null,
    completedAt: null,
    run,
    held: null,
  });
}

/** The next generation has another number, so the model is asked and no record is taken. */
export function askAnew(own: TaskInternals, feedback: string[] = []): void {
  own.generation += 1;
  own.feedback = feedback;
  own.kept = false;
}

/** Each instruction adds to those before: together they are the task as it stands now. */
function instruct(context: PlanContext, id: string, instruction: string, by: string): void {
  const task = context.task(id);
  const own = context.internals(id);
  const revisions = task.revisions ?? [];
  task.revisions = [...revisions, { revision: revisions.length + 2, instruction, by, at: context.at() }];
  context.state.view.revision += 1;
  own.instruction = task.revisions.map((one) => one.instruction).join('\n');
  const { revision } = context.state.view;
  const what = { revision, task: said(id), instruction: said(instruction), taskRevision: revisions.length + 2 };
  context.record('plan.replanned', claimedBy(by), what);
  if (own.kept) askAnew(own);
}

/** Keeps the artifact that a new generation replaces, so that the two can be compared. */
export function shelve(context: PlanContext, id: string): void {
  const task = context.task(id);
  const generation = context.internals(id).made?.generation;
  if (generation === undefined || task.files.length === 0) return;
  if (task.earlier?.some((one) => one.generation === generation)) return;
  const files = task.files.map(({ path, sha256, bytes, preSha256, mode }) => ({
    path,
    sha256,
    bytes,
    preSha256,
    mode,
  }));
  task.earlier = [...(task.earlier ?? []), { generation, files }].slice(-EARLIER_KEPT);
}

/** What has to stand at which path for the artifacts that this run takes as they are. */
export interface Bases {
  [path: string]: { task: string; accept: (string | null)[] };
}

/**
 * A kept artifact needs the base that it was made for. A file that an ancestor of this run makes is not there yet and is
 * not looked for. A replay needs what was written, or what stood there before.
 */
export function basesOf(context: PlanContext, run: RunState, tasks: readonly string[]): Bases {
  const bases: Bases = {};
  const { replay } = run.request;
  const made = new Set<string>();
  for (const id of tasks) {
    if (!replay && !context.internals(id).kept) continue;
    for (const file of context.task(id).files) made.add(`${file.path}\0${file.sha256}`);
  }
  for (const id of tasks) {
    // An instruction makes the artifact anew in any case.
    if (!replay && !(context.internals(id).kept && run.request.instruct === undefined)) continue;
    for (const { path, sha256, preSha256, state } of context.task(id).files) {
      if (state === 'declined') continue;
      const bySomebody = preSha256 !== sha256 && made.has(`${path}\0${preSha256}`);
      const known = bases[path];
      if (replay) bases[path] = { task: id, accept: [...(known?.accept ?? []), sha256, preSha256] };
      else if (!bySomebody) bases[path] = { task: id, accept: [preSha256, sha256] };
    }
  }
  return bases;
}

/** @returns the tasks whose artifacts no longer fit what is on disk, with the paths that say so */
export function staleBases(bases: Bases, found: RunStartFacts['bases']): { task: string; path: string }[] {
  return Object.entries(bases).flatMap(([path, { task, accept }]) =>
    accept.includes(found[path] ?? null) ? [] : [{ task, path }],
  );
}
