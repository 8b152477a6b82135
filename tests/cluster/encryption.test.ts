/**
 * Encryption on a real cluster: what PostgreSQL wrote to its files, and what the server logged, hold no word of a plan. Skipped by
 * name where the programs are not on the machine, like the tests beside it.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Installation, type Running } from '../e2e/installation';
import { CANARY, canaryModel, canarySettings, filesWithCanary, readable, runCanaryPlan } from '../support/canary';
import type { ModelServer } from '../support/model-server';
import { Cluster } from './cluster';
import { findClusterTools } from './tools';

const found = findClusterTools(process.env);
const here = 'tools' in found ? describe : describe.skip;

here(`encryption on a cluster${'missing' in found ? ` (${found.missing})` : ''}`, () => {
  let cluster: Cluster;
  let model: ModelServer;
  const folder = mkdtempSync(join(tmpdir(), 'planwright-cluster-keys-'));

  beforeAll(async () => {
    if (!('tools' in found)) return;
    model = await canaryModel();
    cluster = await Cluster.start(found.tools);
  }, 180_000);
  afterAll(async () => {
    await cluster?.close();
    await model?.close();
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  /** Runs the plan with the canaries by a worker in the foreground. @returns what the worker printed, and the history */
  async function run(env: NodeJS.ProcessEnv): Promise<{ log: string; history: string }> {
    const settings = { ...cluster.environment, ...canarySettings(model), ...env };
    const installation = new Installation({ ...settings, PLANWRIGHT_TEMPORAL_BIN: '/nonexistent' });
    const worker: Running = installation.start(['worker']);
    try {
      await worker.says(/worker listens/);
      const { id } = await runCanaryPlan(installation);
      if (!('tools' in found)) throw new Error('skipped');
      const where = ['--address', cluster.address, '--namespace', 'planwright'];
      const show = ['workflow', 'show', '-w', id, '--output', 'json', ...where];
      const { stdout } = spawnSync(found.tools.temporal, show, { encoding: 'utf8', timeout: 30_000, maxBuffer: 1e8 });
      worker.child.kill('SIGTERM');
      const { stdout: log, stderr } = await worker.done;
      return { log: log + stderr, history: readable(stdout) };
    } finally {
      worker.child.kill('SIGKILL');
      expect(await installation.close()).toEqual([]);
    }
  }

  it('T30 a canary is in no history, no file of PostgreSQL, no log; without keys it is in the first two', async () => {
    const keys = join(folder, 'keys');
    const maker = new Installation({ PLANWRIGHT_TEMPORAL_BIN: '/nonexistent' });
    await maker.ok(['codec', 'new-key', keys]);
    await maker.close();

    const { log, history } = await run({ PLANWRIGHT_CODEC_KEY_FILE: keys });
    expect(history).toContain('EVENT_TYPE_WORKFLOW_EXECUTION_STARTED');
    expect(history).not.toContain(CANARY);
    expect(log).not.toContain(CANARY);
    for (const part of ['server', 'postgres'] as const) expect(cluster.log(part)).not.toContain(CANARY);
    // A clean stop is a checkpoint: what was in memory alone is in the files now.
    await cluster.stop('server');
    await cluster.stop('postgres');
    expect(readdirSync(join(cluster.dataFolder, 'base')).length).toBeGreaterThan(0);
    expect(filesWithCanary(cluster.dataFolder)).toEqual([]);
    await cluster.startAgain('postgres');
    await cluster.startAgain('server');

    expect((await run({})).history).toContain(`${CANARY}-goal`);
    await cluster.stop('server');
    await cluster.stop('postgres');
    expect(filesWithCanary(cluster.dataFolder)).not.toEqual([]);
  }, 300_000);
});
