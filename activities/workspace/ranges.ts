/**
 * Version ranges as manifests state them: npm's (`>=18`, `^18 || ^20`, `20.x`, `18 - 22`), PEP 440's (`>=3.9,<4`, `~=3.10`,
 * `==3.11.*`) and Poetry's. A range is a list of half-open intervals; that is all the reader needs to know which release
 * lines it allows. Sources: node-semver's "Ranges", PEP 440 "Version specifiers".
 */
type Version = [major: number, minor: number, patch: number];
interface Interval {
  from: Version;
  /** First version that is outside; null: none. */
  to: Version | null;
}

const ANY: Interval = { from: [0, 0, 0], to: null };
const NONE: Interval = { from: [1, 0, 0], to: [0, 0, 0] };

export function compareVersions(a: readonly number[], b: readonly number[]): number {
  return (a[0] ?? 0) - (b[0] ?? 0) || (a[1] ?? 0) - (b[1] ?? 0) || (a[2] ?? 0) - (b[2] ?? 0);
}

/** Numbers of a version, as far as they are stated: "3.11" → [3, 11], "20.x" → [20]. */
export function versionNumbers(text: string): number[] {
  const numbers: number[] = [];
  for (const part of text
    .trim()
    .replace(/^[vV=\s]+/, '')
    .split('.')) {
    const digits = /^\d+/.exec(part);
    if (!digits) break;
    numbers.push(Number(digits[0]));
  }
  return numbers;
}

/** The first version after all that begin with these numbers: [3, 11] → 3.12.0. */
function after(numbers: readonly number[]): Version | null {
  const [major = 0, minor = 0, patch = 0] = numbers;
  if (numbers.length === 0) return null;
  if (numbers.length === 1) return [major + 1, 0, 0];
  return numbers.length === 2 ? [major, minor + 1, 0] : [major, minor, patch + 1];
}

function intervalOf(operator: string, text: string): Interval | null {
  const numbers = versionNumbers(text);
  if (numbers.length === 0) return /^[*xX]?$/.test(text) ? ANY : null;
  const from: Version = [numbers[0] ?? 0, numbers[1] ?? 0, numbers[2] ?? 0];
  switch (operator) {
    case '>=':
      return { from, to: null };
    case '>':
      return { from: after(numbers) ?? from, to: null };
    case '<':
      return { from: ANY.from, to: from };
    case '<=':
      return { from: ANY.from, to: after(numbers) };
    case '^':
      return { from, to: from[0] > 0 ? [from[0] + 1, 0, 0] : [0, from[1] + 1, 0] };
    case '~':
      return { from, to: after(numbers.slice(0, 2)) };
    case '~=':
      return { from, to: after(numbers.slice(0, Math.max(1, numbers.length - 1))) };
    case '!=':
      return ANY;
    default:
      return { from, to: after(numbers) };
  }
}

function intersect(a: Interval, b: Interval): Interval {
  const from = compareVersions(a.from, b.from) >= 0 ? a.from : b.from;
  const to = a.to === null ? b.to : b.to === null || compareVersions(a.to, b.to) <= 0 ? a.to : b.to;
  return { from, to };
}

function parse(range: string): Interval[] | null {
  const alternatives: Interval[] = [];
  for (const part of range.split('||')) {
    const plain = part.replace(/(\S+)\s+-\s+(\S+)/g, '>=$1 <=$2').replace(/([<>=~^!]+)\s+/g, '$1');
    let all = ANY;
    for (const token of plain.split(/[\s,]+/).filter(Boolean)) {
      const match = /^(>=|<=|===?|!=|~=|~>?|[<>^=])?(.*)$/.exec(token);
      const interval = intervalOf((match?.[1] ?? '').replace('~>', '~'), match?.[2] ?? '');
      if (!interval) return null;
      all = intersect(all, interval);
    }
    alternatives.push(all.to !== null && compareVersions(all.from, all.to) >= 0 ? NONE : all);
  }
  return alternatives;
}

/** Limits that only name a floor as `<5` do not: the lowest version that the range itself states, or null. */
export function lowestStated(range: string): number[] | null {
  const stated = (parse(range) ?? []).filter(
    (interval) => interval !== NONE && compareVersions(interval.from, ANY.from) > 0,
  );
  return stated.map((interval) => interval.from).sort(compareVersions)[0] ?? null;
}

/**
 * Whether some release of a line is in the range, for example "20" (all of 20.x.y) or "3.11". A range that cannot be read
 * allows everything: it was meant for someone, not for us.
 */
export function allowsLine(range: string, line: string): boolean {
  const intervals = parse(range);
  if (!intervals) return true;
  const numbers = versionNumbers(line);
  const [major = 0, minor = 0, patch = 0] = numbers;
  const whole: Interval = { from: [major, minor, patch], to: after(numbers) };
  const excluded = [...range.matchAll(/!=\s*([\d.]+?)\.\*/g)].some((match) => match[1] === line);
  return (
    !excluded &&
    intervals.some((interval) => {
      const common = intersect(interval, whole);
      return common.to === null || compareVersions(common.from, common.to) < 0;
    })
  );
}
