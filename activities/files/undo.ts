import { dirname, join } from 'node:path';
import { escapeForDisplay } from '../../plan/display';
import { IntegrityError } from '../../plan/errors';
import { checkPaths } from '../../plan/paths';
import type { UndoFile, UndoKind, UndoneFile, UndoResult, WriteStep } from '../../plan/steps';
import { decideUndo } from '../../plan/undo';
import { withLockInTurn } from '../../store/lock-queue';
import type { ObjectStore } from '../../store/objects';
import { asWrite, PathRefused, UnsafeTarget, WriteFailed } from './errors';
import { findJournal } from './journal';
import { removeEmptyDirectories } from './made-directories';
import { type FoundFile, readPath } from './target';
import { sweepTemps } from './temps';
import { readUndoJournal, saveUndoJournal, type UndoEntry } from './undo-journal';
import { bringBack, removeBackups, standingBackup } from './undo-one';
import { LOCK_TIMEOUT_MS, refuseLinkedFolder } from './writer';

export interface UndoJob {
  /** Real path of the workspace. */
  root: string;
  /** Names this undo: equal for all its attempts and for no other undo or write. */
  key: string;
  kind: UndoKind;
  files: UndoFile[];
  /** Directories that the plan's writes made. */
  directories: string[];
  overwriteChanged: boolean;
  objects: ObjectStore;
  /** The key of a write's journal, from the write's name. */
  journalKey(write: string): string;
  /** How long to wait for a write of this workspace; 60 s unless told. */
  lockTimeoutMs?: number;
}

/**
 * Takes back what a plan wrote. What cannot be taken back is left as it is and named with its reason, and
 * the rest goes on. Safe to call again with the same job after a crash at any point: the answer is that of one
 * undisturbed call. A later job finishes what this one had to leave.
 *
 * @throws JournalMismatch (terminal); LockBusyError where a write of the workspace does not end; UnsafeTarget where
 *   `.planwright` is a link
 */
export async function undoFiles(job: UndoJob): Promise<UndoResult> {
  const timeoutMs = job.lockTimeoutMs ?? LOCK_TIMEOUT_MS;
  return asWrite('.planwright', async () => {
    await refuseLinkedFolder(job.root);
    return withLockInTurn(join(job.root, '.planwright', 'write.lock'), { timeoutMs }, () => undoLocked(job));
  });
}

async function undoLocked(job: UndoJob): Promise<UndoResult> {
  await sweep(job);
  const made = new Set(job.directories);
  const { entries, troubles } = await decideAll(job, made);
  const files: UndoneFile[] = [];
  for (const { path } of job.files) {
    const entry = entries.get(path);
    files.push(entry ? await carryOut(job, entry) : (troubles.get(path) ?? left(path, 'failed', null, null)));
  }
  const { removed, left: directoriesLeft } = await removeEmptyDirectories(job.root, [...made]);
  return { files, directories: removed, directoriesLeft };
}

/** What dead processes left beside the files; one directory that cannot be read must not stop the rest. */
async function sweep({ root, files }: UndoJob): Promise<void> {
  for (const folder of new Set(files.map(({ path }) => dirname(path)))) {
    await asWrite(folder, () => sweepTemps(root, [folder === '.' ? '' : folder])).catch(trouble(folder));
  }
}

/** Decides for every path before anything is touched, and keeps that durably. */
async function decideAll(
  job: UndoJob,
  made: Set<string>,
): Promise<{ entries: Map<string, UndoEntry>; troubles: Map<string, UndoneFile> }> {
  const entries = await readUndoJournal(job.root, job.key);
  const known = entries.size;
  const troubles = new Map<string, UndoneFile>();
  for (const file of job.files) {
    const steps = await withJournals(job, file, made);
    if (entries.has(file.path)) continue;
    try {
      entries.set(file.path, await asWrite(escapeForDisplay(file.path), () => decide(job, file.path, steps)));
    } catch (error) {
      troubles.set(file.path, await troubleBesideBackup(job, { path: file.path, backups: backupsOf(steps) }, error));
    }
  }
  if (entries.size > known) await saveUndoJournal(job.root, job.key, entries.values());
  return { entries, troubles };
}

