/** How far one plan goes: many tasks, a large file, many open gates. Each gives figures, none is a limit. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Installation, peakMemory } from './installation.mjs';
import { startModelServer } from './model-server.mjs';
import { SHAPES } from './shapes.mjs';

const TASKS = 2_000;
const CHAIN = 50;
const FILE_BYTES = 5 * 1024 * 1024;
const POLICY = `version: 1\nmaxTasks: ${TASKS}\nlimits:\n  fileBytes: ${FILE_BYTES + 65_536}\n`;

const figure = (what, value, unit) => ({ what, value, unit });

/** @param only names of `SCALE`; all unless told
 * @returns list of `{ what, value, unit }`; one that failed says so in `what`, with the value null */
export async function measureScale({ temporal, note, only = Object.keys(SCALE) }) {
  const figures = [];
  for (const measure of only.map((name) => SCALE[name])) {
    note(`measuring: ${measure.name} …`);
    const env = measure === largeFile ? { BENCH_FILE_BYTES: String(FILE_BYTES) } : {};
    const model = await startModelServer(env);
    const installation = new Installation({ url: model.url, temporal });
    mkdirSync(join(installation.workspace, '.planwright'));
    writeFileSync(join(installation.workspace, '.planwright', 'policy.yaml'), POLICY);
    try {
      figures.push(...(await measure(installation)));
    } catch (error) {
      figures.push(figure(`${measure.name}: ${error.message.replace(/\s+/g, ' ').slice(0, 300)}`, null, ''));
    } finally {
      await installation.close();
      model.close();
    }
  }
  return figures;
}

async function workerMemory(installation) {
  return peakMemory((await installation.processes()).find(({ name }) => name === 'worker')?.pid);
}

async function manyTasks(installation) {
  const chains = Array.from({ length: TASKS / CHAIN }, (_, chain) => chain);
  const tasks = chains.flatMap((chain) =>
    Array.from({ length: CHAIN }, (_, at) => ({
      id: `c${chain}-${at}`,
      deps: at === 0 ? [] : [`c${chain}-${at - 1}`],
      factor: 1,
    })),
  );
  const took = await installation.carryOut(tasks, 0, 'many');
  return [
    figure(`a plan of ${TASKS} tasks, each`, took / TASKS, 'ms'),
    figure('peak memory of its worker', await workerMemory(installation), 'MB'),
  ];
}

async function manyGates(installation) {
  await installation.plan(SHAPES.wide(false), 0, 'gates');
  const opened = await installation.run(['apply', '--quiet'], { code: 8 });
  const decided = performance.now();
  const { id } = await installation.view();
  await installation.run(['approve', id, '--all', '--reason', 'bench']);
  await installation.run(['watch', id, '--quiet']);
  await installation.lastRun();
  return [
    figure('100 gates: until all are open', opened.ms / 1000, 's'),
    figure('100 gates: from approve --all to the end of the plan', (performance.now() - decided) / 1000, 's'),
  ];
}

async function largeFile(installation) {
  const took = await installation.carryOut([{ id: 'large', deps: [], factor: 1, tool: 'makefile' }], 0, 'large');
  return [
    figure('a generated file of 5 MB', took / 1000, 's'),
    figure('peak memory of its worker', await workerMemory(installation), 'MB'),
  ];
}

const SCALE = { manyTasks, manyGates, largeFile };
