import { FailedError } from '../plan/errors';

const FULL = new Set(['ENOSPC', 'EDQUOT']);
const CLOSED = new Set(['EACCES', 'EPERM', 'EROFS']);

/**
 * What the file system refused, in words that a person can act on: a full disk, or no right to write.
 * @returns null for an error of another kind
 */
export function diskTrouble(error: unknown): FailedError | null {
  // By shape, not by class: an error of another realm (a vm context) is none of this realm's Errors.
  if (typeof error !== 'object' || error === null || !('code' in error) || typeof error.code !== 'string') return null;
  // A write through an open file has no path in its error.
  const path = 'path' in error && typeof error.path === 'string' ? error.path : null;
  const options = { cause: error };
  if (FULL.has(error.code)) {
    const where = path === null ? 'The disk of the workspace' : `The disk that holds ${path}`;
    return new FailedError(`${where} is full (${error.code}).`, 'Make room there, then try again.', options);
  }
  if (CLOSED.has(error.code)) {
    const what = path === null ? 'A file of the workspace' : path;
    return new FailedError(`${what} cannot be read or written (${error.code}).`, 'Check its permissions.', options);
  }
  return null;
}
