/**
 * Characters that change what a person sees without being seen: C0 and C1 controls, format characters (bidi,
 * zero-width, soft hyphen, tags), line and paragraph separators, lone surrogates and whatever else Unicode
 * calls ignorable. U+FE0E and U+FE0F stay: they only choose between the text and the emoji form.
 */
const HIDDEN = /(?![\ufe0e\ufe0f])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

const SHORT: { [character: string]: string } = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function escapeCharacter(character: string): string {
  const short = SHORT[character];
  if (short !== undefined) return short;
  const code = character.codePointAt(0) ?? 0;
  if (code <= 0xff) return `\\x${code.toString(16).padStart(2, '0')}`;
  return code <= 0xffff ? `\\u${code.toString(16).padStart(4, '0')}` : `\\u{${code.toString(16)}}`;
}

/**
 * Text from a model, a file or a person as one line that is safe on a terminal: every hidden character is
 * shown as an escape (`\x1b`, `\u202e`, `\u{e0041}`). For showing only; it cannot be reversed, because a
 * backslash in the text stays as it is.
 */
export function escapeForDisplay(text: string): string {
  return text.replace(HIDDEN, escapeCharacter);
}

/** The same for text of several lines (a diff, a file's content): line feeds and tabs stay. */
export function escapeLinesForDisplay(text: string): string {
  return text.replace(HIDDEN, (character) =>
    character === '\n' || character === '\t' ? character : escapeCharacter(character),
  );
}
