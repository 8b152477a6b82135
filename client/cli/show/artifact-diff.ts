import type { ArtifactFile } from '../../../plan/types';
import type { FileView } from '../../../plan/view';
import type { PlanClient } from '../../types';
import { unifiedDiff } from './diff';
import { makeStyle, type Style } from './style';

/** One file of an artifact and what it replaces, from the object store: what stood there may be gone by now. */
export interface FileChange {
  task: string;
  path: string;
  action: FileView['action'];
  /** Null where two generations are compared. */
  state: FileView['state'] | null;
  sha256: string | null;
  preSha256: string | null;
  /** Where writing keeps the old content; null: it keeps none. */
  backup: string | null;
  /** Null where nothing stood there. */
  before: string | null;
  after: string;
}

/** @throws IntegrityError where an object is missing or was changed */
export async function changesOf(client: PlanClient, task: string, files: readonly FileView[]): Promise<FileChange[]> {
  return Promise.all(
    files.map(async (file) => {
      const { path, action, state, sha256, preSha256 } = file;
      const backup = file.backup ?? file.wouldBackUp ?? null;
      const contents = await bothContents(client, preSha256, sha256);
      return { task, path, action, state, sha256, preSha256, backup, ...contents };
    }),
  );
}

/** What changed from one generation of a task to another. Errors as `changesOf`. */
export async function attemptChanges(
  client: PlanClient,
  task: string,
  before: readonly ArtifactFile[],
  after: readonly ArtifactFile[],
): Promise<FileChange[]> {
  const old = new Map(before.map(({ path, sha256 }) => [path, sha256]));
  const now = new Map(after.map(({ path, sha256 }) => [path, sha256]));
  const paths = [...new Set([...old.keys(), ...now.keys()])].sort();
  return Promise.all(
    paths.map(async (path) => {
      const [preSha256, sha256] = [old.get(path) ?? null, now.get(path) ?? null];
      const action = preSha256 === null ? 'create' : preSha256 === sha256 ? 'unchanged' : 'modify';
      const contents = await bothContents(client, preSha256, sha256);
      return { task, path, action, state: null, sha256, preSha256, backup: null, ...contents };
    }),
  );
}

async function bothContents(
  client: PlanClient,
  before: string | null,
  after: string | null,
): Promise<Pick<FileChange, 'before' | 'after'>> {
  const content = async (digest: string): Promise<string> => (await client.object(digest)).toString('utf8');
  return {
    before: before === null ? null : await content(before),
    after: after === null ? '' : await content(after),
  };
}

/** Unified; empty where the bytes are equal. */
export function diffText({ path, sha256, preSha256, before, after }: FileChange, style: Style): string {
  return sha256 === preSha256 ? '' : unifiedDiff(path, before, after, style);
}

/** For programs: the diff in place of the contents. */
export function changeDocument(change: FileChange): Omit<FileChange, 'before' | 'after'> & { diff: string } {
  const { before: _before, after: _after, ...rest } = change;
  return { ...rest, diff: diffText(change, makeStyle(false)) };
}
