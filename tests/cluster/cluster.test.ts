/**
 * Plans on a real cluster: PostgreSQL and the production server, with two workers of one workspace, everything by the
 * command line. Skipped by name where the programs are not on the machine; `npm run test:cluster` builds what can be built.
 */
import { Installation, type Running } from '../e2e/installation';
import { Cluster } from './cluster';
import { findClusterTools } from './tools';

const found = findClusterTools(process.env);
const here = 'tools' in found ? describe : describe.skip;

const GOAL = 'Set up CI/CD with GitHub Actions, a Dockerfile and docker-compose for this Node.js app';

interface OpenGate {
  gate: string;
  path: string | null;
}

here(`on a cluster${'missing' in found ? ` (${found.missing})` : ''}`, () => {
  let cluster: Cluster;
  let installation: Installation;
  let workers: Running[] = [];

  const startWorker = async (): Promise<Running> => {
    const worker = installation.start(['worker']);
    await worker.says(/worker listens/);
    workers.push(worker);
    return worker;
  };

  beforeAll(async () => {
    if (!('tools' in found)) return;
    cluster = await Cluster.start(found.tools);
  }, 180_000);

  beforeEach(() => {
    installation = new Installation({ ...cluster.environment, PLANWRIGHT_TEMPORAL_BIN: '/nonexistent' });
  });

  afterEach(async () => {
    for (const { child, done } of workers) {
      child.kill('SIGTERM');
      await done;
    }
    workers = [];
    expect(await installation.close()).toEqual([]);
  }, 60_000);

  afterAll(async () => {
    await cluster?.close();
  }, 60_000);

  const gates = async (plan: string): Promise<OpenGate[]> =>
    JSON.parse((await installation.ok(['approvals', plan, '--json'])).stdout) as OpenGate[];

  /** Approves whatever opens until the plan is over. */
  const approveToTheEnd = async (plan: string): Promise<void> => {
    for (let round = 0; round < 100; round++) {
      const { code } = await installation.run(['watch', plan]);
      if (code === 0) return;
      expect(code).toBe(8);
      for (const { gate } of await gates(plan)) await installation.run(['approve', plan, '--gate', gate]);
    }
    throw new Error(`${plan} does not end`);
  };

  it('does the main job with approvals, and starts nothing of its own', async () => {
    await startWorker();
    await startWorker();
    await installation.ok(['plan', GOAL]);
    const { id } = await installation.view();
    expect((await installation.run(['apply', id])).code).toBe(8);
    expect((await gates(id)).length).toBeGreaterThan(0);
    await approveToTheEnd(id);
    expect(await installation.view(id)).toMatchObject({ status: 'completed' });
    expect(Object.keys(installation.files())).toEqual(
      expect.arrayContaining(['Dockerfile', 'docker-compose.yml', '.github/workflows/ci.yml']),
    );
    expect(await installation.processes()).toEqual([]);
  }, 120_000);

  it.each(['worker', 'server', 'postgres'] as const)(
    'loses nothing when a %s is killed while a plan waits and works',
    async (part) => {
      const [first] = [await startWorker(), await startWorker()];
      await installation.ok(['plan', `a Makefile and GitHub Actions, after a killed ${part}`]);
      const { id } = await installation.view();
      expect((await installation.run(['apply', id])).code).toBe(8);
      const before = await gates(id);
      if (part === 'worker') {
        first?.child.kill('SIGKILL');
      } else {
        await cluster.kill(part);
        await cluster.startAgain(part);
      }
      // The same gates still wait, each once.
      await expectSoon(async () => expect(await gates(id)).toEqual(before));
      await approveToTheEnd(id);
      const view = await installation.view(id);
      expect(view.status).toBe('completed');
      for (const task of Object.values(view.tasks)) expect(task.attempts).toBe(1);
    },
    180_000,
  );
});

/** Again until it holds: after a kill the cluster answers when it is back. */
async function expectSoon(check: () => Promise<void>): Promise<void> {
  for (const end = Date.now() + 60_000; ; ) {
    try {
      await check();
      return;
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}
