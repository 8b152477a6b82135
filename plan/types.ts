/**
 * The shapes that the rooms share. No code, no I/O: everything here may be imported anywhere,
 * the workflow sandbox included.
 */

import type { SinkRule } from './news';
import type { PolicyRules } from './rules/types';

export type { FoundCommand, Language, WorkspaceFacts, WorkspaceSnapshot } from './workspace';

export type Risk = 'LOW' | 'MEDIUM' | 'HIGH';

export type PlanStatus =
  | 'planning'
  | 'ready'
  | 'running'
  | 'waiting'
  | 'paused'
  | 'completed'
  | 'partial'
  | 'failed'
  | 'cancelled'
  | 'rolled_back'
  | 'cleaned'
  | 'archived';

export type TaskStatus =
  | 'pending'
  | 'generating'
  | 'verifying'
  | 'awaiting_approval'
  | 'writing'
  | 'completed'
  | 'failed'
  | 'declined'
  | 'skipped'
  | 'cancelled';

export type RunKind = 'apply' | 'dry-run' | 'resume' | 'retry' | 'replay' | 'task';

/** Any JSON value. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/** A node of the task graph, as the planner gave it. `input` may hold `$ref:<taskId>[.<key>]` strings. */
export interface TaskNode {
  id: string;
  tool: string;
  description: string;
  input: JsonObject;
  deps: string[];
}

export interface TaskGraph {
  nodes: TaskNode[];
}

/** Why a plan, file or task has its risk: the rule's name, its level and the place that met it. */
export interface RiskReason {
  rule: string;
  level: Risk;
  where: string;
}

/** One file of an artifact. `preSha256` is null where nothing stood at the path when it was generated. */
export interface ArtifactFile {
  path: string;
  /** SHA-256 (hex) of the new content; the content is the object of that name. */
  sha256: string;
  bytes: number;
  /** SHA-256 (hex) of the content that generation saw at this path; null: nothing was there. */
  preSha256: string | null;
  /** Octal permission string, for example "0644". */
  mode: string;
}

export interface Finding {
  rule: string;
  severity: 'error' | 'warning' | 'info';
  message: string;
  path?: string;
  /** 1-based. */
  line?: number;
  column?: number;
}

export type Verdict = 'passed' | 'failed' | 'inconclusive' | 'skipped';

export interface Verification {
  verifier: string;
  version: string;
  path: string;
  verdict: Verdict;
  /** Why it was skipped or is inconclusive. */
  reason?: string;
  findings: Finding[];
}

export interface Usage {
  promptTokens: number;
  completionTokens: number;
  calls: number;
  /** True: a server did not say how many, and some of them were estimated. */
  estimated?: boolean;
}

/** Which skill carried a task out; names as in `docs/contract.md`. Digests are SHA-256 hex. */
export interface SkillRecord {
  toolType: 'built-in' | 'custom';
  toolVersion: string;
  toolHash: string;
  toolSource: string;
  systemPromptHash: string;
}

/** How an LLM is reached for one plan or run. The key and the base URL are the worker's, never stored. */
export interface ModelSettings {
  provider: string;
  /** The one that carries tasks out, and that plans where no `planner` is named. */
  model: string;
  temperature: number;
  planner?: string;
  /** Who is asked where the provider cannot answer; absent: nobody. */
  fallback?: FallbackSettings | null;
}

export interface FallbackSettings {
  provider: string;
  model: string;
  planner?: string;
}

// ---- what activities take and give -------------------------------------------------------------

/** The policy's part that the workflow rules by; read from `.planwright/policy.yaml`. */
export interface PolicySnapshot {
  /** SHA-256 (hex) of canonical JSON of the whole effective policy. */
  digest: string;
  maxTasks: number;
  onDecline: 'run' | 'skip';
  /** Names of the widening flags that may be used, for example "yes", "allow-all-paths". */
  flags: string[];
  /** Who decides, until when, what may be spent and when nothing is written; absent before there were such rules. */
  rules?: PolicyRules;
  /** Whose decisions count, with their public keys as in `plan/signing.ts`. Absent: a decision needs no signature. */
  approvers?: { name: string; key: string }[];
  /** Who is told what; absent: nobody. */
  notify?: SinkRule[];
}

export interface ReadWorkspaceRequest {
  plan: string;
  extraPaths: string[];
  /** Set where a run begins with it. */
  start?: RunStart;
}

/** What a run wants to know of the workspace's machine before its first task. */
export interface RunStart {
  /** What flags say of the model; the rest is as it is in force on the worker. */
  settings: Partial<ModelSettings>;
  /** Whether uncommitted changes matter to it. */
  checkGit: boolean;
  /** Paths whose content it compares. */
  bases: string[];
}

/** What a generation depends on beside its prompt, as it is in force on this worker. Digests are SHA-256 hex. */
export interface Environment {
  provider: string;
  model: string;
  temperature: number | null;
  policy: string;
  planwright: string;
  skills: { [tool: string]: Pick<SkillRecord, 'toolHash' | 'systemPromptHash'> };
  /** Version of each verifier by name. */
  verifiers: { [verifier: string]: string };
}