/** A write that failed left its backups' names and directories in its journal alone. */
async function withJournals(job: UndoJob, { path, steps }: UndoFile, made: Set<string>): Promise<WriteStep[]> {
  const known = new Set(steps.map(({ backup }) => backup));
  return Promise.all(
    steps.map(async (step) => {
      if (step.unconfirmed === undefined) return step;
      const journal = await findJournal(job.root, job.journalKey(step.unconfirmed));
      for (const directory of journal?.madeDirectories ?? []) made.add(directory);
      const backup = journal?.backups.get(path) ?? null;
      // One that an earlier write made belongs to that one.
      return known.has(backup) ? step : { ...step, backup };
    }),
  );
}

async function decide(job: UndoJob, path: string, steps: WriteStep[]): Promise<UndoEntry> {
  const faults = checkPaths([path], { allowlist: [], allowAllPaths: true });
  if (faults.length > 0) throw new PathRefused(faults.map(({ reason }) => reason).join(' '));
  const { found } = await readPath(job.root, path);
  const now = found?.sha256 ?? null;
  const { overwrites, ...decision } = decideUndo(job.kind, steps, now, job.overwriteChanged);
  const undone = steps.slice(0, decision.undone);
  // The backups of what is left over are named, so that people find them.
  const backups = backupsOf(decision.kind === 'changed' ? steps : undone);
  const kept = overwrites && found ? await job.objects.put(found.content) : null;
  return { ...decision, path, now, kept, backups, mode: await modeOf(job, decision.target, undone, found) };
}

const backupsOf = (steps: readonly WriteStep[]): UndoEntry['backups'] =>
  steps.flatMap(({ backup, preSha256 }) => (backup === null ? [] : [[backup, preSha256]]));

/** The permissions of what stood there before: its backup has them; else those that stand there now. */
async function modeOf(job: UndoJob, target: string | null, steps: WriteStep[], found: FoundFile | null) {
  for (const { backup, preSha256 } of steps) {
    if (backup === null || preSha256 !== target) continue;
    const kept = await readPath(job.root, backup).catch(trouble(backup));
    if ('found' in kept && kept.found?.sha256 === target) return octal(kept.found.mode);
  }
  return found ? octal(found.mode) : (steps.at(-1)?.mode ?? '0644');
}

const octal = (mode: number): string => `0${mode.toString(8).padStart(3, '0')}`;

async function carryOut(job: UndoJob, entry: UndoEntry): Promise<UndoneFile> {
  const { path, kind, undone, kept } = entry;
  return asWrite(escapeForDisplay(path), async () => {
    if (kind === 'changed') return changed(path, 0, await standingBackup(job, entry));
    if ((kind === 'delete' || kind === 'restore') && !(await bringBack(job, entry))) {
      return changed(path, 0, await standingBackup(job, entry));
    }
    const backup = job.kind === 'rollback' ? await removeBackups(job, entry) : await standingBackup(job, entry);
    if (entry.blocked) return { ...changed(path, undone, backup), reason: BETWEEN };
    const outcome = ({ delete: 'deleted', restore: 'restored', gone: 'gone', original: 'original' } as const)[kind];
    return { path, outcome, undone, reason: null, advice: null, error: null, backup, kept };
  }).catch((error: unknown) => troubleBesideBackup(job, entry, error));
}

const BETWEEN = 'It was changed between two runs of the plan. That content is in place again, and stays.';

const changed = (path: string, undone: number, backup: string | null): UndoneFile => ({
  ...left(path, 'changed', 'It was changed after the plan wrote it.', 'Add --overwrite-changed to take it back too.'),
  undone,
  backup,
});

function left(
  path: string,
  outcome: 'changed' | 'refused' | 'failed',
  reason: string | null,
  advice: string | null,
): UndoneFile {
  return { path, outcome, undone: 0, reason, advice, error: null, backup: null, kept: null };
}

/** A backup that is left behind is named with the reason. */
async function troubleBesideBackup(
  job: UndoJob,
  entry: Pick<UndoEntry, 'path' | 'backups'>,
  error: unknown,
): Promise<UndoneFile> {
  return { ...trouble(entry.path)(error), backup: await standingBackup(job, entry).catch(() => null) };
}

/** What went wrong with one path, as its outcome; anything unexpected is thrown again. */
function trouble(path: string): (error: unknown) => UndoneFile {
  return (error) => {
    if (error instanceof WriteFailed)
      return left(path, 'failed', `The system refused: ${error.errno}.`, error.advice ?? null);
    if (error instanceof UnsafeTarget || error instanceof PathRefused) {
      return left(path, 'refused', error.message, error.advice ?? null);
    }
    if (error instanceof IntegrityError) {
      return { ...left(path, 'refused', error.message, error.advice ?? null), error: 'Integrity' };
    }
    throw error;
  };
}
