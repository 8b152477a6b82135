import { closeSync, existsSync, openSync, readSync, renameSync, statSync } from 'node:fs';

const ROTATE_AT = 10 * 1024 * 1024;

/** Opens a log for appending; one above 10 MB becomes `<path>.1` first. The caller closes the descriptor. */
export function openLog(path: string): { fd: number; offset: number } {
  if (existsSync(path) && statSync(path).size > ROTATE_AT) renameSync(path, `${path}.1`);
  const fd = openSync(path, 'a', 0o600);
  return { fd, offset: statSync(path).size };
}

/** What was written to a log since `offset` (bytes), at most its last 64 kB. Empty where it cannot be read. */
export function readLog(path: string, offset = 0): string {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return '';
  }
  try {
    const size = statSync(path).size;
    const from = Math.max(offset, size - 65_536);
    const buffer = Buffer.alloc(Math.max(0, size - from));
    return buffer.toString('utf8', 0, readSync(fd, buffer, 0, buffer.length, from));
  } finally {
    closeSync(fd);
  }
}

/** The last lines of a log that are worth showing to a person: errors if there are any, otherwise the end. */
export function lastWords(text: string, lines = 3): string {
  const all = text.split('\n').filter((line) => line.trim() !== '');
  const errors = all.filter((line) => /level=ERROR|error|fatal|panic/i.test(line));
  const chosen = (errors.length > 0 ? errors : all).slice(-lines);
  return chosen
    .map((line) => /msg="((?:[^"\\]|\\.)*)"/.exec(line)?.[1]?.replaceAll('\\"', '"') ?? line.trim())
    .join('\n');
}
