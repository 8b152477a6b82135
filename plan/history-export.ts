/** What the workflow asks for when it keeps the history of the execution before its own, and what it is told. */

export interface ExportHistoryRequest {
  /** Id of the plan. */
  plan: string;
  /** Run id of an execution that is over. */
  execution: string;
}

export interface ExportHistoryResult {
  execution: string;
  /** Digest of the object that holds it. */
  object: string;
  /** Of the object. */
  bytes: number;
  /** Events of the execution. */
  events: number;
}
