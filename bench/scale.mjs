/** How far one plan goes: many tasks, a large file, many open gates. Each gives figures, none is a limit. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Installation, peakMemory } from './installation.mjs';
import { startModelServer } from './model-server.mjs';
import { SHAPES } from './shapes.mjs';

/** Of one plan, unless told. */
export const TASKS = [2_000];
const CHAINS = 40;
const FILE_BYTES = 5 * 1024 * 1024;
const POLICY = `version: 1\nmaxTasks: 2000\nlimits:\n  fileBytes: ${FILE_BYTES + 65_536}\n`;

const figure = (what, value, unit) => ({ what, value, unit });

/**
 * @param tasks sizes of `manyTasks`
 * @param only names of `SCALE`; all unless told
 * @returns list of `{ what, value, unit }`; one that failed says so in `what`, with the value null */
export async function measureScale({ temporal, note, tasks = TASKS, only = Object.keys(SCALE) }) {
  const figures = [];
  const asked = only.flatMap((name) => (name === 'manyTasks' ? tasks.map((count) => [name, count]) : [[name, null]]));
  for (const [name, count] of asked) {
    const measure = SCALE[name];
    note(`measuring: ${[name, count].filter(Boolean).join(' ')} …`);
    const env = measure === largeFile ? { BENCH_FILE_BYTES: String(FILE_BYTES) } : {};
    const model = await startModelServer(env);
    const installation = new Installation({ url: model.url, temporal });
    mkdirSync(join(installation.workspace, '.planwright'));
    writeFileSync(join(installation.workspace, '.planwright', 'policy.yaml'), POLICY);
    try {
      figures.push(...(await measure(installation, count)));
    } catch (error) {
      figures.push(figure(`${name}: ${error.message.replace(/\s+/g, ' ').slice(0, 300)}`, null, ''));
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

/** Forty chains side by side: the run is interrupted in the middle of them where its history has grown long. */
async function manyTasks(installation, count) {
  const tasks = Array.from({ length: count }, (_, at) => ({
    id: `c${at % CHAINS}-${Math.floor(at / CHAINS)}`,
    deps: at < CHAINS ? [] : [`c${at % CHAINS}-${Math.floor(at / CHAINS) - 1}`],
    factor: 1,
  }));
  const took = await installation.carryOut(tasks, 0, 'many');
  return [
    figure(`a plan of ${count} tasks, each`, took / count, 'ms'),
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
