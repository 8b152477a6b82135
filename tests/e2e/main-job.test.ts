import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PlanView } from '../../plan/view';
import { type ModelServer, startModelServer } from '../support/model-server';
import { Installation, useInstallation } from './installation';

const GOAL = 'Set up CI/CD with GitHub Actions, a Dockerfile and docker-compose for this Node.js app';

describe('the main job with the template provider', () => {
  const installation = useInstallation(() => new Installation());

  it('plans three tasks, the third after the second', async () => {
    const { stdout, stderr } = await installation().ok(['plan', GOAL]);
    expect(stderr).toContain('provider: template (no OPENAI_API_KEY set)');
    expect(stdout).toContain('→ depends on Task 2');
    const view = await installation().view();
    expect(view.graph.nodes.map(({ tool }) => tool)).toEqual(['github-actions', 'dockerfile', 'docker-compose']);
    expect(view).toMatchObject({ schema: 'planwright.plan/1', status: 'ready', risk: 'MEDIUM', provider: 'template' });
  });

  it('stops at the gates without a terminal, prints the lines to type, and exits 8', async () => {
    const { code, stderr, stdout } = await installation().run(['apply']);
    expect(code).toBe(8);
    expect(stderr + stdout).toMatch(/planwright approve plan-[0-9a-f]{8} --gate gate-[0-9a-f]{16}/);
    expect(Object.keys(installation().files())).not.toContain('Dockerfile');
  });

  it('lists what waits, and writes exactly what was approved', async () => {
    const gates = JSON.parse((await installation().ok(['approvals', '--json'])).stdout) as {
      gate: string;
      path: string;
      decide: string;
    }[];
    expect(gates.map(({ path }) => path).sort()).toEqual(['.dockerignore', '.github/workflows/ci.yml', 'Dockerfile']);
    const { id } = await installation().view();
    await installation().ok(['approve', id, '--path', 'Dockerfile', '--reason', 'fine', '--as', 'ana']);
    await installation().ok(['approve', id, '--all']);
    const watched = installation().start(['watch', id]);
    await watched.says(/docker-compose\.yml/);
    await installation()
      .ok(['approve', id, '--all', '--task', '3'])
      .catch(() => undefined);
    const end = await watched.done;
    if (end.code === 8) await installation().ok(['approve', id, '--all']);
    expect((await installation().run(['watch', id])).code).toBe(0);
    const view = await installation().view(id);
    expect(view.status).toBe('completed');
    const written = Object.values(view.tasks).flatMap(({ files }) => files);
    for (const file of written) {
      const object = join(
        installation().workspace,
        '.planwright',
        'objects',
        file.sha256.slice(0, 2),
        file.sha256.slice(2),
      );
      expect(readFileSync(join(installation().workspace, file.path))).toEqual(readFileSync(object));
    }
    expect(view.tasks['2']?.decisions.find(({ path }) => path === 'Dockerfile')).toMatchObject({
      by: 'ana',
      reason: 'fine',
    });
  });

  it('has nothing to do a second time, and keeps the plan file in step', async () => {
    expect((await installation().run(['apply'])).code).toBe(0);
    const { id } = await installation().view();
    const read = (): PlanView =>
      JSON.parse(
        readFileSync(join(installation().workspace, '.planwright', 'plans', `${id}.json`), 'utf8'),
      ) as PlanView;
    for (let tries = 0; read().status !== 'completed' && tries < 50; tries++)
      await new Promise((resolve) => setTimeout(resolve, 100));
    expect(read()).toMatchObject({ id, status: 'completed' });
  });

  it('shows the plan from its file while Temporal is away, and says so', async () => {
    const { stdout: made } = await installation().ok(['plan', 'a Makefile', '--json']);
    await installation().ok(['down']);
    // The file is not behind, although the plan was made a moment before its worker was stopped.
    expect((await installation().view('latest')).status).toBe('ready');
    expect(made).toContain('plan_ready');
    const { stdout, stderr } = await installation().ok(['plan', 'show']);
    expect(stdout + stderr).toMatch(/not running/);
    expect((await installation().ok(['plan', 'list'])).stdout).toContain('completed');
  });
});

describe('the main job with a model', () => {
  let model: ModelServer;
  beforeAll(async () => {
    model = await startModelServer({ apiKey: 'sk-test' });
  });
  afterAll(() => model.close());
  const installation = useInstallation(
    async () => new Installation({ OPENAI_API_KEY: 'sk-test', OPENAI_BASE_URL: (await startedModel()).url }),
  );
  const startedModel = async (): Promise<ModelServer> => {
    while (!model) await new Promise((resolve) => setTimeout(resolve, 10));
    return model;
  };

  it('costs one call for the plan and one for each task', async () => {
    await installation().ok(['plan', GOAL]);
    expect(model.calls).toHaveLength(1);
    const { stdout } = await installation().ok(['apply', '--yes', '--json']);
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string });
    expect(events[0]).toMatchObject({ type: 'version', stream: 1 });
    expect(events.at(-1)).toMatchObject({ type: 'run_finished', status: 'completed' });
    expect(model.calls).toHaveLength(4);
    expect((await installation().view()).usage.calls).toBe(4);
  });

  it('masks the key and exits 4 when the provider refuses it', async () => {
    const { code, stderr, stdout } = await installation().run(['plan', GOAL], {
      env: { OPENAI_API_KEY: 'sk-wrong-key-canary' },
    });
    expect(code).toBe(4);
    expect(stderr + stdout).not.toContain('sk-wrong-key-canary');
    expect(stderr).toContain('OPENAI_API_KEY');
  });

  it('exits 4 when nobody listens at the base URL', async () => {
    const gone = await startModelServer();
    await gone.close();
    const { code, stderr } = await installation().run(['plan', GOAL], { env: { OPENAI_BASE_URL: gone.url } });
    expect(code).toBe(4);
    expect(stderr).toContain(new URL(gone.url).host);
  });
});
