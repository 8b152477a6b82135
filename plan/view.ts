/** The plan as everybody sees it: `plan show --json`, the plan file and the Query `plan` (docs/contract.md). */
import type { Overrun } from './rules/budgets';
import type { Vote } from './rules/votes';
import type { DecisionSignature } from './signing';
import type { LogHead, UndoKind, UndoResult } from './steps';
import type {
  ArtifactFile,
  Json,
  JsonObject,
  ModelSettings,
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
  /** Of a dry run: the backup that writing would make; null where it would make none. */
  wouldBackUp?: string | null;
}

export interface DecisionView {
  gate: string;
  /** `dirty`: the check of the git working tree, passed by a flag. */
  kind: GateKind | 'dirty';
  decision: string;
  by: string;
  reason: string | null;
  at: string;
  path: string | null;
  /** Set where `by` was proven by a signature; otherwise it is a claim. */
  auth?: 'signed';
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
  /** What the task was told since the plan was made, oldest first: with each, it is another revision of the task. */
  revisions?: TaskRevision[];
  /** Artifacts of earlier generations, oldest first; bounded. The current one is `files`. */
  earlier?: { generation: number; files: ArtifactFile[] }[];
  /** Why it does not move though its turn has come: paused, frozen, out of budget; null or absent where it may. */
  held?: string | null;
  /** When a written artifact gave way to one with other bytes: dependents that completed before are stale. */
  replacedAt?: string;
}

/** Revision 1 is the task as it was planned. */
export interface TaskRevision {
  revision: number;
  instruction: string;
  by: string;
  at: string;
}

/** One thing that a run compares with the record: a line of a table, with "none" where there is nothing. */
export interface ComparisonLine {
  what: string;
  expected: string;
  actual: string;
  matches: boolean;
}

/** A file of a replay whose bytes are not the recorded ones; null: it is not there at all. */
export interface Difference {
  task: string;
  path: string;
  recorded: string | null;
  now: string | null;
}

export interface RunView {
  number: number;
  kind: RunKind;
  status: 'running' | 'completed' | 'partial' | 'failed' | 'cancelled' | 'refused';
  startedAt: string;
  finishedAt: string | null;
  by: string;
  yes: boolean;
  /** Set where it left out external verifiers. */
  skipVerify?: boolean;
  /** Tasks that this run set out to do, by id, in order. */
  tasks: string[];
  reason: string | null;
  /** SHA-256 (hex) of the policy that it rules by, from its start to its end. */
  policy?: string;
  /** Of a dry run: what came of each task that is done; the tasks themselves go back to the state that they had. */
  previews?: { [task: string]: { result: 'generated' | 'failed' | 'skipped'; reason: string | null } };
  /** Of a replay: everything that was compared; of any other run: what changed since the plan was made. */
  comparison?: ComparisonLine[];
  /** Of a replay. */
  differences?: Difference[];
  /** Why it was refused: uncommitted paths, or paths whose base changed since their artifact was made. */
  dirty?: string[];
  stale?: string[];
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
  outcome: { decision: string; by: string; reason: string | null; at: string; auth?: 'signed'; value?: number } | null;
  /** The rule of the policy that it meets; null: none. */
  rule?: string | null;
  /** How many approvals by different people it takes; 1 unless told. */
  approvals?: number;
  /** Who may decide; null: anyone. Grows where the gate escalated. */
  may?: string[] | null;
  /** Set where the person who asked for the run may not approve. */
  excludeRequester?: boolean;
  requester?: string;
  /** Set where the policy names approvers: only a signed decision counts. */
  signed?: true;
  /** What was said so far and did not settle it: the newest vote of each person. */
  votes?: Vote[];
  /** ISO times still to come; `until` is when it expires. */
  remindAt?: string | null;
  escalateAt?: string | null;
  escalateTo?: string[];
  /** ISO times at which it happened. */
  remindedAt?: string;
  escalatedAt?: string;
  /** What it is about, in a sentence, where it is about no file. */
  about?: string;
  /** Of a `budget` gate. */
  budget?: Overrun;
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
  /** The same by provider; absent where no model was asked. */
  usageBy?: { [provider: string]: Usage };
  /**
   * Tokens that are being written at this moment, by task ("" for the planning). Only in what a client follows: never stored,
   * and not of the workflow.
   */
  live?: { [task: string]: number };
  /** Object holding the planner's answer as it came. */
  raw: string | null;
  /** The latest rollback or clean. */
  undo?: UndoView;
  /** Set while the run is paused. */
  paused?: PauseView | null;
  /** Set while a freeze window of the policy keeps the run, or a write of it, waiting. */
  frozen?: { window: string; until: string } | null;
  /** All that came to an end, oldest first; bounded. */
  undos?: UndoSummary[];
  /** Writes that wait because the audit log cannot be written. */
  blocked?: { reason: string; since: string; tasks: string[] };
  /** The audit log's end as far as writes have told of it: a log that is shorter was cut. */
  audit?: LogHead;
  /** The latest decisions that broke a rule, oldest first. */
  refusals?: { at: string; gate: string; by: string; type: string; message: string }[];
  /** What became of notifications, where the policy has sinks: how many, and the latest that were given up. */
  notifications?: {
    sent: number;
    waiting: number;
    failed: { sink: string; event: string; at: string; error: string }[];
  };
  /** Only in an answer of the Query `plan` that holds some of the tasks; ask `{"from": next}` for those that follow. */
  page?: PageView;
}

