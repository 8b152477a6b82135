/** A plan that Temporal no longer knows, as its plan file tells of it. Nothing here is believed before it was checked. */

import type { JsonObject, ModelSettings, TaskGraph, TaskStatus, Usage } from './types';
import type { FileView, RunView, TaskError, TaskView } from './view';

export interface LostTask {
  status: TaskStatus;
  reason: string | null;
  attempts: number;
  startedAt: string | null;
  completedAt: string | null;
  files: FileView[];
  usage: Usage;
  modelReturned: string | null;
  output: JsonObject;
  error: TaskError | null;
  raw: string | null;
  run: number | null;
}

export interface LostPlan {
  name: string;
  goal: string;
  settings: ModelSettings;
  createdAt: string;
  graph: TaskGraph;
  tasks: { [id: string]: LostTask };
  runs: RunView[];
  usage: Usage;
  raw: string | null;
}

/** Digests of everything in the object store that a task which stays completed stands on. */
export function objectsOf({ files, raw }: Pick<LostTask | TaskView, 'files' | 'raw'>): string[] {
  const written = files.filter(({ state }) => state === 'written');
  const digests = written.flatMap(({ sha256, preSha256 }) => (preSha256 === null ? [sha256] : [sha256, preSha256]));
  return [...new Set(raw === null ? digests : [...digests, raw])];
}
