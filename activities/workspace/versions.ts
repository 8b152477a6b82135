import { allowsLine, compareVersions, lowestStated, versionNumbers } from './ranges';

/**
 * Release lines as of November 2026; revise when one starts or ends (Node: the Release working group's schedule, Python: the
 * developer's guide, "Status of Python versions").
 */
interface Lines {
  /** Maintained and wide-spread enough to choose without being asked, oldest first. */
  maintained: readonly string[];
  /** Ended, but still installable where a manifest asks for them, oldest first. */
  ended: readonly string[];
  /** Released, allowed where a manifest or a pin names it; not chosen by default yet. */
  newer: readonly string[];
}

// Node 20 ended in April 2026; 26 became LTS in October 2026 and native add-ons still catch up with it.
export const NODE: Lines = { maintained: ['22', '24'], ended: ['14', '16', '18', '20'], newer: ['26'] };

// Python 3.10 ended in October 2026, when 3.15 came out; wheels for a new line take some months.
export const PYTHON: Lines = {
  maintained: ['3.11', '3.12', '3.13', '3.14'],
  ended: ['3.8', '3.9', '3.10'],
  newer: ['3.15'],
};

/**
 * Go's line for modules whose `go` directive is older than 1.21: until then it named a language version and not the toolchain
 * that is needed ("Go toolchains", go.dev/doc/toolchain), and their dependencies often need a newer one.
 */
export const GO_CURRENT = '1.26';

const all = (lines: Lines): string[] => [...lines.ended, ...lines.maintained, ...lines.newer];
const allowed = (lines: readonly string[], range: string | null): string[] =>
  range === null ? [...lines] : lines.filter((line) => allowsLine(range, line));

/** The newest maintained line in the range; else the newest known one; null where the range allows none that is known. */
export function bestLine(lines: Lines, range: string | null): string | null {
  return allowed(lines.maintained, range).at(-1) ?? allowed(all(lines), range).at(-1) ?? null;
}

/**
 * Lines worth testing against, oldest first: the maintained ones in the range, and the lowest that the range states, since that
 * is a promise. A floor below `oldest` is history, not a promise, and is left out.
 *
 * @param between true: also everything between the floor and the maintained lines
 */
export function testLines(lines: Lines, range: string | null, oldest: string, between: boolean): string[] {
  const maintained = allowed(lines.maintained, range);
  const floor = range === null ? null : lowestStated(range);
  const ended = allowed(lines.ended, range).filter(
    (line) => compareVersions(versionNumbers(line), versionNumbers(oldest)) >= 0,
  );
  const isFloor = (line: string): boolean =>
    floor !== null && versionNumbers(line).every((number, index) => number === floor[index]);
  const kept = ended.some(isFloor) ? ended.filter((line) => between || isFloor(line)) : [];
  const lines_ = [...kept, ...maintained];
  const best = bestLine(lines, range);
  return lines_.length > 0 ? lines_ : best === null ? [] : [best];
}
