/** The write of one task: noted before it begins, and what it left behind. */
import { isCancellation, workflowInfo } from '@temporalio/workflow';
import type { WriteResult } from '../plan/steps';
import type { ArtifactFile } from '../plan/types';
import type { FileView } from '../plan/view';
import { Drained, onceLogged } from './audit-wait';
import { type Step, taskErrorOf } from './calls';
import { forgetAttempt, noteAttempt, noteWritten } from './ledger';
import { keepRecordedBases } from './replay';
import { recordTask } from './run-facts';
import type { TaskWork } from './task-work';

export async function write(work: TaskWork): Promise<void> {
  const { context, node, run, own } = work;
  const refused = new Set(work.task.files.filter((file) => own.rejected[file.digest]).map((file) => file.path));
  if (refused.size > 0 && work.task.files.every((file) => refused.has(file.path) || file.action === 'unchanged')) {
    markDeclined(work, refused);
    context.update(node.id, { status: 'declined', reason: 'every file was refused', completedAt: context.at() });
    recordTask(context, 'task.declined', node.id, { files: refused.size });
    return;
  }
  const accepted = work.artifact().filter((file) => !refused.has(file.path));
  try {
    const about = { plan: context.state.view.id, task: node.id, tool: node.tool };
    const allowAllPaths = run.request.allowAllPaths === true;
    const written = await noted(work, accepted, (step) =>
      context.callToTheEnd('writeFiles', step, { ...about, files: accepted, allowAllPaths, keepBackup: own.backups }),
    );
    markDeclined(work, refused);
    await afterWrite(work, written, work.task.files);
  } catch (error) {
    if (error instanceof Drained) return;
    work.fail(taskErrorOf(error));
  }
}

function markDeclined(work: TaskWork, refused: ReadonlySet<string>): void {
  work.task.files = work.task.files.map((file) => (refused.has(file.path) ? { ...file, state: 'declined' } : file));
}

export async function afterWrite(work: TaskWork, written: WriteResult, files: FileView[]): Promise<void> {
  noteWritten(work.context.state, work.node.id, written);
  work.context.noteLog(written.audit);
  if (written.conflicts.length > 0) {
    await work.regenerate(written.conflicts);
    return;
  }
  const { own, context } = work;
  const byPath = new Map(written.files.map((file) => [file.path, file]));
  own.writtenAfterSnapshot = context.currentSnapshot;
  own.kept = false;
  noteReplaced(work, files);
  context.update(work.node.id, {
    status: 'completed',
    completedAt: context.at(),
    files: files.map((file) => {
      const done = byPath.get(file.path);
      return done
        ? { ...file, action: done.action, backup: own.backups[file.path] ?? done.backup, state: 'written' }
        : file;
    }),
  });
  recordTask(context, 'task.completed', work.node.id, { files: written.files.length });
  if (work.run.request.replay) keepRecordedBases(context, work.run, work.node.id);
}

/** Dependents that completed before are stale from now on, if the bytes are other ones than those that they saw. */
function noteReplaced(work: TaskWork, files: readonly FileView[]): void {
  const { wrote } = work.own;
  const now = Object.fromEntries(files.map(({ path, sha256 }) => [path, sha256]));
  if (wrote) {
    const paths = new Set([...Object.keys(wrote), ...Object.keys(now)]);
    if ([...paths].some((path) => wrote[path] !== now[path])) work.task.replacedAt = work.context.at();
  }
  work.own.wrote = now;
}

/** Notes a write before it begins: where its outcome stays unknown, a rollback has to look at the disk. */
export async function noted<Result>(
  work: TaskWork,
  files: ArtifactFile[],
  write: (step: Step) => Promise<Result>,
): Promise<Result> {
  const { state } = work.context;
  const step = work.step('write');
  // The name of its journal (activities/artifact.ts).
  const name = `${workflowInfo().runId}/${step.id}`;
  noteAttempt(state, work.node.id, name, files);
  try {
    const result = await onceLogged(work.context, work.node.id, step, write);
    forgetAttempt(state, work.node.id, name);
    return result;
  } catch (error) {
    // Where an earlier step had begun the write, its note stays: a rollback then looks at the disk.
    const waited = isCancellation(error) || error instanceof Drained;
    const nothing = waited ? !work.begun : taskErrorOf(error).type === 'PathRefused';
    if (nothing) forgetAttempt(state, work.node.id, name);
    throw error;
  }
}
