/**
 * The long series: `npm run test:faults [-- --rounds N] [--seed S] [--only KIND,…]`. Two of three rounds kill something;
 * the others stop processes, break the disk or the model, or lose the server's database.
 */
import { DISK, fullDisk, mountSmallDisk, SKIPPED } from './disk-faults';
import { lostDatabase } from './lost-database';
import { FINAL, PASSING } from './model-faults';
import { KILLS, STOPS } from './process-faults';
import { Comparison, faultFor, seedFrom, timesBack } from './rounds';
import { Series } from './series';

const ROUNDS = Number(process.env.PLANWRIGHT_FAULT_ROUNDS ?? 150);
const ONLY = process.env.PLANWRIGHT_FAULT_ONLY?.split(',');
const SEED = seedFrom(process.env);
const small = mountSmallDisk();
const others = [...STOPS, lostDatabase, ...PASSING, ...FINAL, ...DISK, ...(small ? [fullDisk] : [])];
const names = [...KILLS, ...others].map(({ name }) => name);
/** A whole name means that fault alone; a part of one, all that begin with it. */
const wanted = (name: string): boolean =>
  !ONLY || ONLY.some((only) => (names.includes(only) ? name === only : name.startsWith(only)));
const chosen = [KILLS, others].map((faults) => faults.filter(({ name }) => wanted(name)));
const [first = [], rest = []] = chosen.filter((faults) => faults.length > 0);

describe(`${ROUNDS} rounds from seed ${SEED}`, () => {
  let series: Series;
  let comparison: Comparison;
  let smallSeries: { series: Series; comparison: Comparison } | null = null;

  beforeAll(async () => {
    series = await Series.start();
    comparison = new Comparison(series);
    for (const line of ONLY ? [] : SKIPPED) process.stderr.write(`left out: ${line}\n`);
  });

  afterAll(async () => {
    process.stderr.write(timesBack(comparison.reports));
    const left = [...(await series.close()), ...((await smallSeries?.series.close()) ?? [])];
    small?.unmount();
    expect(left).toEqual([]);
  }, 120_000);

  const onSmallDisk = async (): Promise<Comparison> => {
    if (!smallSeries) {
      const made = await Series.start(small?.path);
      smallSeries = { series: made, comparison: new Comparison(made) };
    }
    return smallSeries.comparison;
  };

  for (let round = 0; round < ROUNDS; round++) {
    const seed = (SEED + round) >>> 0;
    const fault = faultFor(seed, first, rest);
    it(`recovers from ${fault.name} (seed ${seed})`, async () => {
      await (fault === fullDisk ? await onSmallDisk() : comparison).disturb(fault, seed);
    }, 240_000);
  }
});
