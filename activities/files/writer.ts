import { lstat, open, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { artifactDigest } from '../../plan/digest';
import { escapeForDisplay } from '../../plan/display';
import type { WriteResult, WrittenFile } from '../../plan/steps';
import type { ArtifactFile } from '../../plan/types';
import { withLockInTurn } from '../../store/lock-queue';
import { freeBackupPath, keepBackup, removeBackup } from './backup';
import { checkJob, type WriteJob } from './check';
import { type HeldDirectory, nameOf, unsafe, walkToParent } from './directory';
import { asWrite, errnoOf, UnsafeTarget, WriteFailed } from './errors';
import { type Journal, readJournal, saveJournal } from './journal';
import { type FoundFile, readTarget } from './target';
import { discard, publishNew, sweepTempsInTurn, writeTemp } from './temps';

export const LOCK_TIMEOUT_MS = 60_000;

/**
 * Writes the files of one task, all or (on a conflict) none. Safe to call again with the same job
 * after a crash at any point, and by two processes at once: the result is that of one undisturbed call, and the
 * backup is always what stood there before the first.
 *
 * @returns the files in the order given, with action and backup; or `conflicts`. On a conflict `files` is empty,
 *   unless an earlier attempt was killed halfway or a person was quicker than the check: then it lists what is
 *   written, so that a rollback knows it.
 * @throws PathRefused, UnsafeTarget, JournalMismatch (terminal); WriteFailed (see its `retryable`);
 *   LockBusyError where another write of the workspace does not end; IntegrityError for a missing object
 */
export async function writeArtifactFiles(job: WriteJob): Promise<WriteResult> {
  checkJob(job);
  if (job.files.length === 0) return { files: [], conflicts: [], madeDirectories: [] };
  const contents = new Map<string, Buffer>();
  for (const file of job.files) {
    contents.set(file.path, job.contents?.get(file.path) ?? (await job.objects.get(file.sha256)));
  }
  const timeoutMs = job.lockTimeoutMs ?? LOCK_TIMEOUT_MS;
  return asWrite('.planwright', async () => {
    await refuseLinkedFolder(job.root);
    return withLockInTurn(join(job.root, '.planwright', 'write.lock'), { timeoutMs }, () => writeLocked(job, contents));
  });
}

/** Our own folder must be a directory too: a repository may ship `.planwright` as a link. */
export async function refuseLinkedFolder(root: string): Promise<void> {
  const found = await lstat(join(root, '.planwright')).catch((error: unknown) => {
    // Whoever needs it makes it.
    if (errnoOf(error) === 'ENOENT') return null;
    throw error;
  });
  if (found && !found.isDirectory()) throw unsafe('.planwright', found);
}

async function writeLocked(job: WriteJob, contents: Map<string, Buffer>): Promise<WriteResult> {
  const { root, files } = job;
  await sweepTempsInTurn(
    root,
    files.map(({ path }) => dirname(path)).map((folder) => (folder === '.' ? '' : folder)),
  );
  const earlier = await readJournal(root, job.key, files);
  const looks = new Map<string, Look>();
  try {
    for (const file of files) {
      looks.set(
        file.path,
        await asWrite(escapeForDisplay(file.path), () => lookAt(root, file.path, looks.size < HELD)),
      );
    }
    return await writeLooked(job, contents, earlier, looks);
  } finally {
    for (const { directory } of looks.values()) await directory?.close();
  }
}

async function writeLooked(
  job: WriteJob,
  contents: Map<string, Buffer>,
  earlier: Journal | null,
  looks: Map<string, Look>,
): Promise<WriteResult> {
  const { files } = job;
  const conflicts = files.filter((file) => !isDone(file, looks) && !isBase(file, looks)).map(({ path }) => path);
  if (conflicts.length > 0) {
    const done = earlier ? files.filter((file) => isDone(file, looks) && !isBase(file, looks)) : [];
    const open = files.filter((file) => !done.includes(file));
    await asWrite('a backup', () => dropBackups(job, open, earlier));
    return result(done, conflicts, earlier);
  }
  const journal = earlier ?? (await begin(job, looks));
  for (const [at, file] of files.entries()) {
    const content = contents.get(file.path) ?? Buffer.alloc(0);
    const ok = await asWrite(escapeForDisplay(file.path), () =>
      writeOne(job, file, content, journal, looks.get(file.path)),
    );
    if (ok) continue;
    await asWrite('a backup', () => dropBackups(job, [file], journal));
    return result(files.slice(0, at), [file.path], journal);
  }
  return result(files, [], journal);
}

/** So many parents are held open from the first look to the write; those of a larger task are walked to again. */
const HELD = 20;

interface Look {
  found: FoundFile | null;
  /** Parent directories that do not exist. */
  missing: string[];
  /** The parent, held open; null where it does not exist, or is not held. */
  directory: HeldDirectory | null;
}

async function lookAt(root: string, path: string, hold: boolean): Promise<Look> {
  const { directory, missing } = await walkToParent(root, path, false);
  if (!directory) return { found: null, missing, directory };
  let held = false;
  try {
    const found = await readTarget(directory, nameOf(path));
    held = hold;
    return { found, missing, directory: held ? directory : null };
  } finally {
    if (!held) await directory.close();
  }
}

const isDone = (file: ArtifactFile, looks: Map<string, Look>): boolean =>
  looks.get(file.path)?.found?.sha256 === file.sha256;

const isBase = (file: ArtifactFile, looks: Map<string, Look>): boolean =>
  (looks.get(file.path)?.found?.sha256 ?? null) === file.preSha256;

/** Decides backups and notes missing directories, durably, before anything is touched. */
async function begin(job: WriteJob, looks: Map<string, Look>): Promise<Journal> {
  const backups = new Map<string, string | null>();
  for (const file of job.files) {
    const kept = job.keepBackup && Object.hasOwn(job.keepBackup, file.path) ? job.keepBackup[file.path] : undefined;
    const replaces = file.preSha256 !== null && !isDone(file, looks);
    backups.set(file.path, kept !== undefined ? kept : replaces ? await freeBackupPath(job.root, file.path) : null);
  }
  const missing = new Set(job.files.flatMap(({ path }) => looks.get(path)?.missing ?? []));
  const journal = { artifact: artifactDigest(job.files), backups, madeDirectories: [...missing] };
  await saveJournal(job.root, job.key, journal, job.files);
  return journal;
}

function result(files: ArtifactFile[], conflicts: string[], journal: Journal | null): WriteResult {
  const written = files.map((file): WrittenFile => {
    const action = file.preSha256 === null ? 'create' : file.preSha256 === file.sha256 ? 'unchanged' : 'modify';
    return { ...file, action, backup: journal?.backups.get(file.path) ?? null };
  });
  return { files: written, conflicts, madeDirectories: journal?.madeDirectories ?? [] };
}

/** Deletes the backups of files that this write will not replace after all, so that none is left without its reason. */
async function dropBackups(job: WriteJob, files: ArtifactFile[], journal: Journal | null): Promise<void> {
  for (const file of files) {
    const backup = journal?.backups.get(file.path) ?? null;
    const kept = job.keepBackup !== undefined && Object.hasOwn(job.keepBackup, file.path);
    if (backup !== null && !kept) await removeBackup(job.root, backup, file.preSha256);
  }
}

/** @returns false on a conflict: what stands there is neither the base nor the new content */
async function writeOne(
  job: WriteJob,
  file: ArtifactFile,
  content: Buffer,
  journal: Journal,
  look: Look | undefined,
): Promise<boolean> {
  const directory = look?.directory ?? (await walkToParent(job.root, file.path, true)).directory;
  if (!directory) throw new UnsafeTarget(`The directory of ${escapeForDisplay(file.path)} vanished.`);
  try {
    const name = nameOf(file.path);
    // What was no more than the base when it was looked at is looked at again when it is replaced (`place`).
    const known = look?.directory && look.found?.sha256 !== file.sha256;
    const found = known ? look.found : await readTarget(directory, name);
    if (found?.sha256 !== file.sha256) {
      if ((found?.sha256 ?? null) !== file.preSha256) return false;
      if (found) await saveOld(job, file, found, directory, journal);
      if (!(await place(directory, name, file, content))) return false;
    } else if (found.mode !== modeOf(file)) {
      await changeMode(directory, name, modeOf(file));
    }
    // Also where nothing was to do: an attempt may have been killed between its rename and this.
    await directory.sync();
    const back = await readTarget(directory, name);
    if (back?.sha256 !== file.sha256) throw new WriteFailed(escapeForDisplay(file.path), 'EIO');
    return true;
  } finally {
    if (directory !== look?.directory) await directory.close();
  }
}

const modeOf = (file: ArtifactFile): number => Number.parseInt(file.mode, 8);

/** The object is the true backup, the `.bak` is for people; without a name in the journal only the object is kept. */
async function saveOld(
  job: WriteJob,
  file: ArtifactFile,
  found: FoundFile,
  directory: HeldDirectory,
  journal: Journal,
): Promise<void> {
  await job.objects.put(found.content);
  if (job.keepBackup && Object.hasOwn(job.keepBackup, file.path)) return;
  for (;;) {
    const backup = journal.backups.get(file.path) ?? null;
    if (backup !== null && (await keepBackup(directory, nameOf(backup), found))) return;
    // Someone took the name since it was chosen; theirs stays, and the journal learns of the next free one.
    journal.backups.set(file.path, await freeBackupPath(job.root, file.path));
    await saveJournal(job.root, job.key, journal, job.files);
  }
}

/** Puts the new content in place: a new name by link(2), which cannot overwrite; an old one by rename, checked just before. */
async function place(directory: HeldDirectory, name: string, file: ArtifactFile, content: Buffer): Promise<boolean> {
  const temp = await writeTemp(directory, content, modeOf(file));
  try {
    if (file.preSha256 === null) {
      await publishNew(directory, temp, name);
      return true;
    }
    if ((await readTarget(directory, name))?.sha256 !== file.preSha256) {
      await discard(directory, temp);
      return false;
    }
    await rename(directory.at(temp), directory.at(name));
    return true;
  } catch (error) {
    await discard(directory, temp);
    if (file.preSha256 === null && errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
}

async function changeMode(directory: HeldDirectory, name: string, mode: number): Promise<void> {
  const handle = await open(directory.at(name), 'r');
  try {
    await handle.chmod(mode);
  } finally {
    await handle.close();
  }
}
