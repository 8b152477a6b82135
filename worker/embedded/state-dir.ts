import { lstatSync, mkdirSync } from 'node:fs';
import { PlanwrightError, UnreachableError } from '../../plan/errors';
import type { EmbeddedLayout } from './paths';
import { socketFolder } from './paths';

/** Says what is wrong with the disk in words that help, or null where the error is of another kind. */
export function stateDirTrouble(code: unknown, path: string): UnreachableError | null {
  const move = 'or set PLANWRIGHT_HOME to a directory of yours on another disk.';
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new UnreachableError(
        `The disk that holds ${path} is full, so the embedded server cannot keep its records.`,
        `Make room there, ${move}`,
      );
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new UnreachableError(
        `The embedded server cannot write to its state directory ${path} (${code}).`,
        `Make it writable for this user, ${move}`,
      );
    case 'ENOTDIR':
    case 'EEXIST':
      return new UnreachableError(
        `The embedded server needs a state directory at ${path}, but a file stands there or above it.`,
        `Move that file away, ${move}`,
      );
    default:
      return null;
  }
}

/** Turns an error of the file system into one that a person can act on; others come back as they are. */
export function explain(error: unknown, layout: EmbeddedLayout): unknown {
  if (error instanceof PlanwrightError || typeof error !== 'object' || error === null || !('code' in error))
    return error;
  return stateDirTrouble(error.code, layout.state) ?? error;
}

/**
 * Makes the state directory, for this user only.
 * @throws UnreachableError where it cannot be made or written
 */
export function makeStateDir(layout: EmbeddedLayout): void {
  try {
    mkdirSync(layout.workers, { recursive: true, mode: 0o700 });
    const folder = socketFolder(layout);
    if (folder) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const found = lstatSync(folder);
      // Under a shared temporary directory anybody may have been there first.
      if (!found.isDirectory() || found.uid !== process.getuid?.() || (found.mode & 0o077) !== 0) {
        throw new UnreachableError(
          `${folder}, where the supervisor's socket belongs, is not a private directory of this user.`,
          'Remove it, or set PLANWRIGHT_HOME to a directory with a shorter path.',
        );
      }
    }
  } catch (error) {
    throw explain(error, layout);
  }
}

const KEPT = /^(PATH|HOME|USER|LOGNAME|LANG|LC_ALL|TZ|TMPDIR|PLANWRIGHT_HOME|XDG_.*)$/;

/**
 * The environment of the supervisor and the server: what a program needs to run, and nothing else. No key of a
 * provider, which would stay there long after it was changed, and none of Temporal's settings, which are about
 * another server.
 */
export function plainEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => KEPT.test(name)));
}
