import picomatch from 'picomatch';

/** One line of a `.gitignore`, ready to match (gitignore(5)). */
export interface IgnoreRule {
  /** Directory of the `.gitignore`, relative with a trailing slash; empty at the root. */
  base: string;
  negated: boolean;
  directoriesOnly: boolean;
  matches: (pathBelowBase: string) => boolean;
}

const MAX_RULES = 2000;

/**
 * Reads a `.gitignore`. Lines that could make matching slow (very long, or with very many stars) are left out: the file
 * comes from the repository and is not trusted (threat T20).
 *
 * @param base the directory of the file, relative with a trailing slash, or empty
 */
export function parseGitignore(text: string, base: string): IgnoreRule[] {
  return text
    .split(/\r?\n/)
    .slice(0, MAX_RULES)
    .flatMap((line) => parseLine(line, base));
}

function parseLine(line: string, base: string): IgnoreRule[] {
  let pattern = line.replace(/(?<!\\)\s+$/, '');
  if (pattern === '' || pattern.startsWith('#')) return [];
  if (pattern.length > 200 || (pattern.match(/\*+/g)?.length ?? 0) > 4) return [];
  const negated = pattern.startsWith('!');
  if (negated) pattern = pattern.slice(1);
  const directoriesOnly = pattern.endsWith('/');
  if (directoriesOnly) pattern = pattern.slice(0, -1);
  // A slash at the start or in the middle ties the pattern to the directory of its file.
  const anchored = pattern.includes('/');
  pattern = pattern.replace(/^\//, '').replace(/^\\([#!])/, '$1');
  if (pattern === '') return [];
  const glob = anchored ? pattern : `**/${pattern}`;
  const matches = picomatch(glob, { dot: true, nobrace: true, noextglob: true, nonegate: true });
  return [{ base, negated, directoriesOnly, matches }];
}

/**
 * True where the rules leave a path out; the last rule that matches decides.
 *
 * @param rules outermost directory first
 * @param path relative to the workspace; the caller asks about parents first, since git never looks into an ignored one
 */
export function isIgnored(rules: readonly IgnoreRule[], path: string, isDirectory: boolean): boolean {
  for (let at = rules.length - 1; at >= 0; at -= 1) {
    const rule = rules[at];
    if (!rule || (rule.directoriesOnly && !isDirectory) || !path.startsWith(rule.base)) continue;
    if (rule.matches(path.slice(rule.base.length))) return !rule.negated;
  }
  return false;
}
