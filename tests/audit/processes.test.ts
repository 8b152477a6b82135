import { spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { appendEntries } from '../../audit/append';
import { chain, EMPTY } from '../../audit/chain';
import { verifyLog } from '../../audit/verify';
import { compileRooms, REPOSITORY } from '../activities/files/support/compiled';
import { randomFrom } from '../support/random';
import { historyOf, ID, Logs, projection, textOf } from './support/logs';

/** How many kills: few in `npm test`, and as many as one likes by hand. */
const KILLS = Number(process.env.PLANWRIGHT_FAULT_AUDIT_KILLS ?? 25);
const COUNT = 140;

jest.setTimeout(120_000 + KILLS * 3_000);

const all = projection(COUNT, 3);
const honest = textOf(chain(EMPTY, ID.log, all).lines.map(({ bytes }) => bytes.toString('utf8')));
/** Where an event begins, and the end. */
const starts = [...all.keys(), COUNT].filter(
  (at) => all[at - 1]?.run !== all[at]?.run || all[at - 1]?.eventId !== all[at]?.eventId,
);

let compiled: string;
beforeAll(() => {
  compiled = compileRooms(['plan', 'store', 'audit']);
});
afterAll(() => rmSync(compiled, { recursive: true, force: true }));

interface Ended {
  signal: NodeJS.Signals | null;
  /** Sizes that were acknowledged. */
  sizes: number[];
  calls: number;
  err: string;
}

let jobs = 0;

function run(logs: Logs, batches: [number, number][], killAt = 0): Promise<Ended> {
  const file = join(logs.root, `job-${++jobs}.json`);
  const options = { state: logs.state, segmentBytes: 24_000 };
  writeFileSync(file, JSON.stringify({ root: logs.root, id: ID, entries: all, batches, options }));
  const env = { PATH: process.env.PATH, NODE_PATH: join(REPOSITORY, 'node_modules'), KILL_AT: String(killAt) };
  const child = spawn(process.execPath, [join(__dirname, 'support/appender.js'), compiled, file], { env });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => (out += chunk));
  child.stderr.on('data', (chunk) => (err += chunk));
  return new Promise((resolve) =>
    child.on('close', (_, signal) => {
      const sizes = out.split('\n').filter((line) => /^\d+$/.test(line));
      resolve({ signal, sizes: sizes.map(Number), calls: Number(/calls (\d+)/.exec(out)?.[1] ?? 0), err });
    }),
  );
}

async function states(logs: Logs): Promise<string[]> {
  const { levels } = await verifyLog(logs.layout, ID, { state: logs.state, history: historyOf(all) });
  return [levels.structure.state, levels.head.state, levels.history.state];
}

/** Batches as a mirror sends them: each from the event before its last one on. */
function growing(random: ReturnType<typeof randomFrom>, count: number): [number, number][] {
  const ends = Array.from({ length: count }, () => random.between(1, starts.length - 1)).sort((a, b) => a - b);
  return ends.map((end, index) => [starts[Math.max(0, (ends[index - 1] ?? 0) - 1)] ?? 0, starts[end] ?? COUNT]);
}

it('eight processes that send overlapping batches, each twice, write one log, as if there were one', async () => {
  const logs = new Logs();
  const random = randomFrom(11);
  const writers = Array.from({ length: 8 }, () => {
    const batches = Array.from({ length: 8 }, (): [number, number] => [
      0,
      starts[random.between(1, starts.length - 1)] ?? 0,
    ]);
    return batches.flatMap((batch): [number, number][] => [batch, batch]);
  });
  writers[3]?.push([0, COUNT]);
  for (const { err, signal } of await Promise.all(writers.map((batches) => run(logs, batches)))) {
    expect({ err, signal }).toEqual({ err: '', signal: null });
  }
  expect(logs.bytes().toString('utf8')).toBe(honest);
  expect(await states(logs)).toEqual(['held', 'held', 'held']);
  logs.remove();
});

it('killed at any change of the disk, in append, rotation or checkpoint, no acknowledged entry is lost, and none is false', async () => {
  const random = randomFrom(5);
  const first = new Logs();
  const { calls } = await run(first, growing(randomFrom(1), 6));
  first.remove();
  expect(calls).toBeGreaterThan(60);
  for (let kill = 0; kill < KILLS; kill += 1) {
    const logs = new Logs();
    const at = KILLS >= calls && kill < calls ? kill + 1 : random.between(1, calls);
    const { signal, sizes, err } = await run(logs, growing(randomFrom(1), 6), at);
    expect({ at, signal, err }).toEqual({ at, signal: 'SIGKILL', err: '' });
    const before = await verifyLog(logs.layout, ID, {
      state: logs.state,
      history: historyOf(all),
      historyRange: { mayLead: true },
    });
    const acknowledged = Math.max(0, ...sizes);
    expect(before.head.size).toBeGreaterThanOrEqual(acknowledged);
    for (const level of ['structure', 'head', 'history'] as const) {
      expect({ at, level, findings: before.levels[level].findings }).toEqual({ at, level, findings: [] });
    }
    await appendEntries(logs.layout, ID, all, { state: logs.state, segmentBytes: 24_000, sign: true });
    expect(logs.bytes().toString('utf8')).toBe(honest);
    expect(await states(logs)).toEqual(['held', 'held', 'held']);
    logs.remove();
  }
});

it('killed again and again, the same log comes of it', async () => {
  const logs = new Logs();
  const random = randomFrom(9);
  let acknowledged = 0;
  for (let kill = 0; kill < 8; kill += 1) {
    const { sizes, err } = await run(
      logs,
      growing(random, 4).map(([, end]) => [0, end]),
      random.between(5, 60),
    );
    expect(err).toBe('');
    acknowledged = Math.max(acknowledged, ...sizes);
  }
  const { err } = await run(logs, [[0, COUNT]]);
  expect(err).toBe('');
  expect(logs.bytes().toString('utf8')).toBe(honest);
  expect(await states(logs)).toEqual(['held', 'held', 'held']);
  logs.remove();
});
