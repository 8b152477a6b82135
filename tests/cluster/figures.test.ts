/**
 * Figures, not a test: `PLANWRIGHT_CLUSTER_FIGURES=1 npm run test:cluster -- figures` prints what docs/performance.md says of the cluster.
 * PLANWRIGHT_FIGURE_PLANS says how many plans run at once (200).
 */
import { readFileSync } from 'node:fs';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { connectPlanClient } from '../../client/connect';
import type { PlanClient } from '../../client/types';
import { isSettledPlan } from '../../plan/states';
import { Installation } from '../e2e/installation';
import { startServer } from '../support/temporal';
import { clientOf, onCluster, planNotes, prepareNotes, until, useCluster } from './world';

const wanted = Boolean(process.env.PLANWRIGHT_CLUSTER_FIGURES);
const PLANS = Number(process.env.PLANWRIGHT_FIGURE_PLANS ?? 200);
const SHAPES = { chain: { tasks: 20, chained: true }, wide: { tasks: 100, chained: false } };
const ROUNDS = 3;

const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** Peak resident memory of a process in MB, as the kernel counts it. */
function peakMegabytes(pid: number | undefined): number {
  const [, kilobytes = '0'] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Math.round(Number(kilobytes) / 1024);
}

async function finished(client: PlanClient, ids: readonly string[]): Promise<number> {
  const started = performance.now();
  for (const id of ids) await client.apply(id, { by: 'test', yes: true });
  for (const id of ids) {
    const { status } = await until(client, id, (view) => view.runs.length > 0 && isSettledPlan(view.status));
    if (status !== 'completed') throw new Error(`${id} is ${status}`);
  }
  return performance.now() - started;
}

/** Milliseconds of one run of each shape, the fastest of several: the others waited for the machine. */
async function shapes(client: PlanClient, tag: string): Promise<{ [shape: string]: number }> {
  const best: { [shape: string]: number } = {};
  for (const [shape, { tasks, chained }] of Object.entries(SHAPES)) {
    for (let round = 0; round < ROUNDS; round++) {
      const took = await finished(client, [await planNotes(client, `${tag}-${shape}-${round}`, tasks, chained)]);
      best[shape] = Math.min(best[shape] ?? Number.POSITIVE_INFINITY, took);
    }
  }
  return best;
}

(wanted ? onCluster : describe.skip)('figures of a cluster', () => {
  const world = useCluster();

  it(`${PLANS} plans at once with two workers`, async () => {
    const here = world();
    const layout = await prepareNotes(here);
    const workers = [await here.startWorker(), await here.startWorker()];
    const client = await clientOf(here, layout);
    try {
      const warm = await finished(client, [await planNotes(client, 'warm', 3)]);
      const ids: string[] = [];
      for (let at = 0; at < PLANS; at++) ids.push(await planNotes(client, `many${at}`, 3));
      const took = await finished(client, ids);
      say(
        `one plan of 3 tasks: ${warm.toFixed(0)} ms; ${PLANS} at once: ${took.toFixed(0)} ms, x ${(took / warm).toFixed(1)}`,
      );
      say(`peak memory of the workers: ${workers.map(({ child }) => peakMegabytes(child.pid)).join(' and ')} MB`);
    } finally {
      await client.close();
    }
  }, 900_000);

  it('PostgreSQL with 512 shards against the embedded server', async () => {
    const here = world();
    const layout = await prepareNotes(here);
    await here.startWorker();
    const client = await clientOf(here, layout);
    const onPostgres = await shapes(client, 'pg').finally(() => client.close());
    const server: TestWorkflowEnvironment = await startServer();
    const environment = { TEMPORAL_ADDRESS: server.address, TEMPORAL_NAMESPACE: 'default' };
    const installation = new Installation(environment);
    try {
      const other = await prepareNotes({ installation });
      const worker = installation.start(['worker']);
      await worker.says(/worker listens/);
      const embedded = await connectPlanClient({
        ...{ layout: other, env: environment, flags: {}, note: () => undefined, settingsDigest: '' },
      });
      const onEmbedded = await shapes(embedded, 'em').finally(() => embedded.close());
      for (const [shape, took] of Object.entries(onPostgres)) {
        const than = onEmbedded[shape] ?? Number.NaN;
        say(`${shape}: ${took.toFixed(0)} ms against ${than.toFixed(0)} ms, x ${(took / than).toFixed(2)}`);
      }
      worker.child.kill('SIGTERM');
      await worker.done;
    } finally {
      await installation.close();
      await server.teardown();
    }
  }, 900_000);
});
