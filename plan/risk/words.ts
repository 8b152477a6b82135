/**
 * A text as lower-case words: `SecurityGroup`, `security-group` and "Security group" all give
 * `['security', 'group']`. Letters, digits and nothing else make a word.
 */
export function wordsOf(text: string): string[] {
  return text
    .normalize('NFKC')
    .replace(/\p{Default_Ignorable_Code_Point}/gu, '')
    .replace(/(\p{Ll}|\p{N})(\p{Lu})/gu, '$1 $2')
    .replace(/(\p{Lu})(\p{Lu}\p{Ll})/gu, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');
}

/** A word and its plain English plural count as one: `secret` finds `secrets`, `policy` does not find `police`. */
function sameWord(word: string, wanted: string): boolean {
  return word === wanted || word === `${wanted}s`;
}

/** Index of a phrase (words in order, each in singular or plural) in a list of words at or after `from`; -1: not there. */
export function indexOfPhrase(words: readonly string[], phrase: readonly string[], from = 0): number {
  for (let at = from; at + phrase.length <= words.length; at++) {
    if (phrase.every((wanted, step) => sameWord(words[at + step] ?? '', wanted))) return at;
  }
  return -1;
}
