import { versionEvent } from '../../events';
import type { Output } from '../streams';
import { makeStyle } from './style';
import type { Show } from './types';

/** For programs: one document, or NDJSON whose first line is its version; nothing else ever reaches stdout. */
export function jsonShow(options: { stdout: Output; stderr: Output; quiet: boolean; version: string }): Show {
  const { stdout, stderr, quiet, version } = options;
  let streaming = false;
  const line = (value: unknown): void => {
    stdout.write(`${JSON.stringify(value)}\n`);
  };
  return {
    style: makeStyle(false),
    document: (value) => {
      stdout.write(`${JSON.stringify(value, null, 2)}\n`);
    },
    report: () => undefined,
    note: (text) => {
      if (!quiet) stderr.write(`${text}\n`);
    },
    demand: (lines) => {
      for (const text of lines) stderr.write(`${text}\n`);
    },
    next: () => undefined,
    progress: (events) => {
      if (!streaming) line(versionEvent(version));
      streaming = true;
      events.forEach(line);
    },
    hold: () => undefined,
    release: () => undefined,
    close: () => undefined,
  };
}
