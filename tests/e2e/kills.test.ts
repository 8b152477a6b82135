/**
 * The short fault series, as part of `npm test`, always from the same seed: twenty of thirty rounds kill -9 something (worker,
 * Temporal server, supervisor, command, or all of them) at a random moment, the others have a model that misbehaves. The long one, from a new seed each
 * time and with all other faults, is `npm run test:faults`.
 * `PLANWRIGHT_FAULT_SEED` chooses another seed, `PLANWRIGHT_FAULT_ROUNDS` makes it longer.
 */
import { FINAL, PASSING } from '../faults/model-faults';
import { KILLS } from '../faults/process-faults';
import { Comparison, faultFor, seedFrom } from '../faults/rounds';
import { Series } from '../faults/series';

const ROUNDS = Number(process.env.PLANWRIGHT_FAULT_ROUNDS ?? 30);
const SEED = seedFrom({ PLANWRIGHT_FAULT_SEED: '3', ...process.env });

describe(`${ROUNDS} rounds from seed ${SEED}`, () => {
  let series: Series;
  let comparison: Comparison;

  beforeAll(async () => {
    series = await Series.start();
    comparison = new Comparison(series);
  });
  afterAll(async () => {
    expect(await series.close()).toEqual([]);
  }, 60_000);

  for (let round = 0; round < ROUNDS; round++) {
    const seed = (SEED + round) >>> 0;
    const fault = faultFor(seed, KILLS, [...PASSING, ...FINAL]);
    it(`recovers from ${fault.name} (seed ${seed})`, () => comparison.disturb(fault, seed), 240_000);
  }
});
