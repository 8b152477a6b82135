import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ModelServer } from '../support/model-server';
import { startModelServer } from '../support/model-server';
import { Installation } from './installation';

const GOAL = 'Set up CI/CD with GitHub Actions and a Dockerfile for this project';

describe('a key in a file of the user', () => {
  let model: ModelServer;
  let installation: Installation;
  beforeAll(async () => {
    model = await startModelServer({ apiKey: 'sk-file-canary' });
    installation = new Installation({ OPENAI_API_KEY: '', OPENAI_BASE_URL: model.url });
  });
  afterAll(async () => {
    await installation.close();
    await model.close();
  });

  it('reaches the model through the worker, and the history is there when Temporal is not', async () => {
    const key = join(installation.home, 'openai.key');
    writeFileSync(key, 'sk-file-canary\n', { mode: 0o600 });
    await installation.ok(['provider', 'add', 'openai', '--key-file', key]);
    const { stderr } = await installation.ok(['plan', GOAL]);
    expect(stderr).toContain('provider: openai (your config names a key file)');
    expect(model.calls).toHaveLength(1);
    // The plan file follows within a second; `down` does not wait for it.
    const plans = join(installation.workspace, '.planwright', 'plans');
    const written = (): boolean =>
      existsSync(plans) &&
      readdirSync(plans)
        .filter((name) => /^plan-[0-9a-f]{8}\.json$/.test(name))
        .some((name) => readFileSync(join(plans, name), 'utf8').includes('"status": "ready"'));
    while (!written()) await new Promise((resolve) => setTimeout(resolve, 50));
    await installation.ok(['down']);
    const list = await installation.ok(['history', 'list']);
    expect(list.stdout).toMatch(/plan-[0-9a-f]{8} .* ready /);
    expect(list.stderr).toContain('Temporal is not running');
    const shown = await installation.ok(['history', 'show', 'latest', '--json']);
    expect(JSON.parse(shown.stdout)).toMatchObject({ source: 'plan file', usage: { calls: 1 } });
    expect(shown.stdout + readFileSync(join(installation.home, 'config', 'config.yaml'), 'utf8')).not.toContain(
      'canary',
    );
  });
});
