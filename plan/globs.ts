import picomatch from 'picomatch';

/**
 * Patterns are data of a policy or a skill, so what could surprise is off: no negation (`!x` would match
 * everything else) and no extended globs (they become backtracking regular expressions).
 */
const OPTIONS = { dot: true, nocase: true, nonegate: true, noextglob: true };

const known = new WeakMap<readonly string[], (path: string) => boolean>();

/**
 * One test for a list of glob patterns. A pattern without a slash matches the base name in any directory, one
 * with a slash the whole path; case is ignored and names with a leading dot match like others.
 *
 * @param patterns picomatch globs: `*`, `**`, `?`, `[…]`, `{a,b}`. Compiled once for an array: it must not change after.
 */
export function matcherOf(patterns: readonly string[]): (path: string) => boolean {
  const compiled = known.get(patterns) ?? compile(patterns);
  known.set(patterns, compiled);
  return compiled;
}

function compile(patterns: readonly string[]): (path: string) => boolean {
  const names = patterns.filter((pattern) => !pattern.includes('/')).map((pattern) => picomatch(pattern, OPTIONS));
  const whole = patterns.filter((pattern) => pattern.includes('/')).map((pattern) => picomatch(pattern, OPTIONS));
  return (path) => {
    const name = path.slice(path.lastIndexOf('/') + 1);
    return names.some((matches) => matches(name)) || whole.some((matches) => matches(path));
  };
}
