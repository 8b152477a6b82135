/** The plan as everybody sees it: `plan show --json`, the plan file and the Query `plan` (contract.md). */
import type {
  Json,
  JsonObject,
  PlanStatus,
  Risk,
  RiskReason,
  RunKind,
  SkillRecord,
  TaskGraph,
  TaskStatus,
  Usage,
  Verification,
} from './types';

export const PLAN_SCHEMA = 'planwright.plan/1';

export interface FileView {
  path: string;
  action: 'create' | 'modify' | 'unchanged';
  sha256: string;
  bytes: number;
  preSha256: string | null;
  mode: string;
  backup: string | null;
  /** `proposed`: generated, not on disk; `written`; `declined`: a person refused it. */
  state: 'proposed' | 'written' | 'declined';
  digest: string;
  diffStat: { added: number; removed: number };
  risk: Risk;
}

export interface DecisionView {
  gate: string;
  kind: GateKind;
  decision: string;
  by: string;
  reason: string | null;
  at: string;
  path: string | null;
}

export interface TaskError {
  /** Machine-readable kind: "Timeout", "Provider", "Credentials", "BadAnswer", "Verification", "Write", … */
  type: string;
  message: string;
  advice?: string;
}

export interface TaskView {
  number: number;
  status: TaskStatus;
  reason: string | null;
  /** Generations asked for so far. */
  attempts: number;
  startedAt: string | null;
  completedAt: string | null;
  skill: SkillRecord | null;
  files: FileView[];
  verification: Verification[];
  decisions: DecisionView[];
  usage: Usage;
  /** Model as it named itself. */
  modelReturned: string | null;
  output: JsonObject;
  error: TaskError | null;
  /** Object holding the model's answer as it came. */
  raw: string | null;
  /** The run that touched it last. */
  run: number | null;
}

export interface RunView {
  number: number;
  kind: RunKind;
  status: 'running' | 'completed' | 'partial' | 'failed' | 'cancelled' | 'refused';
  startedAt: string;
  finishedAt: string | null;
  by: string;
  yes: boolean;
  /** Tasks that this run set out to do, by id, in order. */
  tasks: string[];
  reason: string | null;
}

export type GateKind = 'file' | 'tool' | 'risk' | 'drift' | 'budget' | 'stuck';

/** A gate, open or decided. `by` and `decide` of the contract's `approvals --json` are added by the client. */
export interface GateView {
  gate: string;
  kind: GateKind;
  task: string | null;
  path: string | null;
  digest: string | null;
  risk: Risk;
  riskReasons: RiskReason[];
  since: string;
  until: string | null;
  diffStat: { added: number; removed: number };
  /** SHA-256 of new content and base, to show the diff from the object store. */
  sha256: string | null;
  preSha256: string | null;
  outcome: { decision: string; by: string; reason: string | null; at: string } | null;
}

export interface PlanView {
  schema: typeof PLAN_SCHEMA;
  id: string;
  name: string;
  goal: string;
  status: PlanStatus;
  /** Why it was cancelled or refused. */
  reason: string | null;
  /** Why planning failed; null otherwise. */
  failure: TaskError | null;
  /** What a person should know of the plan besides its tasks, for example what of the goal it leaves out. */
  notes?: string[];
  risk: Risk;
  riskReasons: RiskReason[];
  revision: number;
  /** Counts changes of this view: equal numbers, equal views. */
  changes: number;
  createdAt: string;
  updatedAt: string;
  provider: string;
  model: string;
  temperature: number;
  context: {
    planwrightVersion: string;
    policySnapshot: string;
    toolVersions: { [tool: string]: string };
    gitHead: string | null;
    workspace: string;
  };
  graph: TaskGraph;
  tasks: { [id: string]: TaskView };
  runs: RunView[];
  /** Open gates, oldest first. */
  gates: GateView[];
  /** Decisions of gates that belong to no task, such as `risk`. */
  decisions: DecisionView[];
  usage: Usage;
  /** Object holding the planner's answer as it came. */
  raw: string | null;
}

/** Payload of Update and Signal `decide`. */
export interface Decide {
  gate: string;
  decision: string;
  by: string;
  reason?: string;
  digest?: string;
  value?: Json;
}

export interface DecideAnswer {
  gate: string;
  decision: string;
  by: string;
  at: string;
}

/** Payload of Update `apply`. */
export interface ApplyRequest {
  by: string;
  yes?: boolean;
  resume?: boolean;
  retry?: boolean;
  refresh?: boolean;
  /** Task id. */
  task?: string;
  /** Milliseconds for one generation call. */
  timeoutMs?: number;
  concurrency?: number;
  allowAllPaths?: boolean;
  instruct?: string;
  /** For this run only. */
  settings?: { provider?: string; model?: string; temperature?: number };
}

/** `started`: a new run; `attached`: one was under way; `nothing`: nothing to do, see `message`. */
export interface ApplyAnswer {
  result: 'started' | 'attached' | 'nothing';
  run: number | null;
  message: string | null;
}

/** Payload of Update `cancel`. */
export interface CancelRequest {
  by?: string;
  reason?: string | null;
}
