import type { Finding } from '../../plan/types';
import { lineColumn } from './findings';
import { MAX_DEPTH } from './nesting';
import type { Subject, Verifier } from './types';

/** Files named .json whose readers accept comments and trailing commas. */
const WITH_COMMENTS =
  /(?:^|\/)(?:tsconfig[^/]*\.json|jsconfig\.json|\.?devcontainer\.json|\.eslintrc\.json|\.swcrc)$|(?:^|\/)\.vscode\/[^/]+\.json$|\.jsonc$/i;

function error(rule: string, message: string, text: string, offset: number): Finding {
  return { rule, severity: 'error', message, ...lineColumn(text, offset) };
}

/** The offset after the string that begins at `start`; the text's end where it is not closed. */
function afterString(text: string, start: number): number {
  for (let index = start + 1; index < text.length; index++) {
    if (text[index] === '\\') index++;
    else if (text[index] === '"') return index + 1;
  }
  return text.length;
}

function afterComment(text: string, start: number): number {
  const end = text[start + 1] === '*' ? text.indexOf('*/', start + 2) + 2 : text.indexOf('\n', start);
  return end <= start ? text.length : end;
}

/** Replaces comments and trailing commas by spaces, in one pass; offsets stay. */
function withoutComments(text: string): string {
  const parts: string[] = [];
  let comma = -1;
  for (let index = 0; index < text.length; ) {
    const character = text[index] ?? '';
    const isComment = character === '/' && (text[index + 1] === '/' || text[index + 1] === '*');
    const end = character === '"' ? afterString(text, index) : isComment ? afterComment(text, index) : index + 1;
    const part = text.slice(index, end);
    if (character === ',') comma = parts.length;
    else if ((character === ']' || character === '}') && comma >= 0) parts[comma] = ' ';
    if (!isComment && character !== ',' && !/^\s$/.test(character)) comma = -1;
    parts.push(isComment ? part.replace(/[^\r\n]/g, ' ') : part);
    index = end;
  }
  return parts.join('');
}

/** Duplicate keys, `__proto__` and depth, from the tokens alone: one pass, with a stack of what is open. */
function structure(text: string): Finding[] {
  const findings: Finding[] = [];
  const open: (Set<string> | null)[] = [];
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (character === '{' || character === '[') {
      open.push(character === '{' ? new Set() : null);
      if (open.length > MAX_DEPTH) return [error('too-deep', `Nested deeper than ${MAX_DEPTH} levels.`, text, index)];
    } else if (character === '}' || character === ']') open.pop();
    else if (character === '"') {
      const end = afterString(text, index);
      let next = end;
      while (text[next] === ' ' || text[next] === '\t' || text[next] === '\n' || text[next] === '\r') next++;
      if (text[next] === ':') {
        const key = decodeKey(text.slice(index, end));
        const keys = open.at(-1);
        if (key === '__proto__') findings.push(error('proto-key', 'The key "__proto__" is refused.', text, index));
        if (keys?.has(key)) findings.push(error('duplicate-key', `The key "${key}" stands twice.`, text, index));
        keys?.add(key);
      }
      index = end - 1;
    }
  }
  return findings;
}

/** Two spellings of one key ("a" and "\u0061") are the same key. */
function decodeKey(quoted: string): string {
  try {
    return String(JSON.parse(quoted));
  } catch {
    return quoted;
  }
}

function run({ path, text }: Subject): { findings: Finding[] } {
  const json = WITH_COMMENTS.test(path) ? withoutComments(text) : text;
  const findings = structure(json);
  if (findings.some((finding) => finding.rule === 'too-deep')) return { findings };
  try {
    JSON.parse(json.replace(/^\ufeff/, ' '));
  } catch (fault) {
    const message = fault instanceof Error ? fault.message : String(fault);
    const position = /position (\d+)/.exec(message)?.[1];
    const offset = position === undefined ? json.trimEnd().length : Number(position);
    findings.push(error('json-syntax', message, json, offset));
  }
  return { findings };
}

/** Strict JSON by `JSON.parse`, with what it lets pass: duplicate keys, `__proto__`, depth (T12, T13, T20). */
export const jsonVerifier: Verifier = {
  id: 'json',
  version: 'planwright/1',
  applies: (path) => /\.(?:json|jsonc)$/i.test(path) || /(?:^|\/)\.swcrc$/.test(path),
  run,
};
