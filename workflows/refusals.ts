/** Refusals as the contract's failures: anything else that workflow code throws would be retried for ever. */
import { ApplicationFailure } from '@temporalio/workflow';
import type { Refusal } from '../plan/admission';
import { RulingRefused } from './refused';

export function failure(type: string, message: string): ApplicationFailure {
  return ApplicationFailure.create({ message, type, nonRetryable: true });
}

/** @throws ApplicationFailure where there is a refusal */
export function refuse(refusal: Refusal | null): void {
  if (refusal) throw failure(refusal.type, refusal.message);
}

/** Runs a ruling; a refusal becomes the contract's failure. `after` runs either way: a refusal is recorded too. */
export function asFailure<T>(ruling: () => T, after?: () => void): T {
  try {
    return ruling();
  } catch (error) {
    if (error instanceof RulingRefused) throw failure(error.type, error.message);
    throw error;
  } finally {
    after?.();
  }
}
