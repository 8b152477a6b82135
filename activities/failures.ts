/** Our errors as Temporal's: the class decides whether Temporal tries again, and the advice travels with it. */
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { PlanwrightError } from '../plan/errors';
import { type Mask, maskSecrets, maskTexts } from '../plan/mask';
import { diskTrouble } from '../store/disk-trouble';
import { LockBusyError } from '../store/lock';
import { WriteError } from './files/errors';

const MESSAGE_LIMIT = 2_000;

/** As much of a chain of causes as Temporal is told. */
const CAUSES = 8;

/** What an activity throws, whatever it caught: a cancellation and an ApplicationFailure pass as they are, but for secrets. */
export function asFailure(caught: unknown, mask: Mask = maskSecrets): Error {
  return withoutSecrets(failureOf(caught), mask);
}

/** In place: Temporal keeps message, stack and details of an error and of all its causes. */
function withoutSecrets(error: Error, mask: Mask): Error {
  let at: unknown = error;
  for (let depth = 0; depth < CAUSES && at instanceof Error; depth++) {
    at.message = mask(at.message);
    if (at.stack) at.stack = mask(at.stack);
    if ('details' in at) Object.assign(at, { details: maskTexts(at.details, mask) });
    at = at.cause;
  }
  return error;
}

function failureOf(caught: unknown): Error {
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