export interface RunStartFacts {
  environment: Environment;
  /** Uncommitted paths that are not ours, relative to the workspace; empty where there is no repository or no git. */
  dirty: string[];
  /** Why git could not say; null where it could, or where there is nothing to ask. */
  gitFault: string | null;
  /** SHA-256 (hex) of what stands at each path asked for; null: nothing; "unsafe": nothing that may be read. */
  bases: { [path: string]: string | null };
}

/**
 * The workspace as it was read: facts and existing files, stored as one object.
 * `digest` names an object holding JSON of `WorkspaceSnapshot`.
 */
export interface WorkspaceRead {
  digest: string;
  policy: PolicySnapshot;
  gitHead: string | null;
  /** Set where the request has `start`. */
  start?: RunStartFacts;
}

export interface DecomposeRequest {
  plan: string;
  goal: string;
  /** 1 for the first question, 2 and 3 with the list of faults. */
  attempt: number;
  faults: string[];
  /** Digest of the workspace object. */
  workspace: string;
  settings: ModelSettings;
  timeoutMs: number;
  maxTasks: number;
  /** A graph made elsewhere (`--graph`): it is checked, and no model is asked. */
  graph?: TaskGraph | null;
}

/** What a call of a model has come to so far; the heartbeat of its activity carries it. */
export interface ModelProgress {
  /** Null while the goal is planned. */
  task: string | null;
  generation: number;
  /** Written so far, by estimate. */
  tokens: number;
}

/** One question to a model as it went, for the audit log. Digests are SHA-256 hex; texts are masked and bounded. */
export interface CallTrace {
  /** Digest of the whole question. */
  prompt: string;
  /** When it was asked, by the worker's clock; null where nobody was. */
  startedAt: string | null;
  /** `unknown`: it has a start and no end. `failed`: no answer came. `refused`: the answer could not be used. */
  outcome: 'answered' | 'refused' | 'failed' | 'unknown';
  failure: string | null;
  seed: number | null;
  /** As it was sent; null where the server would not take one. */
  temperature: number | null;
  modelReturned: string | null;
  /** Digest of the answer as it came. */
  output: string | null;
  finishReason: string | null;
  responseId: string | null;
  promptTokens: number;
  completionTokens: number;
  /** True: not all of them were counted by the server. */
  estimated?: boolean;
  /** True: it was answered and told of before, and nobody was asked again. */
  fromRecord: boolean;
  /** Set where it was not the provider and model of the settings: those of the fallback. */
  provider?: string;
  model?: string;
}

export interface DecomposeResult {
  graph: TaskGraph | null;
  /** Set where the graph is null or breaks a rule. */
  faults: string[];
  risk: Risk;
  riskReasons: RiskReason[];
  skills: { [tool: string]: SkillRecord };
  /** The model that answered, as it names itself. */
  modelReturned: string;
  usage: Usage;
  /** Object holding the model's answer as it came. */
  raw: string | null;
  /** What a person should know of the plan besides its tasks, in sentences: for example what of the goal it leaves out. */
  notes?: string[];
  /** SHA-256 (hex) of canonical JSON of the graph; null where there is none. */
  graphDigest: string | null;
  /** Every question that was asked for it, in order. */
  calls: CallTrace[];
  /** Set where the fallback answered: its name. */
  provider?: string;
}

export interface GenerateRequest {
  plan: string;
  task: TaskNode;
  /** Outputs of the tasks that the task's input refers to; the activity resolves, by the schema of the task's skill. */
  refs: { [taskId: string]: { tool: string; output: JsonObject } };
  /** Counts from 1; a new number asks again. */
  generation: number;
  settings: ModelSettings;
  timeoutMs: number;
  /** Digest of the workspace object. */
  workspace: string;
  /** Files of ancestors that the snapshot does not hold yet: path → SHA-256 of an object. */
  overlay: { [path: string]: string };
  /** What was wrong with the generation before: findings, or a person's requested changes. */
  feedback: string[];
  /** What this task alone was told besides, one instruction a line. */
  instruction: string | null;
  /** The seed for the model; the generation's number unless told (a replay asks with the seed of the record). */
  seed?: number;
  /** `startedAt` of the newest call that the workflow has heard of; later ones are told of with the answer. */
  toldUntil?: string;
  /** Where there is a budget: one new call at most, then `AskAgain`, so that each call is preceded by a look at it. */
  oneCall?: boolean;
}

export interface GenerateResult {
  files: ArtifactFile[];
  summary: string;
  /** The task's output by its skill's declared schema; `summary` and `files` (paths) always in it. */
  output: JsonObject;
  skill: SkillRecord;
  modelReturned: string;
  temperatureSent: number | null;
  promptDigest: string;
  responseId: string | null;
  finishReason: string | null;
  usage: Usage;
  /** Object holding the model's answer as it came. */
  raw: string;
  /** True where an answer stored by an earlier attempt was taken and no model was called. */
  fromRecord: boolean;
  /** Every question that was asked for it and not told of before, in order. */
  calls: CallTrace[];
  /** Set where the fallback answered: its name. */
  provider?: string;
}
