/** HCL as far as references need it: what is code, and which blocks there are. Syntax itself is the parser's business. */

export interface Block {
  type: string;
  labels: string[];
  /** Offset of the type. */
  at: number;
  /** Offsets of what stands between the braces. */
  from: number;
  to: number;
}

export interface Scanned {
  text: string;
  /** As long as the text; comments and what is literally in strings are blanks, expressions in templates are kept. */
  code: string;
  blocks: Block[];
}

/** @param text at most a few hundred thousand characters; one pass */
export function scan(text: string): Scanned {
  const code = blank(text);
  return { text, code, blocks: blocksIn(code, text, 0, code.length) };
}

/** Blocks between two offsets, not those inside of them. */
export function blocksIn(code: string, text: string, from: number, to: number): Block[] {
  const blocks: Block[] = [];
  let depth = 0;
  let lineStart = from;
  for (let index = from; index < to; index++) {
    const character = code[index];
    if (character === '\n' && depth === 0) lineStart = index + 1;
    if (character === '(' || character === '[') depth++;
    else if (character === ')' || character === ']' || character === '}') depth--;
    else if (character === '{') {
      const head = text.slice(lineStart, index);
      const match =
        depth === 0
          ? /^[ \t]*([A-Za-z_][\w-]*)((?:[ \t]+(?:"[^"\n]*"|[A-Za-z_][\w-]*))*)[ \t]*$/.exec(head.slice(-1000))
          : null;
      const end = match ? closing(code, index, to) : -1;
      if (match && end !== -1) {
        const labels = [...(match[2] ?? '').matchAll(/"([^"]*)"|([\w-]+)/g)].map((one) => one[1] ?? one[2] ?? '');
        const at = lineStart + head.length - head.trimStart().length;
        blocks.push({ type: match[1] ?? '', labels, at, from: index + 1, to: end });
        index = end;
        lineStart = end + 1;
      } else depth++;
    }
  }
  return blocks;
}

/** Names given by `name =` between two offsets, not deeper; with the offset of each. */
export function attributesIn(code: string, from: number, to: number): Map<string, number> {
  const names = new Map<string, number>();
  let depth = 0;
  for (let index = from; index < to; index++) {
    const character = code[index] ?? '';
    if ('([{'.includes(character)) depth++;
    else if (')]}'.includes(character)) depth--;
    else if (
      character === '=' &&
      depth === 0 &&
      !/[=!<>]/.test(code[index - 1] ?? '') &&
      !/[=>]/.test(code[index + 1] ?? '')
    ) {
      const match = /(?:^|\n|\{)[ \t]*([A-Za-z_][\w-]*)[ \t]*$/.exec(code.slice(Math.max(from, index - 200), index));
      if (match?.[1] !== undefined && !names.has(match[1]))
        names.set(match[1], index - match[0].length + match[0].indexOf(match[1]));
    }
  }
  return names;
}

function closing(code: string, open: number, to: number): number {
  let depth = 0;
  for (let index = open; index < to; index++) {
    const character = code[index];
    if (character === '{') depth++;
    else if (character === '}' && --depth === 0) return index;
  }
  return -1;
}

/** A template's expression ends with the brace that closes it; a string and a heredoc know how they end. */
type Mode = { kind: 'code'; depth: number } | { kind: 'string' } | { kind: 'heredoc'; end: string };

function blank(text: string): string {
  const parts: string[] = [];
  const modes: Mode[] = [{ kind: 'code', depth: 0 }];
  const hide = (from: number, to: number): void => void parts.push(text.slice(from, to).replace(/[^\n]/g, ' '));
  let index = 0;
  while (index < text.length) {
    const mode = modes.at(-1) ?? { kind: 'code', depth: 0 };
    const two = text.slice(index, index + 2);
    let next = index + 1;
    if (mode.kind === 'code') {
      const character = text[index];
      if (character === '#' || two === '//') next = upTo(text, '\n', index);
      else if (two === '/*') next = Math.min(text.length, upTo(text, '*/', index + 2) + 2);
      if (next > index + 1) {
        hide(index, next);
        index = next;
        continue;
      }
      const heredoc = two === '<<' ? /^<<-?([A-Za-z_]\w{0,60})\r?\n/.exec(text.slice(index, index + 80)) : null;
      if (heredoc) {
        modes.push({ kind: 'heredoc', end: heredoc[1] ?? '' });
        hide(index, index + heredoc[0].length);
        index += heredoc[0].length;
        continue;
      }
      if (character === '"') modes.push({ kind: 'string' });
      else if (character === '{') mode.depth++;
      else if (character === '}') {
        if (mode.depth === 0 && modes.length > 1) {
          modes.pop();
          hide(index, index + 1);
          index++;
          continue;
        }
        mode.depth--;
      }
      parts.push(text[index] ?? '');
      index++;
      continue;
    }
    if (mode.kind === 'heredoc' && (index === 0 || text[index - 1] === '\n')) {
      const end = upTo(text, '\n', index);
      if (text.slice(index, end).trim() === mode.end) {
        modes.pop();
        hide(index, end);
        index = end;
        continue;
      }
    }
    const three = text.slice(index, index + 3);
    if (three === '$${' || three === '%%{') next = index + 3;
    else if (mode.kind === 'string' && text[index] === '\\') next = index + 2;
    else if (two === '${' || two === '%{') {
      modes.push({ kind: 'code', depth: 0 });
      next = index + (text[index + 2] === '~' ? 3 : 2);
    } else if (mode.kind === 'string' && (text[index] === '"' || text[index] === '\n')) {
      modes.pop();
      parts.push(text[index] ?? '');
      index++;
      continue;
    }
    next = Math.min(next, text.length);
    hide(index, next);
    index = next;
  }
  return parts.join('');
}

function upTo(text: string, wanted: string, from: number): number {
  const at = text.indexOf(wanted, from);
  return at === -1 ? text.length : at;
}
