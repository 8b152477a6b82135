import { createColors } from 'picocolors';
import { escapeForDisplay } from '../../../plan/display';
import type { Risk } from '../../../plan/types';

/** Colours with a meaning; identities where colour is off. They take text that is safe to show. */
export interface Style {
  good(text: string): string;
  bad(text: string): string;
  warn(text: string): string;
  dim(text: string): string;
  strong(text: string): string;
  accent(text: string): string;
  risk(risk: Risk): string;
}

export function makeStyle(colour: boolean): Style {
  const paint = createColors(colour);
  const level = { LOW: paint.green, MEDIUM: paint.yellow, HIGH: paint.red };
  return {
    good: paint.green,
    bad: paint.red,
    warn: paint.yellow,
    dim: paint.dim,
    strong: paint.bold,
    accent: paint.cyan,
    risk: (risk) => level[risk](risk),
  };
}

/** Text from a model, a file or a person, as one line that is safe to show. */
export const safe = escapeForDisplay;

/** The same, cut to at most `length` characters with an ellipsis. */
export function short(value: string, length: number): string {
  const clean = [...escapeForDisplay(value.replace(/\s+/g, ' ').trim())];
  return clean.length <= length ? clean.join('') : `${clean.slice(0, length - 1).join('')}…`;
}

/** Seconds, minutes and hours as people say them: 4s, 1m 20s, 2h 5m, 3d 4h. */
export function elapsed(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m ${seconds % 60}s`;
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? `${hours}h ${minutes % 60}m` : `${Math.floor(hours / 24)}d ${hours % 24}h`;
}

/** 1 task, 2 tasks. */
export const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;

/** A word as one argument of a POSIX shell: bare where it is plain, single-quoted otherwise. */
export function shellWord(word: string): string {
  return /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Rows as columns, two spaces apart; cells must be safe to show and free of colour. */
export function table(head: string[], rows: string[][]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => [...(row[column] ?? '')].length)));
  const line = (row: string[]): string =>
    row.map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - [...cell].length)).join('  ');
  return `${all.map((row) => line(row).trimEnd()).join('\n')}\n`;
}
