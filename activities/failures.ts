/** Our errors as Temporal's: the class decides whether Temporal tries again, and the advice travels with it. */
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { PlanwrightError } from '../plan/errors';
import { maskSecrets } from '../plan/mask';
import { diskTrouble } from '../store/disk-trouble';
import { LockBusyError } from '../store/lock';
import { WriteError } from './files/errors';

const MESSAGE_LIMIT = 2_000;

/** What an activity throws, whatever it caught: a cancellation and an ApplicationFailure pass as they are. */
export function asFailure(caught: unknown): Error {
  if (caught instanceof ApplicationFailure || caught instanceof CancelledFailure) return caught;
  // Not tried again: with no room for its answer, each attempt would call the model anew.
  const error = diskTrouble(caught) ?? caught;
  if (!(error instanceof PlanwrightError)) {
    return error instanceof Error ? error : new Error(String(error));
  }
  const lasting = error instanceof WriteError ? !error.retryable : !(error instanceof LockBusyError);
  return ApplicationFailure.create({
    message: maskSecrets(error.message).slice(0, MESSAGE_LIMIT),
    type: typeOf(error),
    nonRetryable: lasting,
    details: error.advice ? [{ advice: maskSecrets(error.advice).slice(0, MESSAGE_LIMIT) }] : [],
    cause: error,
  });
}

function typeOf(error: PlanwrightError): string {
  switch (error.exitCode) {
    case 2:
      return 'BadInput';
    case 3:
      return 'Integrity';
    default:
      return error.name;
  }
}
