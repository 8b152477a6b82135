import { UsageError } from '../plan/errors';

/** A skill that cannot be used, with the file and what is wrong with it. */
export function fault(file: string, what: string): UsageError {
  return new UsageError(`The skill ${file} is not usable: ${what}.`, 'Correct the file, or remove the skill.');
}
