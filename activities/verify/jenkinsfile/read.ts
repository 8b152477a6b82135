/** Groovy as far as braces and blocks need it; a parser of the language there is none for Node. */

export interface Fault {
  rule: string;
  message: string;
  at: number;
}

export interface GroovyBlock {
  name: string;
  /** What stands in parentheses before the brace, as written. */
  args: string;
  at: number;
  from: number;
  to: number;
}

const CLOSES: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' };
const MAX_DEPTH = 200;

/** Text of the same length in which comments and strings are blank; and what is not closed. */
export function blankGroovy(text: string): { code: string; faults: Fault[] } {
  const parts: string[] = [];
  const faults: Fault[] = [];
  const open: { token: string; at: number }[] = [];
  let index = 0;
  let shebang = text.startsWith('#!');
  while (index < text.length) {
    const end = shebang ? lineEnd(text, 0) : literalEnd(text, index);
    shebang = false;
    if (end === -1) {
      faults.push({ rule: 'quote', message: 'A quote or comment is not closed.', at: index });
      return { code: parts.join('') + text.slice(index).replace(/[^\n]/g, ' '), faults };
    }
    if (end > index) {
      // A string leaves a quote, so that an empty argument is told from none.
      const hidden = text.slice(index, end).replace(/[^\n]/g, ' ');
      parts.push(text[index] === '/' || text[index] === '#' ? hidden : `"${hidden.slice(1)}`);
      index = end;
      continue;
    }
    const character = text[index] ?? '';
    if ('([{'.includes(character)) {
      open.push({ token: character, at: index });
      if (open.length > MAX_DEPTH)
        return {
          code: '',
          faults: [{ rule: 'too-deep', message: `Nested deeper than ${MAX_DEPTH} levels.`, at: index }],
        };
    } else if (character in CLOSES) {
      const last = open.pop();
      if (last?.token !== CLOSES[character]) {
        faults.push({
          rule: 'unbalanced',
          message: last ? `"${character}" stands where "${last.token}" is open.` : `"${character}" closes nothing.`,
          at: index,
        });
        return { code: parts.join('') + text.slice(index).replace(/[^\n]/g, ' '), faults };
      }
    }
    parts.push(character);
    index++;
  }
  const last = open.at(-1);
  if (last) faults.push({ rule: 'unbalanced', message: `"${last.token}" is not closed.`, at: last.at });
  return { code: parts.join(''), faults };
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end === -1 ? text.length : end;
}

/** The end of the string or comment that begins here; the place itself where none does; -1 where it does not end. */
function literalEnd(text: string, index: number): number {
  const two = text.slice(index, index + 2);
  const three = text.slice(index, index + 3);
  if (two === '//') return lineEnd(text, index);
  if (two === '/*') return after(text, '*/', index + 2);
  if (three === "'''" || three === '"""') return afterQuote(text, three, index + 3);
  const character = text[index];
  if (character === "'" || character === '"') return afterQuote(text, character, index + 1);
  if (two === '$/') return after(text, '/$', index + 2);
  // A slash opens a string where no value stands before it.
  if (
    character === '/' &&
    /(?:^|[=(,[{:!~?&|]|\b(?:return|in|case))\s*$/.test(text.slice(Math.max(0, index - 20), index))
  ) {
    const end = afterQuote(text, '/', index + 1);
    return end === -1 ? index : end;
  }
  return index;
}

function after(text: string, wanted: string, from: number): number {
  const at = text.indexOf(wanted, from);
  return at === -1 ? -1 : at + wanted.length;
}

function afterQuote(text: string, quote: string, from: number): number {
  for (let index = from; index < text.length; index++) {
    if (text[index] === '\\') index++;
    else if (text.startsWith(quote, index)) return index + quote.length;
    else if (quote === '"' && text[index] === '$' && text[index + 1] === '{') {
      // An expression in the string may hold strings of its own.
      const end = braceEnd(text, index + 1);
      if (end !== -1) index = end;
    } else if (quote.length === 1 && text[index] === '\n') return -1;
  }
  return -1;
}

function braceEnd(text: string, open: number): number {
  let depth = 0;
  for (let index = open; index < text.length && index < open + 2000; index++) {
    if (text[index] === '{') depth++;
    else if (text[index] === '}' && --depth === 0) return index;
    else if (text[index] === '\n') return -1;
  }
  return -1;
}

/** `name {`, `name(args) {` between two offsets, not what is inside of them. */
export function blocksOf(code: string, text: string, from: number, to: number): GroovyBlock[] {
  const blocks: GroovyBlock[] = [];
  let depth = 0;
  for (let index = from; index < to; index++) {
    const character = code[index];
    if (character === '(' || character === '[') depth++;
    else if (character === ')' || character === ']' || character === '}') depth--;
    else if (character === '{') {
      const head =
        depth === 0
          ? /([A-Za-z_]\w{0,60})[ \t]*(\([^(){}]{0,500}\))?\s*$/.exec(code.slice(Math.max(from, index - 600), index))
          : null;
      const end = closing(code, index, to);
      if (head && end !== -1) {
        const at = index - head[0].length;
        const args = text
          .slice(at + (head[1] ?? '').length, index)
          .trim()
          .replace(/^\(|\)$/g, '');
        blocks.push({ name: head[1] ?? '', args, at, from: index + 1, to: end });
        index = end;
      } else depth++;
    }
  }
  return blocks;
}

function closing(code: string, open: number, to: number): number {
  let depth = 0;
  for (let index = open; index < to; index++) {
    if (code[index] === '{') depth++;
    else if (code[index] === '}' && --depth === 0) return index;
  }
  return -1;
}
