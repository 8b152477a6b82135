/**
 * What may be added to a file that a maintainer already has. Nothing that stands there is ever changed: the result starts with
 * the existing bytes.
 */

const ADDED = '# Added by Planwright.';

/** The existing text up to where the addition starts: its own bytes, and one empty line after them. */
function withGap(text: string): string {
  if (text === '' || text.endsWith('\n\n')) return text;
  return text.endsWith('\n') ? `${text}\n` : `${text}\n\n`;
}

/** Appends the lines of `fresh` that `existing` lacks (comments and blank lines do not count). */
export function appendLines(existing: string, fresh: string): string {
  const known = new Set(existing.split('\n').map(pattern));
  const missing = fresh
    .split('\n')
    .map((line) => line.trim())
    // A new exception could open what the maintainer closed.
    .filter((line) => line !== '' && !line.startsWith('#') && !line.startsWith('!') && !known.has(pattern(line)));
  return missing.length === 0 ? existing : `${withGap(existing)}${ADDED}\n${missing.join('\n')}\n`;
}

const pattern = (line: string): string =>
  line
    .trim()
    .replace(/^\.?\//, '')
    .replace(/^\*\*\//, '')
    .replace(/\/+$/, '');

/**
 * Appends the targets of `fresh` that `existing` lacks, without help text or defaults. A Makefile whose targets cannot be told
 * by reading it (includes, generated rules, another recipe prefix) is left alone.
 */
export function appendTargets(existing: string, fresh: string): string {
  if (/^[-s]?include\b|^\s*(\.RECIPEPREFIX|define\b)|\$\(eval|^\.ONESHELL/m.test(existing)) return existing;
  const known = targetNames(existing);
  const missing = blocks(fresh).filter(
    ({ name, text }) => name !== 'help' && !known.has(name) && !/^\tmake\b/m.test(text),
  );
  if (missing.length === 0) return existing;
  const phony = `.PHONY: ${missing.map(({ name }) => name).join(' ')}\n`;
  return `${withGap(existing)}${ADDED}\n${phony}${missing.map(({ text }) => `\n${text}\n`).join('')}`;
}

function targetNames(makefile: string): Set<string> {
  const names = new Set<string>();
  for (const line of makefile.replaceAll('\\\n', ' ').split('\n')) {
    const targets = /^([^\t#:=][^:=]*):(?!=)/.exec(line)?.[1];
    for (const name of targets?.trim().split(/\s+/) ?? []) names.add(name);
  }
  return names;
}

/** The targets of a Makefile that we rendered: each is one rule line and its recipe. */
function blocks(makefile: string): { name: string; text: string }[] {
  return [...makefile.matchAll(/^([a-z][a-z0-9-]*):.*(\n\t.*)+/gm)].map((match) => ({
    name: match[1] ?? '',
    text: match[0],
  }));
}
