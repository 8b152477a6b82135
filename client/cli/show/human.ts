import type { PlanView } from '../../../plan/view';
import type { Io } from '../io';
import { eventLines } from './event-lines';
import { LiveRegion } from './live';
import { makeStyle } from './style';
import type { Show } from './types';

/** For people: results to stdout, everything else to stderr, with a live region where stderr is a terminal. */
export function humanShow(options: { io: Io; quiet: boolean; colour: { stdout: boolean; stderr: boolean } }): Show {
  const { io, quiet, colour } = options;
  const style = makeStyle(colour.stderr);
  const resultStyle = makeStyle(colour.stdout);
  const terminal = io.stderr.isTTY === true && io.env.TERM !== 'dumb' && !quiet;
  const live = terminal ? new LiveRegion(io, style) : null;
  const held: string[] = [];
  let holding = false;

  const say = (text: string): void => {
    if (live) live.above(text);
    else io.stderr.write(text);
  };
  const progressLine = (text: string): void => {
    if (quiet) return;
    if (holding) held.push(text);
    else say(`${text}\n`);
  };
  return {
    style,
    document(_value, human) {
      live?.clear();
      io.stdout.write(human(resultStyle));
    },
    report(human) {
      live?.clear();
      io.stdout.write(human(resultStyle));
    },
    note: progressLine,
    demand(lines) {
      for (const line of lines) say(`${line}\n`);
    },
    next(commands) {
      if (quiet || commands.length === 0) return;
      say(`\n${style.dim('Next:')}\n${commands.map((command) => `  ${style.accent(command)}\n`).join('')}`);
    },
    progress(events, view: PlanView) {
      // The region first: what has just ended must not stand below the line that says so.
      live?.update(view);
      for (const event of events) {
        const lines = eventLines(event, view, style, terminal);
        // Why a task failed is no mere progress: --quiet leaves it.
        if (quiet && event.type === 'task_failed') io.stderr.write(`${lines.join('\n')}\n`);
        else lines.forEach(progressLine);
      }
    },
    hold() {
      holding = true;
      live?.suspend();
    },
    release() {
      holding = false;
      for (const line of held.splice(0)) say(`${line}\n`);
      live?.resume();
    },
    close() {
      live?.close();
      for (const line of held.splice(0)) say(`${line}\n`);
    },
  };
}
