import type { ToolName } from '../../../store/verifier-tools';
import type { Outcome, Subject, VerifyContext } from '../types';

/** A program that was found on an allowed path. */
export interface FoundTool {
  path: string;
  /** SHA-256 (hex) of the file that is run, links resolved. */
  sha256: string;
  /** What it says of itself, or "unknown". */
  version: string;
}

/** One start of a tool: its arguments, and the files of the folder that it is started in. */
export interface Job {
  args: string[];
  /** Relative names to contents; names are ours, never the model's. */
  files?: Record<string, string>;
  stdin?: string;
  env?: Record<string, string>;
  timeoutMs?: number;
}

export interface RunResult {
  code: number | null;
  stdout: string;
  stderr: string;
  /** Why the tool's answer cannot be used: time ran out, too much output, it could not be started. */
  fault: string | null;
}

export interface ExternalTool extends ToolName {
  versionArgs: string[];
  applies(path: string, text: string): boolean;
  /** The job for a file, or why there is none. */
  job(subject: Subject, context: VerifyContext): Job | { reason: string };
  /** Reads the answer; what cannot be read is inconclusive. */
  read(result: RunResult, subject: Subject): Outcome;
}
