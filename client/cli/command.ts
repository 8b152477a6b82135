import { UsageError } from '../../plan/errors';
import type { Context } from './context';
import type { ModelFlags } from './rooms';

/** A positional argument: `<plan>` where required, `[plan]` where not. */
export interface ArgSpec {
  name: string;
  about: string;
  required?: boolean;
  /** The words that it may be, where they are few: for completion. */
  values?: readonly string[];
}

/** An option in commander's notation: `--task <task>`, `-f, --file <file>`, `--yes`. */
export interface OptionSpec {
  flags: string;
  about: string;
}

/** What commander read: words, before any meaning. */
export interface Raw {
  args: readonly (string | undefined)[];
  options: { readonly [name: string]: unknown };
}

/** A command as data. `parse` turns words into meaning or throws a UsageError; `run` does and shows. */
export interface CommandDef<P> {
  args?: ArgSpec[];
  options?: OptionSpec[];
  /** Lines to type, without the leading `$`. */
  examples: string[];
  /** More than the one-line summary, for the command's own help. */
  about?: string;
  parse(raw: Raw): P;
  /** @returns the exit code */
  run(context: Context, parsed: P): Promise<number>;
}

/** A command whose parsed form nobody outside needs to know. */
export interface Command extends Omit<CommandDef<unknown>, 'parse' | 'run'> {
  invoke(context: Context, raw: Raw): Promise<number>;
}

export function defineCommand<P>({ parse, run, ...data }: CommandDef<P>): Command {
  return { ...data, invoke: async (context, raw) => run(context, parse(raw)) };
}

/** The text given for an option, or undefined. */
export function text(raw: Raw, name: string): string | undefined {
  const value = raw.options[name];
  return typeof value === 'string' ? value : undefined;
}

export function flag(raw: Raw, name: string): boolean {
  return raw.options[name] === true;
}

/** An option as it is typed, by its name as commander has it: maxTokens is --max-tokens. */
const typed = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** Words separated by commas. @throws UsageError naming the option, for an empty list or word */
export function list(raw: Raw, name: string): string[] | undefined {
  const given = text(raw, name);
  if (given === undefined) return undefined;
  const words = given.split(',').map((word) => word.trim());
  if (words.some((word) => word === '')) {
    throw new UsageError(
      `--${typed(name)} takes words separated by commas; this is "${given}".`,
      `For example: --${typed(name)} 1,3`,
    );
  }
  return words;
}

/** A whole number of at least `least`. @throws UsageError naming the option */
export function wholeNumber(raw: Raw, name: string, least: number): number | undefined {
  const given = text(raw, name);
  if (given === undefined) return undefined;
  const value = Number(given);
  if (!/^\d+$/.test(given) || !Number.isSafeInteger(value) || value < least) {
    throw new UsageError(`--${typed(name)} takes a whole number of at least ${least}; this is "${given}".`);
  }
  return value;
}

/** A number within bounds. @throws UsageError naming the option */
export function numberBetween(raw: Raw, name: string, low: number, high: number): number | undefined {
  const given = text(raw, name);
  if (given === undefined) return undefined;
  const value = Number(given);
  if (given.trim() === '' || !(value >= low && value <= high)) {
    throw new UsageError(`--${typed(name)} takes a number from ${low} to ${high}; this is "${given}".`);
  }
  return value;
}

/** Milliseconds; at most 2^31-1, the longest that a timer of Node.js can be. */
const LONGEST = 2_147_483_647;

const SECONDS_LIMIT = Math.floor(LONGEST / 1000);

/** `--timeout SECONDS` in milliseconds. @throws UsageError */
export function timeout(raw: Raw): number | undefined {
  const seconds = numberBetween(raw, 'timeout', 0, SECONDS_LIMIT);
  if (seconds === 0) throw new UsageError('--timeout takes seconds, more than 0.', 'For example: --timeout 120');
  return seconds === undefined ? undefined : Math.ceil(seconds * 1000);
}

const UNITS: { [unit: string]: number } = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A duration such as 90s, 30m, 2h or 7d, in milliseconds. @throws UsageError naming the option */
export function duration(raw: Raw, name: string): number | undefined {
  const given = text(raw, name);
  if (given === undefined) return undefined;
  const [, count, unit] = /^(\d+(?:\.\d+)?)([smhd])$/.exec(given) ?? [];
  const ms = Number(count) * (UNITS[unit ?? ''] ?? Number.NaN);
  if (!(ms > 0 && ms <= LONGEST)) {
    throw new UsageError(
      `--${typed(name)} takes a duration of up to 24 days such as 90s, 30m or 2h; this is "${given}".`,
      `For example: --${typed(name)} 30m`,
    );
  }
  return ms;
}

/** `--provider`, `--model`, `--temperature`, as flags of the settings. @throws UsageError */
export function modelFlags(raw: Raw): ModelFlags {
  return {
    provider: nonEmpty(raw, 'provider'),
    model: nonEmpty(raw, 'model'),
    temperature: numberBetween(raw, 'temperature', 0, 2),
    fallback: nonEmpty(raw, 'fallback'),
  };
}

export const MODEL_OPTIONS: OptionSpec[] = [
  { flags: '--provider <name>', about: 'who generates: openai, template, or a name of your config' },
  { flags: '--model <name>', about: "the provider's model" },
  { flags: '--temperature <number>', about: 'sampling temperature, 0 to 2' },
  { flags: '--fallback <name>', about: 'who is asked where the provider cannot answer; none: nobody' },
];

/** Text that must not be empty where it is given. @throws UsageError naming the option */
export function nonEmpty(raw: Raw, name: string): string | undefined {
  const given = text(raw, name);
  if (given !== undefined && given.trim() === '') throw new UsageError(`--${typed(name)} was given an empty text.`);
  return given;
}
