/** Which fault a round gets, and what has to be true after it: shared by the long series and the short one. */
import { randomInt } from 'node:crypto';
import { randomFrom } from '../support/random';
import type { Outcome, Strictness } from './outcome';
import type { Fault, Round, Series } from './series';

/** 32 bits: the seed of the first round; each further round has the next number, so that it can be repeated alone. */
export function seedFrom(env: NodeJS.ProcessEnv): number {
  return env.PLANWRIGHT_FAULT_SEED === undefined ? randomInt(2 ** 31) : Number(env.PLANWRIGHT_FAULT_SEED) >>> 0;
}

/** Of three rounds two kill something; within each kind all take turns. A function of the seed alone. */
export function faultFor(seed: number, kills: readonly Fault[], others: readonly Fault[]): Fault {
  const turn = Math.floor(seed / 3);
  const list = seed % 3 < 2 || others.length === 0 ? kills : others;
  const fault = list === kills ? list[(turn * 2 + (seed % 3)) % list.length] : list[turn % list.length];
  if (!fault) throw new Error('there is no fault to choose');
  return fault;
}

/** How a round went, for the summary at the end. */
export interface Report {
  fault: string;
  seed: number;
  back: number[];
}

/** Undisturbed runs to compare with, made when they are first needed. */
export class Comparison {
  private readonly undisturbed = new Map<Strictness, Outcome>();
  readonly reports: Report[] = [];

  constructor(private readonly series: Series) {}

  private async expected(strictness: Strictness): Promise<Outcome> {
    const known = this.undisturbed.get(strictness);
    if (known) return known;
    const { outcome, repeated, audit } = await this.series.undisturbed(randomFrom(0), strictness);
    expect({ repeated, audit }).toEqual({ repeated: [], audit: [] });
    this.undisturbed.set(strictness, outcome);
    return outcome;
  }

  /** Does a round and compares all of it; the way to repeat it is in what a failure says. */
  async disturb(fault: Fault, seed: number): Promise<void> {
    const expected = await this.expected(fault.strictness);
    const again = `npm run test:faults -- --seed ${seed} --rounds 1 --only ${fault.name}`;
    const begun = Date.now();
    const round = await this.series.round(fault, randomFrom(seed)).catch((error: unknown) => {
      process.stderr.write(`BAD   ${fault.name} (seed ${seed}): ${String(error).split('\n', 1)[0]}\n`);
      throw new Error(`${error instanceof Error ? error.message : String(error)}\nAgain: ${again}`, { cause: error });
    });
    const told = (how: string): boolean =>
      process.stderr.write(`${how}  ${fault.name} (seed ${seed}): ${((Date.now() - begun) / 1000).toFixed(1)} s\n`);
    this.reports.push({ fault: fault.name, seed, back: round.back });
    try {
      expect({ ...whole(round), again }).toEqual({ ...whole({ ...NOTHING_WRONG, outcome: expected }), again });
      told('good');
    } catch (error) {
      told('BAD ');
      throw error;
    }
  }
}

const NOTHING_WRONG = { repeated: [], strangers: [], leftovers: [], audit: [], exit: 'done' };

function whole({ outcome, repeated, strangers, leftovers, audit, exit }: Omit<Round, 'back'>): object {
  return { outcome, repeated, strangers, leftovers, audit, exit };
}

/** Seconds from each fault to the plan's next answer: median and worst, by kind. */
export function timesBack(reports: readonly Report[]): string {
  const kinds = new Map<string, number[]>();
  for (const { fault, back } of reports) kinds.set(fault, [...(kinds.get(fault) ?? []), ...back]);
  const lines = [...kinds].flatMap(([kind, all]) => {
    const sorted = all.sort((a, b) => a - b);
    const at = (share: number): string => ((sorted[Math.floor(share * (sorted.length - 1))] ?? 0) / 1000).toFixed(1);
    return sorted.length === 0 ? [] : [`${kind.padEnd(24)} ${at(0.5)} s median, ${at(1)} s worst of ${sorted.length}`];
  });
  return ['Back after:', ...lines, ''].join('\n');
}
