/** The figures beside the shapes: recovery, replay, sizes, memory, commands, gates. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bytesOf, fromDist, Installation, peakMemory, ROOT } from './installation.mjs';
import { median } from './report.mjs';
import { pathOf, SHAPES } from './shapes.mjs';

const RECOVERY_LATENCY_MS = 100;
const GATES = 20;

/**
 * @param {{ ours: Installation, model: object, temporal: string, quick: boolean, note: (text: string) => void }} given
 * @returns list of `{ what, value, unit }`; value null where it could not be had
 */
export async function measureFigures(given) {
  const figures = [];
  for (const measure of [sizes, recovery, replay, gates, commands, memory]) {
    given.note(`measuring: ${measure.name} …`);
    figures.push(...(await measure(given)));
  }
  return figures;
}

const figure = (what, value, unit) => ({ what, value, unit });

/** What one lattice leaves on disk, by task. */
async function sizes({ ours, quick }) {
  const tasks = SHAPES.lattice(quick);
  const dir = join(ours.workspace, '.planwright');
  const state = join(ours.home, 'state');
  const database = () => ['temporal.db', 'temporal.db-wal'].reduce((sum, name) => sum + bytesOf(join(state, name)), 0);
  const before = { database: database(), objects: bytesOf(join(dir, 'objects')), dir: bytesOf(dir) };
  await ours.carryOut(tasks, 0, 'sizes');
  const each = (bytes) => bytes / 1024 / tasks.length;
  return [
    figure('database, growth a task', each(database() - before.database), 'kB'),
    figure('object store, growth a task', each(bytesOf(join(dir, 'objects')) - before.objects), 'kB'),
    figure('.planwright/, growth a task', each(bytesOf(dir) - before.dir), 'kB'),
  ];
}

/** From a kill -9 in the middle of the lattice to the end of the standstill, and what the run lost by it. */
async function recovery({ ours, model, quick }) {
  const tasks = SHAPES.lattice(quick);
  const rounds = quick ? 1 : 3;
  const kinds = { worker: ['worker'], server: ['server'], 'worker and server': ['worker', 'server'] };
  const calm = [];
  const back = Object.fromEntries(Object.keys(kinds).map((kind) => [kind, []]));
  const lost = Object.fromEntries(Object.keys(kinds).map((kind) => [kind, []]));
  for (let round = 0; round < rounds; round++) {
    calm.push(await ours.carryOut(tasks, RECOVERY_LATENCY_MS, `calm${round}`));
    for (const [kind, names] of Object.entries(kinds)) {
      const tag = `kill-${kind.replaceAll(' ', '-')}-${round}`;
      await ours.plan(tasks, RECOVERY_LATENCY_MS, tag);
      const victims = (await ours.processes()).filter(({ name }) => names.includes(name));
      const applied = ours.run(['apply', '--yes', '--quiet']);
      await untilHalf(model, tag, tasks.length);
      const killed = Date.now();
      for (const { pid } of victims) process.kill(pid, 'SIGKILL');
      await applied;
      back[kind].push((await standstillEnd(model, tag, killed)) - killed);
      lost[kind].push((await ours.lastRun()).ms - median(calm));
    }
  }
  return Object.keys(kinds).flatMap((kind) => [
    figure(`back at work after kill -9 of ${kind}`, median(back[kind]) / 1000, 's'),
    figure(`the run's whole delay by it`, median(lost[kind]) / 1000, 's'),
  ]);
}

/** When the longest time without a new question after `since` was over: what was under way may still come before it. */
async function standstillEnd(model, tag, since) {
  const arrivals = (await model.calls()).filter((call) => call.tag === tag && call.at > since).map(({ at }) => at);
  const gaps = arrivals.map((at, index) => ({ at, gap: at - (arrivals[index - 1] ?? since) }));
  return gaps.reduce((longest, one) => (one.gap > longest.gap ? one : longest), { at: since, gap: 0 }).at;
}

async function untilHalf(model, tag, tasks) {
  for (let waited = 0; waited < 60_000; waited += 50) {
    if ((await model.calls()).filter((call) => call.tag === tag).length >= tasks / 2) return;
    await sleep(50);
  }
  throw new Error(`the plan of ${tag} did not get halfway within a minute`);
}

