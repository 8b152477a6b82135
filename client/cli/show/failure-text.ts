import type { TaskError } from '../../../plan/view';
import { safe } from './style';

/** A failure as lines that are safe to show; `rest` is what its message says beyond the first line, then the advice. */
export interface FailureText {
  first: string;
  rest: string[];
}

export function failureText({ message, advice }: Pick<TaskError, 'message' | 'advice'>): FailureText {
  const lines = (text: string): string[] => text.trimEnd().split('\n').map(safe);
  const [first = '', ...rest] = lines(message);
  return { first, rest: advice ? [...rest, ...lines(advice)] : rest };
}

/** The first line of a text that may have several, for where only one has room. */
export function firstLine(text: string): string {
  return failureText({ message: text }).first;
}
