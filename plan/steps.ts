/** What the steps after generation are asked and answer: verification, writing, the whole task at once, undo, notification. No code. */
import type { News, NotifyEvent } from './news';
import type { ArtifactFile, GenerateRequest, GenerateResult, Risk, RiskReason, Verdict, Verification } from './types';

export interface VerifyRequest {
  plan: string;
  task: string;
  tool: string;
  files: ArtifactFile[];
  allowAllPaths: boolean;
  /** Digest of the workspace object, and what generation laid over it: for references across files. */
  workspace: string;
  overlay: { [path: string]: string };
  /** `--skip-verify`: external verifiers are left out; the embedded ones always run. */
  skipExternal?: boolean;
  /** In a dry run: say which backups a write would make, beside those that the task has (as in `WriteRequest`). */
  preview?: { keepBackup: { [path: string]: string | null } };
}

export interface VerifiedFile {
  path: string;
  action: 'create' | 'modify' | 'unchanged';
  /** SHA-256 (hex) of canonical JSON of `{ path, sha256, preSha256, mode }`: what a file gate is about. */
  digest: string;
  risk: Risk;
  riskReasons: RiskReason[];
  diffStat: { added: number; removed: number };
  /** In a dry run: the backup that a write would make of what stands there; null where it would make none. */
  wouldBackUp?: string | null;
}

export interface VerifyResult {
  verdict: Verdict;
  verification: Verification[];
  files: VerifiedFile[];
  /** Paths whose content on disk is no longer what generation saw. */
  stale: string[];
}

export interface WriteRequest {
  plan: string;
  task: string;
  tool: string;
  files: ArtifactFile[];
  allowAllPaths: boolean;
  /** Backups that this plan made before: path → backup (null: nothing stood there). They are never made again. */
  keepBackup: { [path: string]: string | null };
}

/** Verification and writing in one step, where nobody has to decide in between unless the result is too risky. */
export interface VerifyAndWriteRequest extends WriteRequest, VerifyRequest {
  /** A file riskier than this is not written; nor is anything else of the artifact then. */
  riskPassed: Risk;
}

export interface VerifyAndWriteResult {
  verified: VerifyResult;
  /** Null where verification failed, a base is stale, or a file is too risky. */
  written: WriteResult | null;
}

/** A whole task in one step, where nobody has to decide anything in between: generation, verification and writing. */
export interface MakeRequest
  extends Pick<VerifyAndWriteRequest, 'allowAllPaths' | 'keepBackup' | 'riskPassed' | 'skipExternal'> {
  generate: GenerateRequest;
  run: number;
  /** Name of the write in its journal; the step that takes over where this one could not write has the same. */
  write: string;
}

export interface MakeResult {
  generated: GenerateResult;
  /** Null where it could not be verified or written: the next step tries that by itself, and says what is wrong. */
  done: VerifyAndWriteResult | null;
  /** True where the write had begun, whatever came of it. */
  begun: boolean;
}

/** A file that a write has, or may have, put on disk. */
export type BegunFile = Pick<ArtifactFile, 'path' | 'sha256' | 'preSha256' | 'mode'>;

/** The end of a plan's audit log: how many entries, and the hash of the last (hex); null for an empty log. */
export interface LogHead {
  size: number;
  hash: string | null;
}

export interface WrittenFile extends ArtifactFile {
  action: 'create' | 'modify' | 'unchanged';
  /** Path of the `.bak` that holds what stood there before; null where nothing did. */
  backup: string | null;
}

/**
 * `conflicts`: paths whose base changed; then nothing of the task was written, but for what an earlier attempt had
 * written before it was killed: `files` names those.
 */
export interface WriteResult {
  files: WrittenFile[];
  conflicts: string[];
  /** Directories that the write made, outermost first; a rollback removes those that are empty. */
  madeDirectories?: string[];
  /** The log as it stood before anything was written. */
  audit?: LogHead;
}

// ---- taking back what was written ---------------------------------------------------------------

/** `rollback` puts back what stood there before; `clean` removes what the plan made and leaves it at that. */
export type UndoKind = 'rollback' | 'clean';

/** One write of one file, as the plan remembers it for taking it back. Digests are SHA-256 hex. */
export interface WriteStep {
  task: string;
  /** Higher is later; unique within a plan, but for the files of one write. */
  order: number;
  sha256: string;
  /** What it replaced; null: nothing stood there. */
  preSha256: string | null;
  mode: string;
  /** The `.bak` that this write made of it. */
  backup: string | null;
  /** Name of the write while its outcome is not known: it failed, and what it did stands in its journal. */
  unconfirmed?: string;
}

/** Everything that a plan wrote at one path, newest first. */
export interface UndoFile {
  path: string;
  steps: WriteStep[];
}

export interface UndoRequest {
  plan: string;
  kind: UndoKind;
  files: UndoFile[];
  /** Directories that the plan's writes made; those that are empty then are removed. */
  directories: string[];
  /** Also takes back files that a person changed; their content is kept as an object. */
  overwriteChanged: boolean;
}

/** What became of one path. */
export interface UndoneFile {
  path: string;
  /**
   * `deleted`, `restored`: now. `gone`: it was deleted since. `original`: nothing of the plan stands there.
   * `changed`, `refused`, `failed`: it is left as it is, for the reason given.
   */
  outcome: 'deleted' | 'restored' | 'gone' | 'original' | 'changed' | 'refused' | 'failed';
  /** How many of its steps are undone now, counted from the newest. */
  undone: number;
  reason: string | null;
  /** What a person can do. */
  advice: string | null;
  /** "Integrity" where the true backup is missing or damaged. */
  error: string | null;
  /** A `.bak` of the plan that stands there still. */
  backup: string | null;
  /** Object (SHA-256 hex) with a person's content that was taken away. */
  kept: string | null;
}

export interface UndoResult {
  files: UndoneFile[];
  /** Directories that were removed, innermost first. */
  directories: string[];
  /** Empty directories that could not be removed. */
  directoriesLeft: { path: string; reason: string }[];
  /** The audit log as it stood before anything was taken back. */
  audit?: LogHead;
}

/** One thing that happened, for one sink; where the sink is, the activity knows. */
export interface NotifyRequest {
  sink: string;
  /** The same for each attempt, and unique otherwise. */
  id: string;
  event: NotifyEvent;
  news: News;
}

export interface NotifyResult {
  /** HTTP status of the answer. */
  status: number;
}
