import { escapeForDisplay } from '../../plan/display';
import { checkPaths } from '../../plan/paths';
import type { ArtifactFile } from '../../plan/types';
import type { ObjectStore } from '../../store/objects';
import type { Policy } from '../../store/policy';
import { PathRefused } from './errors';

export interface WriteJob {
  /** Real path of the workspace. */
  root: string;
  /**
   * Names this write: equal for all its attempts (retries, a zombie) and for no other write; for an activity,
   * the workflow's run id and the activity id.
   */
  key: string;
  files: ArtifactFile[];
  objects: ObjectStore;
  /** Contents by path that were read from `objects`, and re-hashed, in the same breath; the others are read there. */
  contents?: ReadonlyMap<string, Buffer>;
  /** `write.allow` of the policy. */
  allowlist: readonly string[];
  allowAllPaths: boolean;
  /** Patterns of the paths that the task's skill may write. */
  scope?: readonly string[];
  /**
   * Backups that the plan has made in earlier runs, by path: their content is the original, so no new one is
   * made of our own output. null: the plan created the file, there is nothing to back up.
   */
  keepBackup?: { [path: string]: string | null };
  limits?: Pick<Policy['limits'], 'fileBytes' | 'filesPerTask'>;
  /** How long to wait for another write of this workspace; 60 s unless told. */
  lockTimeoutMs?: number;
}

/**
 * Everything that can be refused without a look at the disk.
 * @throws PathRefused with every fault found
 */
export function checkJob({ files, allowlist, allowAllPaths, scope, limits }: WriteJob): void {
  const paths = files.map(({ path }) => path);
  const faults = checkPaths(paths, { allowlist, allowAllPaths, scope }).map(({ reason }) => reason);
  for (const { path, mode } of files) {
    if (!/^0[0-7]{3}$/.test(mode)) {
      faults.push(`${escapeForDisplay(path)} has the mode ${escapeForDisplay(mode)}; expected one such as 0644.`);
    }
  }
  if (limits) faults.push(...limitFaults(files, limits));
  if (faults.length > 0) throw new PathRefused(faults.join('\n'), 'Nothing was written.');
}

/** Which limits of the policy a task's files break (T14); sizes are in bytes. */
function limitFaults(
  files: readonly Pick<ArtifactFile, 'path' | 'bytes'>[],
  limits: Pick<Policy['limits'], 'fileBytes' | 'filesPerTask'>,
): string[] {
  const faults = files
    .filter(({ bytes }) => bytes > limits.fileBytes)
    .map(
      ({ path, bytes }) => `${escapeForDisplay(path)} has ${bytes} bytes; limits.fileBytes allows ${limits.fileBytes}.`,
    );
  if (files.length > limits.filesPerTask) {
    faults.push(`The task has ${files.length} files; limits.filesPerTask allows ${limits.filesPerTask}.`);
  }
  return faults;
}
