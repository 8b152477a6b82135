import type { HistorySource } from '../audit/history';
import type { ReadPayload } from '../audit/history-events';
import type { CarriedFacts, CarriedPlan } from '../plan/export';
import type { UndoKind } from '../plan/steps';
import type { ModelSettings, PlanStatus, TaskGraph } from '../plan/types';
import type {
  ApplyAnswer,
  ApplyRequest,
  Decide,
  DecideAnswer,
  GateView,
  PauseAnswer,
  PauseRequest,
  PlanView,
  UndoAnswer,
  UndoMessage,
} from '../plan/view';
import type { PlanHistories } from './histories';

export interface CreatePlan {
  goal: string;
  name: string;
  by: string;
  settings: ModelSettings;
  /** A graph made elsewhere; the model is not asked. */
  graph?: TaskGraph;
  timeoutMs: number;
}

export interface PlanListing {
  id: string;
  name: string;
  goal: string;
  status: PlanStatus;
  createdAt: string;
  tasks: { total: number; completed: number };
  /** `approvals`: how many answers are still missing, over all gates. */
  waiting: { gates: number; approvals: number; since: string } | null;
  paused?: { by: string; at: string } | null;
  /** Tasks of it wait because the audit log cannot be written. */
  blocked?: { since: string } | null;
  frozen?: { window: string; until: string } | null;
  active: boolean;
  /** Set where the answer does not come from the running workflow: "the plan file", "Temporal says terminated", … */
  note: string | null;
}

/** `source`: where the view came from; `note` explains anything but a live answer. */
export interface Shown {
  view: PlanView;
  source: 'workflow' | 'plan file';
  note: string | null;
  /** False where the workflow is known to be over: nothing of the plan runs or waits, whatever its state says. */
  open: boolean;
  /** Temporal does not know the plan, and it can be taken up from its plan file: see `takeUp`. */
  lost?: boolean;
}

/** How a lost plan was taken up. */
export interface TakenUp {
  /** Where the plan file was kept as it was found; relative to the workspace. */
  kept: string;
  /** Completed tasks that begin again because an object of theirs is missing or damaged. */
  broken: { task: string; why: string }[];
}

/** Where a plan's past can be read in Temporal. */
export interface PlanPast {
  source: HistorySource;
  read: ReadPayload;
  /** The newest execution; null where Temporal does not know the plan (any more). */
  run: string | null;
  /** That execution goes on. */
  isOpen: boolean;
}

export interface OpenGate extends GateView {
  plan: string;
  name: string;
  taskNumber: number | null;
}

/**
 * Typed use of the plan workflows of one workspace. Every method throws a `PlanwrightError`
 * (plan/errors.ts): UsageError for an unknown plan, task or gate, RefusedError for a wrong state,
 * UnreachableError where Temporal or the worker does not answer.
 */
export interface PlanClient {
  /** Why nobody can be asked and everything comes from disk; empty or unset where Temporal answers. */
  readonly away?: string;
  /** Starts the plan's workflow and returns its id at once; `follow` it to see the planning. */
  create(plan: CreatePlan): Promise<string>;
  /**
   * Starts the workflow of a lost plan anew, with its id, from its plan file; `follow` it until it is no longer being made.
   * Throws IntegrityError where the plan file cannot be believed.
   */
  takeUp(id: string, by: string): Promise<TakenUp>;
  /** What an export has to know beside the view. Throws UnreachableError where the plan's workflow does not answer. */
  carried(id: string): Promise<CarriedFacts>;
  /** Starts a new plan with what was exported, whose objects are stored already; `follow` it until it is no longer being made. */
  import(carried: CarriedPlan, name: string, by: string): Promise<string>;
  /** Digests of all objects that open plans stand on. Throws UnreachableError where one of them does not answer. */
  references(): Promise<Set<string>>;
  /** Resolves an id, a unique prefix of one, a name, "latest", or (undefined) the active plan. */
  resolve(reference: string | undefined): Promise<string>;
  use(id: string): Promise<void>;
  show(id: string): Promise<Shown>;
  list(): Promise<PlanListing[]>;
  /**
   * Yields the plan now and after each change (at most about sixteen times a second), until the caller stops.
   * Survives restarts of worker and server. Throws FailedError when the workflow was terminated or cancelled in Temporal.
   */
  follow(id: string, signal: AbortSignal): AsyncIterable<PlanView>;
  apply(id: string, request: ApplyRequest): Promise<ApplyAnswer>;
  decide(id: string, decision: Decide): Promise<DecideAnswer>;
  /** Open gates of one plan, or of all open plans of the workspace. */
  gates(id?: string): Promise<OpenGate[]>;
  /** Throws RefusedError where there is no run to pause, or none that is paused. */
  pause(id: string, request: PauseRequest): Promise<PauseAnswer>;
  unpause(id: string, request: PauseRequest): Promise<PauseAnswer>;
  cancel(id: string, by: string, reason: string | null): Promise<void>;
  /** Begins a rollback or a clean; `follow` the plan until its `undo` of that number is no longer running. */
  undo(id: string, kind: UndoKind, message: UndoMessage): Promise<UndoAnswer>;
  /**
   * Ends the plan's workflow, where one is open, and removes its plan file and recorded calls. Its files and objects stay.
   * Throws RefusedError while it runs.
   */
  delete(id: string, by: string): Promise<void>;
  /**
   * The event histories of a plan's executions, as far as Temporal has them.
   * Throws UnreachableError where Temporal cannot be asked or does not know the plan.
   */
  histories(id: string): Promise<PlanHistories>;
  /** Where the plan's event history can be read; null where Temporal cannot be asked at all. */
  past(id: string): Promise<PlanPast | null>;
  /** Content of an object of this workspace: artifacts, raw answers. Throws IntegrityError as the object store does. */
  object(sha256: string): Promise<Buffer>;
  close(): Promise<void>;
}