/** Connects as the commands do. */
async function connectedClient(ours) {
  const { realRooms } = fromDist('client/cli/rooms.js');
  const { workspaceLayout } = fromDist('store/layout.js');
  return realRooms.connect({
    layout: workspaceLayout(ours.workspace),
    env: ours.env,
    flags: {},
    note: () => undefined,
  });
}

/** Events a second of a worker that has to build a plan's state anew; the cost of starting the replay is taken out. */
async function replay({ ours }) {
  const { Worker, Runtime, DefaultLogger } = fromDist('../node_modules/@temporalio/worker');
  const { Client, Connection } = fromDist('../node_modules/@temporalio/client');
  const address = JSON.parse((await ours.run(['status', '--json'])).stdout).address;
  const { id } = await ours.view();
  const connection = await Connection.connect({ address });
  try {
    const client = new Client({ connection, namespace: 'planwright' });
    const history = await client.workflow.getHandle(id).fetchHistory();
    Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
    const options = {
      dataConverter: { payloadCodecs: [fromDist('store/large-payloads.js').largePayloads] },
      workflowBundle: { codePath: join(ROOT, 'dist', 'workflow-bundle.js') },
      sinks: {
        projection: { changed: { fn: () => undefined, callDuringReplay: false } },
        runs: { stopped: { fn: () => undefined, callDuringReplay: false } },
      },
    };
    const timed = async (count) => {
      const started = performance.now();
      const histories = Array.from({ length: count }, (_, index) => ({ workflowId: `${id}-${index}`, history }));
      for await (const { error } of Worker.runReplayHistories(options, histories)) if (error) throw error;
      return performance.now() - started;
    };
    await timed(1);
    const perHistory = ((await timed(6)) - (await timed(1))) / 5;
    return [
      figure('events of that plan', history.events.length, 'events'),
      figure('replay', (history.events.length / perHistory) * 1000, 'events/s'),
    ];
  } finally {
    await connection.close();
  }
}

/** From a decision that is sent to its file on disk. */
async function gates({ ours }) {
  await ours.plan(SHAPES.wide(false).slice(0, GATES), 0, 'gates');
  await ours.run(['apply', '--quiet'], { code: 8 });
  const client = await connectedClient(ours);
  try {
    const costs = [];
    for (const { gate, digest, path, plan } of await client.gates((await ours.view()).id)) {
      const started = performance.now();
      const answered = client.decide(plan, { gate, digest, decision: 'approve', by: 'bench' });
      while (!existsSync(join(ours.workspace, path))) await sleep(1);
      costs.push(performance.now() - started);
      await answered;
    }
    if (costs.length !== GATES) throw new Error(`${costs.length} gates were open, not ${GATES} (${pathOf('t0')} …)`);
    return [figure('a gate, from decision to file on disk', median(costs), 'ms')];
  } finally {
    await client.close();
  }
}

/** How long a person waits for a prompt. */
async function commands({ ours, model, temporal, quick }) {
  const repeats = quick ? 3 : 7;
  const several = async (args) => {
    const took = [];
    for (let at = 0; at < repeats; at++) took.push((await ours.run(args)).ms);
    return median(took);
  };
  const fresh = new Installation({ url: model.url, temporal });
  try {
    const one = SHAPES.chain(true).slice(0, 1);
    const started = performance.now();
    await fresh.plan(one, 0, 'cold');
    const cold = performance.now() - started;
    const again = performance.now();
    await fresh.plan(one, 0, 'warm');
    return [
      figure('first command, nothing running yet', cold, 'ms'),
      figure('the same command, server and worker running', performance.now() - again, 'ms'),
      figure('--help', await several(['--help']), 'ms'),
      figure('plan list, server running', await several(['plan', 'list']), 'ms'),
      figure('status', await several(['status']), 'ms'),
    ];
  } finally {
    await fresh.close();
  }
}

/** Highest resident memory until now: last, so that it has seen everything (a worker was killed and started again). */
async function memory({ ours, quick }) {
  await ours.carryOut(SHAPES.lattice(quick), 0, 'memory');
  const rows = (await ours.processes()).map(({ name, pid }) =>
    figure(`peak memory of the ${name}`, peakMemory(pid), 'MB'),
  );
  return [...rows, figure('peak memory of a command', ours.commandMemory || null, 'MB')];
}
