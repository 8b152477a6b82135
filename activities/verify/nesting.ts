/**
 * A look at a text's nesting before any parser sees it (T12): one pass, no recursion, no memory. Parsers recurse, and
 * some take quadratic time on 100,000 brackets.
 */

/** Deepest structure that a checked document may have. */
export const MAX_DEPTH = 100;

/**
 * The deepest nesting of `[` and `{` in a text. Quotes and comments are not understood, so a text with unbalanced
 * brackets in strings counts too high; use a limit with room where that matters.
 */
export function bracketDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === 0x5b || code === 0x7b) {
      depth++;
      if (depth > deepest) deepest = depth;
    } else if ((code === 0x5d || code === 0x7d) && depth > 0) depth--;
  }
  return deepest;
}

/** The longest run of block indicators (`- - -`, `? ? ?`, `: : :`) at the start of a YAML line; each opens a level. */
export function indicatorRun(text: string): number {
  let longest = 0;
  let run = 0;
  let atStart = true;
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (character === '\n') {
      run = 0;
      atStart = true;
    } else if (atStart && (character === '-' || character === '?' || character === ':')) {
      const next = text[index + 1];
      if (next === ' ' || next === '\t' || next === '\n' || next === undefined) run++;
      else atStart = false;
      if (run > longest) longest = run;
    } else if (character !== ' ' && character !== '\t') atStart = false;
  }
  return longest;
}
