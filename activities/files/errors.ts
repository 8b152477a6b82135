import { FailedError } from '../../plan/errors';

/**
 * Why a write did not happen. `retryable` says whether the same attempt may succeed by itself; the message says
 * what a person can do. A changed base is no error: it comes back as a conflict.
 */
export abstract class WriteError extends FailedError {
  abstract readonly retryable: boolean;
}

/** A path, mode or size breaks a rule. Nothing was touched. Terminal. */
export class PathRefused extends WriteError {
  readonly retryable = false;
}

/** What stands at the path is not ours to write through or over: a link, a device, a file with several names. Terminal. */
export class UnsafeTarget extends WriteError {
  readonly retryable = false;
}

/** The same write was asked for with other files than before, or its journal cannot be read. Terminal. */
export class JournalMismatch extends WriteError {
  readonly retryable = false;
}

const ADVICE: { [code: string]: string } = {
  ENOSPC: 'The disk is full, and stayed so for a while. Free some space, then try again; no model is asked again.',
  EDQUOT: 'The disk quota is used up. Free some space, then try again; no model is asked again.',
  EIO: 'The disk reports input/output errors. Check it, then try again; no model is asked again.',
  EACCES: 'Give the user that runs the worker permission to write there, then try again.',
  EPERM: 'The file or directory is protected (immutable, or another owner). Lift that, then try again.',
  EROFS: 'The file system is mounted read-only. Mount it for writing, then try again.',
};

/** Errors that stay until a person changes something; any other may pass. */
const LASTING = new Set(['EACCES', 'EPERM', 'EROFS', 'ENAMETOOLONG', 'EISDIR', 'ENOTDIR', 'ELOOP']);

/** The operating system refused; `errno` is its code, for example "ENOSPC". */
export class WriteFailed extends WriteError {
  readonly retryable: boolean;
  constructor(
    path: string,
    readonly errno: string,
    options?: { cause?: unknown },
  ) {
    super(`Could not write ${path}: ${errno}.`, ADVICE[errno] ?? 'See the cause in the log of the worker.', options);
    this.retryable = !LASTING.has(errno);
  }
}

/** The system's error code of anything thrown, or null where it is no error of the system. */
export function errnoOf(error: unknown): string | null {
  // By shape, not by class: an error of another realm (a vm context, jest) is none of this realm's Errors.
  const shaped = typeof error === 'object' && error !== null && 'code' in error;
  return shaped && typeof error.code === 'string' ? error.code : null;
}

/** Runs `body` and turns errors of the system into `WriteFailed` about `path` (shown, hence escaped by the caller). */
export async function asWrite<T>(path: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    const errno = errnoOf(error);
    if (error instanceof FailedError || errno === null || !/^E[A-Z0-9]+$/.test(errno)) throw error;
    throw new WriteFailed(path, errno, { cause: error });
  }
}