/** Which tasks an answer holds, by their index in the graph. */
export interface PageView {
  from: number;
  count: number;
  /** Tasks of the whole plan. */
  of: number;
  /** `from` of the next page; null: this is the last. */
  next: number | null;
}

export interface PauseView {
  by: string;
  /** ISO time. */
  at: string;
  reason: string | null;
}

/** What a rollback or a clean came to, in numbers of files. */
export interface UndoSummary extends Pick<UndoView, 'number' | 'kind' | 'status' | 'by' | 'startedAt' | 'finishedAt'> {
  deleted: number;
  restored: number;
  /** Those that were left as they are, or could not be taken back. */
  left: number;
}

/** A rollback or a clean. They are numbered together, apart from the runs. */
export interface UndoView extends Omit<UndoResult, 'audit'> {
  number: number;
  kind: UndoKind;
  /** `partial`: what is left stands in `files` with its reason. `failed`: it came to no end, see `error`. */
  status: 'running' | 'completed' | 'partial' | 'failed';
  by: string;
  overwriteChanged: boolean;
  startedAt: string;
  finishedAt: string | null;
  error: TaskError | null;
}

/** Payload of Update and Signal `decide`. */
export interface Decide {
  gate: string;
  decision: string;
  by: string;
  reason?: string;
  digest?: string;
  value?: Json;
  /** Needed where the policy names approvers. */
  signed?: DecisionSignature;
}

export interface DecideAnswer {
  gate: string;
  decision: string;
  by: string;
  at: string;
  /** Set where the gate is still open: how many approvals there are, of how many. */
  pending?: { approvals: number; needed: number };
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
  allowDirty?: boolean;
  /** Leaves out external verifiers; the embedded ones always run. */
  skipVerify?: boolean;
  /** `allowDirty`, and the risk gate and a replay's comparison pass by it. */
  force?: boolean;
  /** Generates and verifies, opens no gate and writes nothing; the artifacts stay for the next run. */
  dryRun?: boolean;
  /** Runs again what is recorded, at temperature 0, and compares; with `recorded`, writes the record and asks nobody. */
  replay?: boolean;
  recorded?: boolean;
  /** Task ids: only these and what they need; all but these and what needs them. */
  only?: string[];
  exclude?: string[];
  instruct?: string;
  /** Most tokens of the whole plan, earlier runs included; the policy's budget holds where it is smaller. */
  maxTokens?: number;
  /** `wait`: a task that failed for good opens a `stuck` gate. */
  onFailure?: 'stop' | 'wait';
  /** For this run only. */
  settings?: Partial<ModelSettings>;
}

/** `started`: a new run; `attached`: one was under way; `nothing`: nothing to do, see `message`. */
export interface ApplyAnswer {
  result: 'started' | 'attached' | 'nothing';
  run: number | null;
  message: string | null;
  /** The tasks that a new run sets out to do. */
  tasks?: string[];
}

/** Payload of the Updates `pause` and `unpause`. */
export interface PauseRequest {
  by: string;
  reason?: string | null;
}

/** `changed` is false where the plan was that way already. */
export interface PauseAnswer extends PauseView {
  status: PlanStatus;
  changed: boolean;
  /** Tasks whose step in flight is finished before they rest. */
  finishing: number[];
}

/** Payload of Update `cancel`. */
export interface CancelRequest {
  by?: string;
  reason?: string | null;
}

/** Payload of the Updates `rollback` and `clean`. */
export interface UndoMessage {
  by: string;
  /** Also takes back what a person changed; that content is kept as an object. */
  overwriteChanged?: boolean;
}

/** The undo goes on by itself: follow `undo` of the view with that number. */
export interface UndoAnswer {
  result: 'started';
  number: number;
}

/** Payload of Update `delete`. */
export interface DeleteRequest {
  by: string;
}
