/** Two plans of one workspace that want the same file: writes are one after the other, and both sides can read what happened. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ModelServer, startModelServer } from '../support/model-server';
import { Installation, useInstallation } from './installation';

const ORIGINAL = 'FROM node:18\nCMD ["node", "original.js"]\n';
const graph = JSON.stringify({
  nodes: [{ id: 'd', tool: 'dockerfile', description: 'a Dockerfile', input: {}, deps: [] }],
});

let model: ModelServer;
const installation = useInstallation(async () => {
  let answers = 0;
  model = await startModelServer({
    latencyMs: 100,
    reply: () => {
      answers += 1;
      const content = `FROM node:22-slim\nWORKDIR /app\nCOPY . .\nUSER node\nCMD ["node", "answer-${answers}.js"]\n`;
      return { content: { files: [{ path: 'Dockerfile', content }], summary: 'made' } };
    },
  });
  return new Installation({ OPENAI_API_KEY: 'k', OPENAI_BASE_URL: model.url });
});
afterAll(() => model?.close());

const dockerfile = (): string => installation().files().Dockerfile ?? '';

/** Two new plans for the Dockerfile. */
async function two(): Promise<[string, string]> {
  writeFileSync(join(installation().workspace, 'Dockerfile'), ORIGINAL);
  const file = join(installation().home, 'graph.json');
  writeFileSync(file, graph);
  const ids: string[] = [];
  for (const name of ['first', 'second']) {
    await installation().ok(['plan', '--graph', file, '--name', name]);
    ids.push((await installation().view()).id);
  }
  return [ids[0] ?? '', ids[1] ?? ''];
}

it('an approval is void once the other plan wrote the file: it is made anew on top, and asked for again', async () => {
  const [first, second] = await two();
  expect((await installation().run(['apply', first])).code).toBe(8);
  const before = (await installation().view(first)).gates[0];
  await installation().ok(['apply', second, '--yes']);
  const written = dockerfile();
  await installation().run(['approve', first, '--all']);
  const { code, stderr } = await installation().run(['watch', first]);
  expect([code, stderr]).toEqual([8, expect.stringContaining('planwright approve')]);
  const asked = await installation().view(first);
  expect(asked.gates[0]?.gate).not.toBe(before?.gate);
  expect(asked.tasks.d?.attempts).toBe(2);
  expect(dockerfile()).toBe(written);
  expect((await installation().ok(['plan', 'diff', first])).stdout).toMatch(/-CMD \["node", "answer-2.js"\]/);
  await installation().ok(['approve', first, '--all']);
  await installation().ok(['watch', first]);
  expect(dockerfile()).toContain('answer-3');

  const refused = await installation().run(['rollback', second]);
  expect([refused.code, refused.stdout]).toEqual([1, expect.stringContaining('✗ Kept: Dockerfile')]);
  expect(dockerfile()).toContain('answer-3');
  await installation().ok(['rollback', first]);
  expect(dockerfile()).toBe(written);
  await installation().ok(['rollback', second]);
  expect(dockerfile()).toBe(ORIGINAL);
  const { stdout } = await installation().ok(['history', 'show', second]);
  expect(stdout).toMatch(/1 +rollback +(partial|failed)[\s\S]*1 left\n *2 +rollback +completed .* 1 restored/);
}, 120_000);

it('two runs at once leave one whole file of one of them, and can be taken back in turn', async () => {
  const ids = await two();
  const ended = await Promise.all(ids.map((id) => installation().run(['apply', id, '--yes'])));
  expect(ended.map(({ code }) => code)).toEqual([0, 0]);
  const views = await Promise.all(ids.map((id) => installation().view(id)));
  const [last, earlier] = views.sort(
    (a, b) => Date.parse(b.tasks.d?.completedAt ?? '') - Date.parse(a.tasks.d?.completedAt ?? ''),
  );
  // Whoever came second was made on top of what the first wrote, and says so by its base.
  expect(last?.tasks.d?.files[0]?.preSha256).toBe(earlier?.tasks.d?.files[0]?.sha256);
  await installation().ok(['rollback', last?.id ?? '']);
  await installation().ok(['rollback', earlier?.id ?? '']);
  expect(dockerfile()).toBe(ORIGINAL);
}, 120_000);
