import { matcherOf } from '../../plan/globs';
import type { Mask } from '../../plan/mask';
import type { ModelProgress, ModelSettings, WorkspaceSnapshot } from '../../plan/types';
import type { SkillFault } from '../../skills/skill-set';
import type { Skill } from '../../skills/types';
import type { WorkspaceLayout } from '../../store/layout';
import type { ObjectStore } from '../../store/objects';
import type { Who } from './ask';
import type { ModelProvider } from './provider';
import type { CallEvent } from './records';

/** What one running activity is given by Temporal. */
export interface ActivityContext {
  /** @param progress for those who watch: what is being made, and how much of it there is */
  heartbeat(progress?: ModelProgress): void;
  signal: AbortSignal;
  /** From 1. */
  attempt: number;
}

/** What the activities of this room need from the worker. */
export interface LlmDeps {
  objects: ObjectStore;
  layout: Pick<WorkspaceLayout, 'calls'>;
  skills(): Promise<Map<string, Skill>>;
  /** Custom skills that were found and are not used. */
  skillFaults?(): Promise<SkillFault[]>;
  /** @throws ApplicationFailure `BadInput` for a name that it does not know */
  providers(name: string): ModelProvider;
  context(): ActivityContext;
  /** Hides secrets in what a model says of tasks; unless told, what looks like one. */
  mask?: Mask;
  /** Most bytes of one file, by the policy in force. */
  fileBytes(): Promise<number>;
  /** Damaged records and calls of unknown outcome, for the log. */
  report?(event: CallEvent): void;
}

/** Whom a plan's settings mean. Errors as `providers`. @param planning the planners' models are meant */
export function whoOf(deps: LlmDeps, { provider, fallback }: ModelSettings, planning = false): Who {
  const model = (planning ? fallback?.planner : undefined) ?? fallback?.model ?? '';
  return {
    provider: deps.providers(provider),
    fallback: fallback ? { provider: deps.providers(fallback.provider), model } : null,
  };
}

/** The name of the embedded provider, which is no model. */
export const TEMPLATE = 'template';

/** Secrets live here; whoever took the snapshot left them out, and nobody reads them from it either (threat T16). */
const SECRET_FILE = /(^|\/)\.env(?!\.example$)[^/]*$/i;

// Every task of a run sees the same one, and a large workspace takes milliseconds to parse.
let last: { text: string; snapshot: WorkspaceSnapshot } | null = null;

/** What it returns is shared: do not change it. Errors as `ObjectStore.get`. */
export async function readSnapshot(objects: ObjectStore, digest: string): Promise<WorkspaceSnapshot> {
  const text = await objects.recentText(digest);
  // An object of our own making, and re-hashed when it was read: what was stored is what comes back.
  if (last?.text !== text) last = { text, snapshot: JSON.parse(text) as WorkspaceSnapshot };
  return last.snapshot;
}

/** The workspace as a generation sees it: the snapshot with the artifacts of the task's ancestors laid over it. */
export interface Overlay {
  /** Contents by path, ancestors' files first. */
  existing: { [path: string]: string };
  /** SHA-256 (hex) and mode of what stands at a path; null where nothing does. */
  base(path: string): { sha256: string; mode: string | null } | null;
}

/** @param overlay path → digest of an object; it wins over the snapshot */
export async function readOverlay(
  objects: ObjectStore,
  snapshot: WorkspaceSnapshot,
  overlay: { [path: string]: string },
): Promise<Overlay> {
  const files = new Map(Object.entries(overlay));
  for (const [path, { sha256 }] of Object.entries(snapshot.files)) {
    if (!files.has(path) && !SECRET_FILE.test(path)) files.set(path, sha256);
  }
  const existing: { [path: string]: string } = {};
  for (const [path, digest] of files) existing[path] = await objects.recentText(digest);
  return {
    existing,
    base: (path) => {
      const known = Object.hasOwn(snapshot.files, path) ? snapshot.files[path] : undefined;
      const over = Object.hasOwn(overlay, path) ? overlay[path] : undefined;
      const sha256 = over ?? known?.sha256;
      return sha256 === undefined ? null : { sha256, mode: known?.mode ?? null };
    },
  };
}

/** The existing files that a prompt shows: ancestors' first, then those in the skill's scope, by path. */
export function relevantFiles(skill: Skill, overlay: Overlay, ancestors: ReadonlySet<string>): [string, string][] {
  const inScope = matcherOf(skill.scope);
  const rank = (path: string): number => (ancestors.has(path) ? 0 : 1);
  return Object.entries(overlay.existing)
    .filter(([path]) => ancestors.has(path) || inScope(path))
    .sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1));
}
