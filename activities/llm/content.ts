/** The text of an answer: out of the forms in which servers give it. No I/O. */
import { z } from 'zod';

/** A text, or the list of parts that some servers send in its place. */
export type Content = string | unknown[] | null | undefined;

const textPart = z.object({ type: z.literal('text').optional(), text: z.string() });

export function contentText(content: Content): string {
  if (typeof content === 'string') return content;
  return (content ?? [])
    .map((one) => {
      const parsed = textPart.safeParse(one);
      return parsed.success ? parsed.data.text : '';
    })
    .join('');
}

/** An answer has one object; a text with more beginnings than this is searched no further. */
const MOST_BEGINNINGS = 50;

/**
 * The JSON object in an answer that has more around it: reasoning between `<think>` marks, a code fence, words before or
 * after. Where there is none, or more than one, the text comes back as it is: guessing which one is meant would let a
 * quoted example pass for the answer.
 */
export function jsonPart(text: string): string {
  const bare = text.replace(/^\s*<(think|thinking|reasoning)>[\s\S]*?<\/\1>/i, '').trim();
  if (isObject(bare)) return bare;
  const found: string[] = [];
  let at = bare.indexOf('{');
  for (let begun = 0; at !== -1 && begun < MOST_BEGINNINGS && found.length < 2; begun++) {
    const end = endOfObject(bare, at);
    const piece = end === -1 ? null : bare.slice(at, end);
    if (piece !== null && isObject(piece)) found.push(piece);
    at = bare.indexOf('{', piece !== null && found.at(-1) === piece ? end : at + 1);
  }
  const [only] = found;
  return found.length === 1 && only !== undefined && at === -1 ? only : bare === '' ? text : bare;
}

function isObject(text: string): boolean {
  if (!text.startsWith('{') || !text.endsWith('}')) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The place after the bracket that closes the one at `start`; -1 where none does. Brackets within strings do not count. */
function endOfObject(text: string, start: number): number {
  let depth = 0;
  let inString = false;
  for (let at = start; at < text.length; at++) {
    const char = text[at];
    if (inString) {
      if (char === '\\') at++;
      else if (char === '"') inString = false;
    } else if (char === '"') inString = true;
    else if (char === '{') depth++;
    else if (char === '}' && --depth === 0) return at + 1;
  }
  return -1;
}
