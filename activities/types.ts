import type { ExportHistoryRequest, ExportHistoryResult } from '../plan/history-export';
import type {
  BegunFile,
  MakeRequest,
  MakeResult,
  NotifyRequest,
  NotifyResult,
  UndoRequest,
  UndoResult,
  VerifyAndWriteRequest,
  VerifyAndWriteResult,
  VerifyRequest,
  VerifyResult,
  WriteRequest,
  WriteResult,
} from '../plan/steps';
import type {
  DecomposeRequest,
  DecomposeResult,
  GenerateRequest,
  GenerateResult,
  ReadWorkspaceRequest,
  WorkspaceRead,
} from '../plan/types';

/** What the workflow calls; one function an activity. Each runs on the worker of the plan's workspace. */
export interface PlanActivities {
  readWorkspace(request: ReadWorkspaceRequest): Promise<WorkspaceRead>;
  /** Asks the model for a task graph and checks it. A broken graph comes back as `faults`, not as a failure. One that was made elsewhere is only checked. */
  decompose(request: DecomposeRequest): Promise<DecomposeResult>;
  generate(request: GenerateRequest): Promise<GenerateResult>;
  verify(request: VerifyRequest): Promise<VerifyResult>;
  verifyAndWrite(request: VerifyAndWriteRequest): Promise<VerifyAndWriteResult>;
  /** Generates, verifies and writes. Fails only where generation does: what comes after is tried again as a step of its own. */
  make(request: MakeRequest): Promise<MakeResult>;
  /** What a write of this workflow run began, by its name; empty where it touched nothing. */
  begunWrite(request: { write: string }): Promise<BegunFile[]>;
  writeFiles(request: WriteRequest): Promise<WriteResult>;
  /** Takes back what the plan wrote; what cannot be taken back comes back as such, not as a failure. */
  undo(request: UndoRequest): Promise<UndoResult>;
  /** One attempt to deliver a notification; Temporal tries again what did not arrive. */
  notify(request: NotifyRequest): Promise<NotifyResult>;
  /** Keeps the history of an execution that is over as an object, as Temporal has it. */
  exportHistory(request: ExportHistoryRequest): Promise<ExportHistoryResult>;
}
