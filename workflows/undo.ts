/** Rollback and clean, as the main loop carries them out: what was written is taken back, and the plan says what is left. */
import { BY_WORKFLOW, claimedBy } from '../plan/facts';
import type { UndoKind, UndoneFile } from '../plan/steps';
import type { PlanView, UndoAnswer, UndoMessage, UndoView } from '../plan/view';
import { recordUnwritable, unwritableReason } from './audit-wait';
import { taskErrorOf } from './calls';
import type { PlanContext } from './context';
import { said } from './facts';
import { hasWritten, madeDirectories, strikeOut, writtenFiles } from './ledger';
import { askAnew, CONTENT_ERRORS } from './prepare';

/** Paths for one activity: its request and its answer must stay small. */
const PATHS_AT_ONCE = 500;

const KEPT_UNDOS = 50;
const LEFT: readonly UndoneFile['outcome'][] = ['changed', 'refused', 'failed'];

/** Opens the undo that the main loop then carries out. */
export function beginUndo(context: PlanContext, kind: UndoKind, message: UndoMessage): UndoAnswer {
  const { view } = context.state;
  const number = (view.undo?.number ?? 0) + 1;
  view.undo = {
    number,
    kind,
    status: 'running',
    by: message.by,
    overwriteChanged: message.overwriteChanged === true,
    startedAt: context.at(),
    finishedAt: null,
    files: [],
    directories: [],
    directoriesLeft: [],
    error: null,
  };
  const { by, overwriteChanged } = view.undo;
  const files = writtenFiles(context.state).length;
  context.record('undo.started', claimedBy(by), { number, kind, overwriteChanged, files });
  context.changed();
  return { result: 'started', number };
}

/** Never throws for what an activity could not do: that stands in the view. */
export async function carryOutUndo(context: PlanContext, undo: UndoView): Promise<void> {
  const { state } = context;
  const files = writtenFiles(state);
  const cleared: string[] = [];
  try {
    for (let at = 0; at === 0 || at < files.length; at += PATHS_AT_ONCE) {
      const last = at + PATHS_AT_ONCE >= files.length;
      const step = { id: `${undo.kind}-u${undo.number}-${at}`, summary: `${undo.kind} of ${files.length} file(s)` };
      const result = await context.call('undo', step, {
        plan: state.view.id,
        kind: undo.kind,
        files: files.slice(at, at + PATHS_AT_ONCE),
        // They are empty only after the last file is gone.
        directories: last ? madeDirectories(state) : [],
        overwriteChanged: undo.overwriteChanged,
      });
      context.noteLog(result.audit);
      undo.files.push(...result.files);
      undo.directories.push(...result.directories);
      undo.directoriesLeft.push(...result.directoriesLeft);
      cleared.push(...strikeOut(state, result.files));
    }
  } catch (error) {
    undo.error = taskErrorOf(error);
    const unwritable = unwritableReason(error);
    if (unwritable !== null) recordUnwritable(context, null, unwritable);
  }
  settle(context, undo, cleared);
}

function settle(context: PlanContext, undo: UndoView, cleared: readonly string[]): void {
  const { state } = context;
  const { view } = state;
  const left = undo.files.filter(({ outcome }) => LEFT.includes(outcome)).length;
  const complete = undo.error === null && left === 0 && undo.directoriesLeft.length === 0;
  if (complete) forgetDirectories(context, undo);
  // What a directory still holds is not the plan's: there is nothing left that it could take back.
  undo.status = complete && !hasWritten(state) ? 'completed' : undo.error === null ? 'partial' : 'failed';
  undo.finishedAt = context.at();
  remember(view, undo, left);
  if (undo.status === 'completed') {
    for (const { id } of view.graph.nodes) {
      reset(context, id);
      for (const file of context.task(id).files) Object.assign(file, { state: 'proposed', backup: null });
    }
    view.status = undo.kind === 'rollback' ? 'rolled_back' : 'cleaned';
    view.reason = null;
  } else {
    for (const id of new Set(cleared)) reset(context, id);
    if (cleared.length > 0) view.status = 'partial';
    const what = left === 1 ? '1 file' : `${left} files`;
    view.reason = undo.error ? `the ${undo.kind} failed: ${undo.error.message}` : `the ${undo.kind} left ${what}`;
  }
  const { number, kind, status } = undo;
  const counts: { [outcome: string]: number } = {};
  for (const { outcome } of undo.files) counts[outcome] = (counts[outcome] ?? 0) + 1;
  context.record('undo.finished', BY_WORKFLOW, { number, kind, status, counts, error: said(undo.error?.message) });
  context.changed();
}

/** The next undo takes the place of this one in the view; that it happened stays. */
function remember(view: PlanView, undo: UndoView, left: number): void {
  const { number, kind, status, by, startedAt, finishedAt } = undo;
  const count = (wanted: UndoneFile['outcome']): number =>
    undo.files.filter(({ outcome }) => outcome === wanted).length;
  const summary = { number, kind, status, by, startedAt, finishedAt, left };
  const all = [...(view.undos ?? []), { ...summary, deleted: count('deleted'), restored: count('restored') }];
  view.undos = all.slice(-KEPT_UNDOS);
}

function forgetDirectories({ state }: PlanContext, undo: UndoView): void {
  for (const own of Object.values(state.internals)) own.madeDirectories = [];
  undo.directories = [...new Set(undo.directories)];
}

/** As it was before its first run. The number of its generation stays, so that an unchanged question finds its answer on record. */
function reset(context: PlanContext, id: string): void {
  const task = context.task(id);
  const own = context.internals(id);
  if (CONTENT_ERRORS.has(task.error?.type ?? '') && !own.kept) askAnew(own);
  own.writtenAfterSnapshot = 0;
  Object.assign(task, { status: 'pending', reason: null, error: null, startedAt: null, completedAt: null });
}
