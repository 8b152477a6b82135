/** Edits between two words (Levenshtein), or 99 where they are longer than 60 or differ in length by more than two. */
export function distance(a: string, b: string): number {
  if (a.length > 60 || b.length > 60 || Math.abs(a.length - b.length) > 2) return 99;
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      next.push(Math.min((next[j - 1] ?? 0) + 1, (row[j] ?? 0) + 1, (row[j - 1] ?? 0) + same));
    }
    row = next;
  }
  return row[b.length] ?? 99;
}

/** The word of a list that was probably meant: at most two edits away, one for short words. */
export function nearest(word: string, words: Iterable<string>): string | null {
  const most = word.length < 5 ? 1 : 2;
  let best: string | null = null;
  let least = most + 1;
  for (const candidate of words) {
    const edits = distance(word, candidate);
    if (edits < least) [best, least] = [candidate, edits];
  }
  return best;
}

/** ` Did you mean "x"?`, or nothing. */
export function hint(word: string, words: Iterable<string>): string {
  const near = nearest(word, words);
  return near === null ? '' : ` Did you mean "${near}"?`;
}
