/** A line with its continuations joined; `number` is that of its first line, 1-based. */
export interface MakeLine {
  text: string;
  number: number;
}

/** What stands left and right of a rule's colon. */
export interface MakeRule {
  targets: string[];
  prerequisites: string[];
  doubleColon: boolean;
  /** True for `target: NAME = value`, which sets a variable and has no recipe. */
  variable: boolean;
  /** True where the recipe begins on the same line, after a semicolon. */
  inlineRecipe: boolean;
}

/** Cuts a Makefile into lines; a line that ends in a backslash goes on in the next. */
export function logicalLines(text: string): MakeLine[] {
  const lines: MakeLine[] = [];
  let parts: string[] = [];
  let start = 1;
  text.split(/\r?\n/).forEach((line, index) => {
    if (parts.length === 0) start = index + 1;
    const continued = /(?:^|[^\\])(?:\\\\)*\\$/.test(line.slice(-64));
    parts.push(continued ? line.slice(0, -1) : line);
    if (continued) return;
    lines.push({ text: parts.join(' '), number: start });
    parts = [];
  });
  if (parts.length > 0) lines.push({ text: parts.join(' '), number: start });
  return lines;
}

/** True for `NAME = value` with any of make's operators: an equals sign stands before any colon that begins a rule. */
export function isAssignment(line: string): boolean {
  const equals = outside(line, '=');
  if (equals <= 0) return false;
  const colon = outside(line, ':');
  return colon === -1 || colon > equals || /^:{1,3}=/.test(line.slice(colon, colon + 4));
}

/** Reads a rule line; null where no colon stands outside of `$(…)` and `${…}`. */
export function splitRule(line: string): MakeRule | null {
  const colon = outside(line, ':');
  if (colon === -1) return null;
  const left = line.slice(0, colon).replace(/&$/, '');
  const doubleColon = line[colon + 1] === ':';
  const right = line.slice(colon + (doubleColon ? 2 : 1));
  const semicolon = outside(right, ';');
  const needs = (semicolon === -1 ? right : right.slice(0, semicolon)).replace(/(?:^|\s)#.*$/, '');
  return {
    targets: words(left),
    prerequisites: words(needs).filter((word) => word !== '|'),
    doubleColon,
    variable: /^\s*(?:(?:export|override|private)\s+)*[\w.-]+\s*(?::{0,3}|[+?!])=/.test(needs),
    inlineRecipe: semicolon !== -1,
  };
}

/** The offset of a character outside of variable references; -1 where there is none. */
function outside(line: string, wanted: string): number {
  let depth = 0;
  for (let index = 0; index < line.length; index++) {
    const character = line[index];
    if (character === '$' && (line[index + 1] === '(' || line[index + 1] === '{')) {
      depth++;
      index++;
    } else if (depth > 0 && (character === '(' || character === '{')) depth++;
    else if (depth > 0 && (character === ')' || character === '}')) depth--;
    else if (depth === 0 && character === '#') return -1;
    else if (depth === 0 && character === wanted && line[index - 1] !== '\\') return index;
  }
  return -1;
}

function words(text: string): string[] {
  return text.split(/\s+/).filter(Boolean);
}
