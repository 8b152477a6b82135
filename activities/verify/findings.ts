import { maskSecrets } from '../../plan/mask';
import type { Finding } from '../../plan/types';

/** Limits that hold for every verifier's row. */
export const MAX_FINDINGS = 50;
const MAX_MESSAGE = 300;

const UNPRINTABLE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is to be escaped.
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\u{e0000}-\u{e007f}]/gu;

/** Where the lines of the text that was asked about last begin: one file brings thousands of findings, one after the other. */
let asked: { text: string; starts: number[] } = { text: '', starts: [0] };

function lineStarts(text: string): number[] {
  if (asked.text !== text) {
    const starts = [0];
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
    asked = { text, starts };
  }
  return asked.starts;
}

/** 1-based line and column (UTF-16 code units) of an offset. */
export function lineColumn(text: string, offset: number): { line: number; column: number } {
  const starts = lineStarts(text);
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
}

/**
 * Makes findings fit to be stored, shown and sent back to a model: secrets masked (a parser's message quotes the
 * file), invisible characters escaped, each message at most 300 characters, at most 50 findings, errors first.
 */
export function tidyFindings(findings: readonly Finding[], path: string): Finding[] {
  const rank = { error: 0, warning: 1, info: 2 };
  const sorted = [...findings].sort((a, b) => rank[a.severity] - rank[b.severity] || (a.line ?? 0) - (b.line ?? 0));
  const kept = sorted.length > MAX_FINDINGS ? sorted.slice(0, MAX_FINDINGS - 1) : sorted;
  const tidy = kept.map((finding) => ({ ...finding, message: tidyMessage(finding.message), path }));
  if (kept.length < sorted.length) {
    const message = `${sorted.length - kept.length} more findings are not shown.`;
    tidy.push({ rule: 'too-many-findings', severity: 'info', message, path });
  }
  return tidy;
}

function tidyMessage(message: string): string {
  // Cut before the patterns run: a parser may quote a megabyte. Room is left so that no secret is cut in two unseen.
  const flat = maskSecrets(message.slice(0, 8 * MAX_MESSAGE))
    .replace(/\s+/g, ' ')
    .trim();
  const visible = flat.replace(UNPRINTABLE, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
  return visible.length > MAX_MESSAGE ? `${visible.slice(0, MAX_MESSAGE - 1)}…` : visible;
}
