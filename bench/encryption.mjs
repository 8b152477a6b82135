/**
 * `npm run bench:encryption [-- --runs N --latency MS]`: the same plans with and without codec keys, in turns (A B A B …), as ratios: time
 * of the run, CPU of server and worker, size of the database. Load of other processes falls on both.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bytesOf, fromDist, Installation } from './installation.mjs';
import { startModelServer } from './model-server.mjs';
import { median } from './report.mjs';
import { SHAPES } from './shapes.mjs';

const note = (text) => process.stderr.write(`${text}\n`);
/** A clock tick of /proc/<pid>/stat, in milliseconds. */
const TICK_MS = 10;

/** CPU of a process so far, user and system, with that of its children that ended; 0 where it is gone. */
function cpuOf(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
    return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) * TICK_MS;
  } catch {
    return 0;
  }
}

/** The database with its journal. */
const databaseBytes = ({ home }) => {
  const state = join(home, 'state');
  const files = readdirSync(state).filter((name) => /\.db/.test(name));
  return files.reduce((sum, name) => sum + bytesOf(join(state, name)), 0);
};

async function processes(installation) {
  const { stdout } = await installation.run(['status', '--json']);
  return JSON.parse(stdout).processes.filter(({ name }) => name !== 'supervisor');
}

async function measure(contender, tasks, latencyMs, tag) {
  const { installation } = contender;
  const before = await processes(installation);
  const cpu = Object.fromEntries(before.map(({ name, pid }) => [name, -cpuOf(pid)]));
  const ms = await installation.carryOut(tasks, latencyMs, tag);
  for (const { name, pid } of before) cpu[name] += cpuOf(pid);
  return { ms, ...cpu };
}

const { values } = parseArgs({ options: { runs: { type: 'string' }, latency: { type: 'string' } } });
const runs = Number(values.runs ?? 3);
const latencyMs = Number(values.latency ?? 50);
const { findTemporalBinary } = fromDist('worker/embedded/index.js');
const { keysText, newKey } = fromDist('store/codec/keys.js');
const { path: temporal } = await findTemporalBinary({ env: process.env, note });
const model = await startModelServer();
const given = { url: model.url, temporal };
const keys = keysText([newKey(new Date())]);
const contenders = [
  { name: 'plain', installation: new Installation(given) },
  { name: 'encrypted', installation: new Installation({ ...given, env: { PLANWRIGHT_CODEC_KEYS: keys } }) },
];
let round = 0;
try {
  note('warming up …');
  for (const { installation } of contenders) await installation.carryOut(SHAPES.wide(true), 0, `e${++round}`);
  for (const shape of ['chain', 'wide']) {
    const tasks = SHAPES[shape](false);
    const found = { plain: [], encrypted: [] };
    for (let run = 0; run < runs; run++) {
      for (const one of contenders) found[one.name].push(await measure(one, tasks, latencyMs, `e${++round}`));
    }
    for (const figure of ['ms', 'worker', 'server']) {
      const [plain, encrypted] = ['plain', 'encrypted'].map((name) => median(found[name].map((one) => one[figure])));
      const what = figure === 'ms' ? 'time of the run' : `CPU of the ${figure}`;
      const ratio = (encrypted / plain).toFixed(2);
      process.stdout.write(
        `${shape} of ${tasks.length}  ${what}: ${plain.toFixed(0)} → ${encrypted.toFixed(0)} ms  ×${ratio}\n`,
      );
    }
  }
  const [plain, encrypted] = contenders.map(({ installation }) => databaseBytes(installation));
  process.stdout.write(`database: ${plain} → ${encrypted} bytes  ×${(encrypted / plain).toFixed(2)}\n`);
} finally {
  for (const { installation } of contenders) await installation.close();
  await model.close();
}
process.exit();
