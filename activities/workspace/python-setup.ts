/**
 * What setup.py says in literals. It is code, and is never run: what it computes is not followed. The text is not ours, so
 * every expression is bounded or reads forward only (threat T20).
 */

/** Longest part of setup.py that is looked at for one argument, in characters. */
const MAX_ARGUMENT = 20_000;

export const nameInSetup = (setup: string): string | null => /\bname\s*=\s*['"]([^'"]+)['"]/.exec(setup)?.[1] ?? null;

export const classifiersIn = (setup: string): string[] =>
  [...setup.matchAll(/['"]([A-Z][\w ]+ :: [^'"]+)['"]/g)].map((match) => match[1] ?? '');

/** Strings of a literal list. */
export function listInSetup(setup: string, key: string): string[] {
  const list = new RegExp(String.raw`\b${key}['"]?\s*[=:]\s*\[([^\]]*)\]`).exec(setup)?.[1] ?? '';
  return [...list.matchAll(/['"]([^'"]+)['"]/g)].map((match) => match[1] ?? '');
}

/** The lines under `[console_scripts]` where `entry_points` is one long string. */
export function entryPointsInSetup(setup: string): string {
  return /\[console_scripts\]([^[\]"']{0,5000})/.exec(setup)?.[1] ?? '';
}

/** The literal dictionary `extras_require`: name → requirements as they are written. A computed list is left out. */
export function extrasInSetup(setup: string): { [name: string]: string[] } {
  const start = /\bextras_require\s*=\s*(?:dict\()?(?=[\s{\w])/.exec(setup);
  if (!start) return {};
  const text = setup.slice(start.index + start[0].length, start.index + MAX_ARGUMENT);
  const extras: { [name: string]: string[] } = {};
  let depth = 0;
  let list: string[] | null = null;
  let key = '';
  for (const [token, double, single, word] of text.matchAll(
    /"([^"\n]*)"|'([^'\n]*)'|([A-Za-z_]\w*)|#[^\n]*|[[\]{}(),]/g,
  )) {
    const string = double ?? single;
    if (string !== undefined) {
      if (list) list.push(string);
      else key = string;
    } else if (word !== undefined) {
      if (!list) key = word;
    } else if (token === '[') {
      depth += 1;
      list = extras[key] ??= [];
    } else if (token === ']') {
      depth -= 1;
      list = null;
    } else if (token === '{' || token === '(') depth += 1;
    else if (token === '}' || token === ')') {
      depth -= 1;
      if (depth <= 0) break;
    }
  }
  return extras;
}
