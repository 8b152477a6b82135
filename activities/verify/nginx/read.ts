import type { Finding } from '../../../plan/types';

export interface Directive {
  name: string;
  args: string[];
  /** Offset of the name. */
  at: number;
  /** Offset of each argument. */
  places: number[];
  block: Directive[] | null;
}

interface Token {
  text: string;
  at: number;
  quoted: boolean;
}

const MAX_DEPTH = 50;

/** Tokens as nginx splits them: blanks, `;`, `{`, `}`; quotes; `#` to the line's end where a word may begin; `${` in a word. */
function tokenize(text: string): { tokens: Token[]; open: number | null } {
  const tokens: Token[] = [];
  let index = 0;
  while (index < text.length) {
    const character = text[index] ?? '';
    if (/\s/.test(character)) index++;
    else if (character === '#') {
      const end = text.indexOf('\n', index);
      index = end === -1 ? text.length : end;
    } else if (character === ';' || character === '{' || character === '}') {
      tokens.push({ text: character, at: index++, quoted: false });
    } else if (character === '"' || character === "'") {
      const end = closingQuote(text, index);
      if (end === -1) return { tokens, open: index };
      tokens.push({ text: text.slice(index + 1, end), at: index, quoted: true });
      index = end + 1;
    } else {
      const end = wordEnd(text, index);
      tokens.push({ text: text.slice(index, end), at: index, quoted: false });
      index = end;
    }
  }
  return { tokens, open: null };
}

function closingQuote(text: string, open: number): number {
  for (let index = open + 1; index < text.length; index++) {
    if (text[index] === '\\') index++;
    else if (text[index] === text[open]) return index;
  }
  return -1;
}

function wordEnd(text: string, start: number): number {
  let index = start;
  for (; index < text.length; index++) {
    const character = text[index] ?? '';
    if (character === '\\') index++;
    else if (character === '$' && text[index + 1] === '{') {
      const end = text.indexOf('}', index);
      if (end === -1 || end - index > 100) return index + 1;
      index = end;
    } else if (/[\s;{]/.test(character) || (character === '}' && index === start)) break;
  }
  return Math.max(index, start + 1);
}

/** The directives of a configuration; what is not closed is a finding. */
export function readNginx(text: string): {
  directives: Directive[];
  faults: { rule: string; message: string; at: number }[];
} {
  const { tokens, open } = tokenize(text);
  const faults: { rule: string; message: string; at: number }[] = [];
  if (open !== null) faults.push({ rule: 'quote', message: 'A quote is not closed.', at: open });
  const top: Directive[] = [];
  const stack: { list: Directive[]; at: number }[] = [{ list: top, at: 0 }];
  let words: Token[] = [];
  const take = (block: Directive[] | null): void => {
    const [name, ...args] = words;
    words = [];
    if (!name) return;
    const directive = {
      name: name.text,
      args: args.map((one) => one.text),
      at: name.at,
      places: args.map((one) => one.at),
      block,
    };
    stack.at(-1)?.list.push(directive);
  };
  for (const token of tokens) {
    if (token.quoted || !';{}'.includes(token.text)) {
      words.push(token);
      continue;
    }
    if (token.text === ';') {
      if (words.length === 0) faults.push({ rule: 'syntax', message: 'A ";" stands alone.', at: token.at });
      take(null);
    } else if (token.text === '{') {
      const block: Directive[] = [];
      if (words.length === 0) faults.push({ rule: 'syntax', message: 'A "{" stands alone.', at: token.at });
      take(block);
      stack.push({ list: block, at: token.at });
      if (stack.length > MAX_DEPTH)
        return {
          directives: top,
          faults: [{ rule: 'too-deep', message: `Nested deeper than ${MAX_DEPTH} levels.`, at: token.at }],
        };
    } else {
      if (words.length > 0)
        faults.push({
          rule: 'missing-semicolon',
          message: `";" is missing after "${words[0]?.text.slice(0, 60)}".`,
          at: words[0]?.at ?? token.at,
        });
      take(null);
      if (stack.length > 1) stack.pop();
      else faults.push({ rule: 'unbalanced', message: 'A "}" closes nothing.', at: token.at });
    }
  }
  if (words.length > 0)
    faults.push({
      rule: 'missing-semicolon',
      message: `";" is missing after "${words[0]?.text.slice(0, 60)}".`,
      at: words[0]?.at ?? 0,
    });
  if (stack.length > 1) faults.push({ rule: 'unbalanced', message: 'A "{" is not closed.', at: stack.at(-1)?.at ?? 0 });
  return { directives: top, faults };
}

export type NginxFault = Omit<Finding, 'line' | 'column'> & { at: number };
