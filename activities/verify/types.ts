import type { Finding } from '../../plan/types';

/** A file as the verifiers see it. */
export interface Subject {
  path: string;
  bytes: Buffer;
  /** The bytes as UTF-8; invalid sequences are replaced, which the text verifier reports. */
  text: string;
  /** What stood at the path before; null where nothing did. */
  before: string | null;
}

/** What a verifier may know beyond the file. */
export interface VerifyContext {
  /** Other files of the workspace and of the same artifact, by path. May be partial. */
  siblings: ReadonlyMap<string, string>;
  /** Names at the top of the workspace (directories may end with a slash); null where that is not known. */
  listing: readonly string[] | null;
  /** Most bytes of a file; one MiB unless told. */
  fileBytes?: number;
  signal?: AbortSignal;
}

/** `inconclusive` says why the verifier could not do its work; without it, the findings decide. */
export interface Outcome {
  findings: Finding[];
  inconclusive?: string;
  /** Why there was nothing to check after all; the row is skipped. */
  notApplicable?: string;
}

export interface Verifier {
  id: string;
  /** The library's version, or "planwright/<n>" for our own rules. */
  version: string;
  /** Whether this verifier is the one for such a path and content. */
  applies(path: string, text: string): boolean;
  run(subject: Subject, context: VerifyContext): Outcome | Promise<Outcome>;
  /** Verifiers, by id, whose failure on the same file makes this one pointless. */
  after?: readonly string[];
}
