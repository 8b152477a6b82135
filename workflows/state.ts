import type { CarriedPlan } from '../plan/export';
import type { LostPlan } from '../plan/lost';
import type { Limit } from '../plan/rules/types';
import type { WriteStep } from '../plan/steps';
import type { ModelSettings, PlanStatus, PolicySnapshot, TaskGraph, Usage } from '../plan/types';
import {
  type ApplyAnswer,
  type ApplyRequest,
  type GateView,
  PLAN_SCHEMA,
  type PlanView,
  type TaskError,
  type TaskView,
  type UndoAnswer,
} from '../plan/view';
import type { UsedNonce } from './identity';
import type { NotifyState } from './notify-state';

/** What a plan is started with; the goal's bytes are limited by the client and by policy. */
export interface NewPlan {
  id: string;
  name: string;
  goal: string;
  /** The workspace's id (`ws-…`), never its path. */
  workspace: string;
  by: string;
  settings: ModelSettings;
  timeoutMs: number;
  planwrightVersion: string;
  /** A graph made elsewhere: checked like the model's, and the model is not asked. */
  graph: TaskGraph | null;
  /** False where the search attributes are not registered; nothing is upserted then. */
  searchAttributes: boolean;
  /** Task queue for calls of the model; null: the workspace's own. */
  llmQueue: string | null;
}

/** What the workflow knows of a task beyond its view. */
export interface TaskInternals {
  /** Number of the generation that is current; 0 before the first. */
  generation: number;
  /** The generation whose tokens were counted last. */
  counted?: number;
  /** Calls of the current generation whose answers could not be used, where each call is asked for: how often, and what was counted. */
  asked?: { generation: number; times: number; usage: Usage };
  /** `startedAt` of the newest call of a model that the history has heard of. */
  toldUntil?: string;
  /** What the next generation is told: findings, or a person's requested changes. */
  feedback: string[];
  /** Changes that a person asked for at a gate, until the next generation takes them up. */
  requested: string[];
  instruction: string | null;
  /** Digests of files that a person approved; they survive a new generation with the same bytes. */
  approved: { [digest: string]: { by: string; at: string } };
  rejected: { [digest: string]: { by: string; at: string } };
  /** Number of the workspace snapshot before which its files were written; 0: none this snapshot. */
  writtenAfterSnapshot: number;
  /** Regenerations after failed verification, and after a changed base, in this run. */
  repairs: number;
  conflicts: number;
  /** Backups this plan already made: path → backup, so that our own output never becomes "the original". */
  backups: { [path: string]: string | null };
  /** Directories that its writes made, for a rollback to take away again. */
  madeDirectories: string[];
  /** What the current artifact was made from; absent before the first. */
  made?: Made;
  /** True where the artifact was generated, verified and not written: the next run takes it as it is. */
  kept?: boolean;
  /** What it wrote last: path → SHA-256 of the content. */
  wrote?: { [path: string]: string };
  /** What it wrote and has not taken back, by path, newest first. */
  steps?: { [path: string]: WriteStep[] };
  /** Set where it failed for good and waits for a person: the gate, and what it failed by. */
  stuck?: { gate: string; error: TaskError };
  /** How often it was taken up again at such a gate. */
  retries?: number;
  /** The gate before its skill runs, and the run that it was passed for. */
  toolGate?: string;
  toolPassed?: number;
  /** What a person raised its budget to, and the run in which one would not. */
  raised?: Partial<Limit>;
  budgetStopped?: number;
}

/** Everything that a generation was asked with, so that it can be asked again. */
export interface Made {
  at: string;
  generation: number;
  /** The number of the generation that was asked first; a replay asks with the same. */
  seed: number;
  workspace: string;
  overlay: { [path: string]: string };
  feedback: string[];
  instruction: string | null;
  settings: ModelSettings;
}

export interface RunState {
  number: number;
  request: ApplyRequest;
  /** True once policy let it begin; after continue-as-new it goes on and is not admitted again. */
  admitted: boolean;
  /** The risk up to which `--yes` approves in this run. */
  passed: 'MEDIUM' | 'HIGH';
  settings: ModelSettings;
  timeoutMs: number;
  /** The plan's status when the run began: that of a dry run or a refused run stays. */
  statusBefore?: PlanStatus;
  /** True once its tasks were set back to `pending`. */
  prepared?: boolean;
  /** Tasks as they were before a run that must not change them where it does not succeed: a dry run, a replay. */
  before?: { [task: string]: Partial<TaskView> & { own?: TaskInternals } };
  /** The gate for its risk, once it was opened. */
  riskGate?: string;
  riskPassed?: boolean;
  /** True once a person would not raise the plan's budget for it. */
  budgetStopped?: boolean;
  /** Of a replay: what stood on disk at the recorded paths when it began. */
  bases?: { [path: string]: string | null };
}

