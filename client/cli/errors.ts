import { escapeLinesForDisplay } from '../../plan/display';
import { PlanwrightError } from '../../plan/errors';
import { diskTrouble } from '../../store/disk-trouble';
import { EXIT } from './exit-codes';
import type { Style } from './show/style';

/** What a person reads of an error: what happened and why, then what to do. */
export function explainError(thrown: unknown, style: Style): string {
  const error = diskTrouble(thrown) ?? thrown;
  const lines = (value: string): string => escapeLinesForDisplay(value.trimEnd());
  if (error instanceof PlanwrightError) {
    const advice = error.advice ? `\n${indent(lines(error.advice))}` : '';
    return `${style.bad('✗')} ${lines(error.message)}${advice}\n`;
  }
  const stack = error instanceof Error ? (error.stack ?? `${error.name}: ${error.message}`) : String(error);
  const cause = error instanceof Error && error.cause instanceof Error ? `\ncaused by ${error.cause.message}` : '';
  return (
    `${style.bad('✗')} Planwright has a bug: this should not have happened.\n${indent(lines(stack + cause))}\n` +
    '  Please report it with the command that you typed and the lines above. Plans that were handed over go on.\n'
  );
}

/** The one place where an error becomes an exit code. */
export function exitCodeOf(error: unknown): number {
  return error instanceof PlanwrightError ? error.exitCode : EXIT.failed;
}

const indent = (value: string): string =>
  value
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');
