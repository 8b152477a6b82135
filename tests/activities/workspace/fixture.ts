import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readWorkspaceSnapshot } from '../../../activities/workspace/snapshot';
import type { WorkspaceFacts, WorkspaceSnapshot } from '../../../plan/types';
import { ObjectStore } from '../../../store/objects';

const made: string[] = [];

/** A real directory with these files; an object is written as JSON. Removed by `removeProjects`. */
export function project(files: { [path: string]: string | object }): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'planwright-ws-')));
  made.push(folder);
  const root = join(folder, 'shop');
  mkdirSync(root);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return root;
}

export function removeProjects(): void {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
}

export function objectsBeside(root: string): ObjectStore {
  return new ObjectStore(join(dirname(root), 'objects'));
}

export function snapshotOf(
  root: string,
  patterns: string[] = [],
  extraPaths: string[] = [],
): Promise<WorkspaceSnapshot> {
  return readWorkspaceSnapshot({ root, objects: objectsBeside(root), patterns, extraPaths });
}

export async function factsOf(files: { [path: string]: string | object }): Promise<WorkspaceFacts> {
  return (await snapshotOf(project(files))).facts;
}
