/**
 * Errors that a person sees. The class is the exit code; `advice` is the line that says what to do.
 * Anything that is not one of these is our bug and is reported as one.
 */
export abstract class PlanwrightError extends Error {
  abstract readonly exitCode: number;
  constructor(
    message: string,
    /** What to do next: one or more lines to show under the message. */
    readonly advice?: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** The plan failed or ended partial, or something else went wrong that is not ours. */
export class FailedError extends PlanwrightError {
  readonly exitCode = 1;
}

/** Bad usage or bad input. */
export class UsageError extends PlanwrightError {
  readonly exitCode = 2;
}

/** A record does not match: an object, the audit log, a history, a replay. */
export class IntegrityError extends PlanwrightError {
  readonly exitCode = 3;
}

/** Temporal or the provider cannot be reached, or refuses the credentials. */
export class UnreachableError extends PlanwrightError {
  readonly exitCode = 4;
}

/** Refused before anything ran: wrong state, stale artifacts, a flag that policy forbids. */
export class RefusedError extends PlanwrightError {
  readonly exitCode = 5;
}

/** The person left (Ctrl-C, SIGTERM, end of input) while something goes on without the command. */
export class DetachedError extends PlanwrightError {
  constructor(
    message: string,
    readonly exitCode: 130 | 143 | 8,
    advice?: string,
  ) {
    super(message, advice);
  }
}
