import { realpath } from 'node:fs/promises';
import { basename, posix } from 'node:path';
import picomatch from 'picomatch';
import type { WorkspaceSnapshot } from '../../plan/types';
import type { ObjectStore } from '../../store/objects';
import { factsOf } from './facts';
import { readGitFacts } from './git';
import { isSecret } from './names';
import { readRegularFile } from './read';
import { loadTree } from './tree';
import { MAX_DEPTH, MAX_FILES, walk } from './walk';

const MAX_STORED_BYTES = 1024 * 1024;
/** Each object is synced to disk; a folder of generated manifests must not cost minutes. */
const MAX_STORED_FILES = 2000;

export interface SnapshotRequest {
  /** The workspace, an existing directory. */
  root: string;
  objects: ObjectStore;
  /** Globs of files to keep (picomatch, dot and nocase); one without a slash matches the base name anywhere. */
  patterns: readonly string[];
  /** Further files, relative: also those that the walk leaves out. */
  extraPaths: readonly string[];
}

/**
 * Reads a workspace without running anything in it: what it says of itself, and the files that skills may touch, with their
 * contents as objects. The same bytes give the same snapshot. Secrets are never read, symbolic links never followed; what was asked
 * for and left out is listed in `skipped`.
 *
 * @throws the file system's error where `root` does not exist, or an object cannot be stored
 */
export async function readWorkspaceSnapshot(request: SnapshotRequest): Promise<WorkspaceSnapshot> {
  const root = await realpath(request.root);
  const walked = await walk(root);
  const tree = await loadTree(root, basename(root), walked.files);
  const facts = factsOf(tree, await readGitFacts(root), walked.topLevel);
  const skipped: { path: string; reason: string }[] = [];
  if (walked.truncated) {
    skipped.push({
      path: '.',
      reason: `only the first ${MAX_FILES} files, at most ${MAX_DEPTH} directories deep, were looked at`,
    });
  }

  const matches = matcherOf(request.patterns);
  // A file that git ignores and a skill would write is a base all the same: the writer would meet it.
  const matching = [...walked.files, ...walked.ignored].filter(matches);
  const wanted = new Set(matching.slice(0, MAX_STORED_FILES));
  for (const path of matching.slice(MAX_STORED_FILES)) {
    skipped.push({ path, reason: `not among the first ${MAX_STORED_FILES} files that match` });
  }
  for (const path of request.extraPaths) {
    const plain = posix.normalize(path);
    if (plain.startsWith('..') || posix.isAbsolute(plain)) skipped.push({ path, reason: 'outside the workspace' });
    else wanted.add(plain);
  }

  const files: WorkspaceSnapshot['files'] = {};
  for (const path of [...wanted].sort()) {
    if (isSecret(path)) {
      skipped.push({ path, reason: 'never read: it may hold secrets' });
      continue;
    }
    const read = await readRegularFile(root, path, MAX_STORED_BYTES);
    if (typeof read === 'string') {
      if (read !== 'absent') skipped.push({ path, reason: read === 'too large' ? 'larger than 1 MiB' : read });
      continue;
    }
    const sha256 = await request.objects.put(read.content);
    files[path] = { sha256, mode: read.mode, bytes: read.content.length };
  }
  return { schema: 'planwright.workspace/1', facts, files, skipped };
}

function matcherOf(patterns: readonly string[]): (path: string) => boolean {
  if (patterns.length === 0) return () => false;
  const anywhere = patterns.map((pattern) => (pattern.includes('/') ? pattern : `**/${pattern}`));
  const matches = picomatch(anywhere, { dot: true, nocase: true });
  return (path) => matches(path);
}
