/** Command line of `npm run bench`. */
import { parseArgs } from 'node:util';
import { TASKS } from './scale.mjs';
import { SHAPES } from './shapes.mjs';

export const HELP = `npm run bench -- [options]      ratios of one run against its yardsticks, interleaved; nothing is a timed test

  --quick              small: 50 ms, one round, smaller shapes, all other figures; under three minutes
  --only SHAPE         one of: ${Object.keys(SHAPES).join(', ')}; repeatable. Leaves the other figures out unless --figures
  --latency MS         of the model; repeatable (0, 50 and 500 unless told)
  --runs N             rounds of each (3 unless told); medians are printed
  --without YARDSTICK  leaves out promises, untuned or langgraph; repeatable
  --figures            recovery, replay, sizes, memory, commands, gates also with --only
  --no-figures         without them
  --scale              also: 2,000 tasks, a file of 5 MB, 100 gates open at once (some minutes)
  --tasks N            another size than 2,000 for --scale, at most that; repeatable
  --json               one JSON document on stdout, progress on stderr
`;

const number = (name, text, least) => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least) throw new Error(`--${name} is a whole number of at least ${least}.`);
  return value;
};

/**
 * @param {string[]} args
 * @returns null where only the help is wanted. Throws Error, in words for a person, for what it does not know.
 */
export function parseOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: 'boolean' },
      only: { type: 'string', multiple: true },
      latency: { type: 'string', multiple: true },
      runs: { type: 'string' },
      without: { type: 'string', multiple: true },
      figures: { type: 'boolean' },
      'no-figures': { type: 'boolean' },
      scale: { type: 'boolean' },
      tasks: { type: 'string', multiple: true },
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return null;
  const quick = values.quick === true;
  const shapes = values.only ?? Object.keys(SHAPES);
  for (const shape of shapes) {
    if (!Object.hasOwn(SHAPES, shape)) throw new Error(`There is no shape "${shape}"; see --help.`);
  }
  const latencies = (values.latency ?? (quick ? ['50'] : ['0', '50', '500'])).map((text) => number('latency', text, 0));
  return {
    quick,
    shapes,
    latencies,
    runs: values.runs ? number('runs', values.runs, 1) : quick ? 1 : 3,
    without: new Set(values.without ?? []),
    figures: values['no-figures'] ? false : values.figures === true || values.only === undefined,
    scale: values.scale === true,
    tasks: values.tasks?.map((text) => number('tasks', text, 1)) ?? TASKS,
    json: values.json === true,
  };
}