/** Everything that continue-as-new carries. */
export interface PlanState {
  view: PlanView;
  plan: NewPlan;
  policy: PolicySnapshot;
  snapshot: { digest: string; number: number } | null;
  internals: { [task: string]: TaskInternals };
  /** The run under way. */
  run: RunState | null;
  /** Decided gates, newest last; bounded, so that a late answer still learns who decided. */
  decided: GateView[];
  /** Rulings that were refused, newest last; bounded. */
  refused: { at: string; gate: string; by: string; type: string; message: string }[];
  /** Answers to the latest `apply`, `rollback` and `clean` updates by update id: one that is sent again after continue-as-new gets the same. */
  answered: { id: string; answer: ApplyAnswer | UndoAnswer }[];
  /** How many writes were noted so far. */
  writes?: number;
  /** What people raised the plan's budget to, and in which run they did so last. */
  raised: Partial<Limit> & { run?: number };
  /** What was told to whom, and what is still to be told. */
  notify?: NotifyState;
  /** Of signed decisions: what was used up and could still be used again; see identity.ts. */
  nonces?: UsedNonce[];
  /** The release of the worker that the execution before wanted to leave; see upgrade.ts. */
  left?: string;
}

/** What an execution starts with: a new plan, or what continue-as-new carried. */
export interface PlanInput {
  plan?: NewPlan;
  carried?: PlanState;
  /** What is left of a plan that Temporal lost; `plan` says how it is started. */
  lost?: LostPlan;
  /** What an export brought here; `plan` says how it is started. */
  imported?: CarriedPlan;
}

export const KEPT_DECIDED_GATES = 500;
export const KEPT_REFUSALS = 100;
export const KEPT_ANSWERS = 20;

/** Policy in force until the worker has read the real one: nothing is allowed by it, and nothing runs before. */
const UNREAD_POLICY: PolicySnapshot = { digest: '', maxTasks: 0, onDecline: 'run', flags: [] };

/** The state of a plan that was just started. @param at ISO time */
export function newState(plan: NewPlan, at: string): PlanState {
  const view: PlanView = {
    schema: PLAN_SCHEMA,
    id: plan.id,
    name: plan.name,
    goal: plan.goal,
    status: 'planning',
    reason: null,
    failure: null,
    risk: 'LOW',
    riskReasons: [],
    revision: 1,
    changes: 0,
    createdAt: at,
    updatedAt: at,
    provider: plan.settings.provider,
    model: plan.settings.model,
    temperature: plan.settings.temperature,
    context: {
      planwrightVersion: plan.planwrightVersion,
      policySnapshot: '',
      toolVersions: {},
      gitHead: null,
      workspace: plan.workspace,
    },
    graph: { nodes: [] },
    tasks: {},
    runs: [],
    gates: [],
    decisions: [],
    usage: { promptTokens: 0, completionTokens: 0, calls: 0 },
    raw: null,
  };
  return {
    view,
    plan: { ...plan, graph: null },
    policy: UNREAD_POLICY,
    snapshot: null,
    internals: {},
    run: null,
    decided: [],
    refused: [],
    answered: [],
    raised: {},
  };
}

export function newTaskView(number: number): TaskView {
  return {
    number,
    status: 'pending',
    reason: null,
    attempts: 0,
    startedAt: null,
    completedAt: null,
    skill: null,
    files: [],
    verification: [],
    decisions: [],
    usage: { promptTokens: 0, completionTokens: 0, calls: 0 },
    modelReturned: null,
    output: {},
    error: null,
    raw: null,
    run: null,
  };
}

export function newInternals(): TaskInternals {
  return {
    generation: 0,
    feedback: [],
    requested: [],
    instruction: null,
    approved: {},
    rejected: {},
    writtenAfterSnapshot: 0,
    repairs: 0,
    conflicts: 0,
    backups: {},
    madeDirectories: [],
  };
}
