/**
 * `npm run bench`: what Planwright costs, as multiples of yardsticks that run in the same minutes on the same machine,
 * interleaved (A B C A B C …). It prints figures and never fails for being slow. See docs/performance.md.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { langgraph, planwright, promises, untuned } from './contenders.mjs';
import { measureFigures } from './figures.mjs';
import { fromDist, ROOT } from './installation.mjs';
import { startModelServer } from './model-server.mjs';
import { HELP, parseOptions } from './options.mjs';
import { figuresText, median, shapesText } from './report.mjs';
import { measureScale } from './scale.mjs';
import { SHAPES } from './shapes.mjs';

const note = (text) => process.stderr.write(`${text}\n`);
const closing = [];

async function closeAll() {
  for (const close of closing.splice(0).reverse()) {
    await Promise.resolve(close()).catch((error) => note(`while cleaning up: ${error.message}`));
  }
}

/** Everyone who takes part; a yardstick that cannot be had is left out with its reason. */
async function gather(options, { url, temporal }) {
  const contenders = [];
  const left = {};
  const makers = { planwright, promises, untuned, langgraph };
  for (const [name, make] of Object.entries(makers)) {
    if (options.without.has(name)) continue;
    try {
      const contender = await make({ url, temporal, note });
      closing.push(() => contender.close());
      contenders.push(contender);
    } catch (error) {
      if (name === 'planwright') throw error;
      left[name] = error.message;
      note(`without ${name}: ${error.message}`);
    }
  }
  return { contenders, left };
}

let round = 0;

/** One line of the table: medians of every contender for one shape and latency. */
async function measureShape(contenders, { shape, tasks, latencyMs, runs }) {
  const took = Object.fromEntries(contenders.map(({ name }) => [name, []]));
  for (let run = 0; run < runs; run++) {
    for (const contender of contenders) {
      took[contender.name].push(await contender.carryOut(tasks, latencyMs, `r${++round}`));
    }
  }
  const medians = Object.fromEntries(Object.entries(took).map(([name, all]) => [name, median(all)]));
  return { shape, tasks: tasks.length, latencyMs, medians, took };
}

async function main(options) {
  if (!existsSync(join(ROOT, 'dist', 'workflow-bundle.js')))
    throw new Error('There is no dist/: run `npm run build` first.');
  const { findTemporalBinary } = fromDist('worker/embedded/index.js');
  const { path: temporal } = await findTemporalBinary({ env: process.env, note });
  const model = await startModelServer();
  closing.push(() => model.close());
  const { contenders, left } = await gather(options, { url: model.url, temporal });
  note('warming up …');
  for (const contender of contenders) await contender.carryOut(SHAPES.lattice(true).slice(0, 12), 0, `r${++round}`);
  const rows = [];
  for (const latencyMs of options.latencies) {
    for (const shape of options.shapes) {
      const row = await measureShape(contenders, {
        shape,
        tasks: SHAPES[shape](options.quick),
        latencyMs,
        runs: options.runs,
      });
      rows.push(row);
      note(shapesText([row]));
    }
  }
  const ours = contenders.find(({ name }) => name === 'planwright').installation;
  const figures = options.figures ? await measureFigures({ ours, model, temporal, quick: options.quick, note }) : null;
  const scale = options.scale ? await measureScale({ temporal, note, tasks: options.tasks }) : null;
  return { schema: 'planwright.bench/1', node: process.version, left, rows, figures, scale };
}

async function start() {
  let options;
  try {
    options = parseOptions(process.argv.slice(2));
  } catch (error) {
    note(error.message);
    process.exitCode = 2;
    return;
  }
  if (options === null) {
    process.stdout.write(HELP);
    return;
  }
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => closeAll().finally(() => process.exit(signal === 'SIGINT' ? 130 : 143)));
  }
  try {
    const result = await main(options);
    const text = [shapesText(result.rows), figuresText(result)].join('\n');
    process.stdout.write(options.json ? `${JSON.stringify(result, null, 2)}\n` : `\n${text}\n`);
  } catch (error) {
    note(`The bench stopped: ${error.message}`);
    process.exitCode = 1;
  } finally {
    await closeAll();
  }
}

await start();
// The HTTP client and the SDK keep sockets; everything of ours is closed.
process.exit();
