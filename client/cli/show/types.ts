import type { PlanView } from '../../../plan/view';
import type { StreamEvent } from '../../events';
import type { Style } from './style';

/**
 * How a command shows what it does. One interface, two implementations: for people (human.ts) and for
 * programs (json.ts). Text given to it is safe to show already.
 */
export interface Show {
  readonly style: Style;
  /** The one result of a reading command: JSON for programs, `human` for people. Stdout. */
  document(value: unknown, human: (style: Style) => string): void;
  /** The closing result of a running command; programs have had it as events. Stdout. */
  report(human: (style: Style) => string): void;
  /** Progress; left out with --quiet. Stderr. */
  note(line: string): void;
  /** What somebody must do or know, whatever the flags. Stderr. */
  demand(lines: string[]): void;
  /** The next useful commands, at the end; for people only. Stderr. */
  next(commands: string[]): void;
  /** What happened to a plan that is followed, and the plan as it stands now. */
  progress(events: StreamEvent[], view: PlanView): void;
  /** Holds progress back while a question is open, and shows it after. */
  hold(): void;
  release(): void;
  /** Ends a live view; what is finished stays on the screen. */
  close(): void;
}
