import { createGenerate } from '../../../activities/llm/generate';
import { sha256 } from '../../../plan/digest';
import { type ModelServer, startModelServer } from '../../support/model-server';
import { failureOf, generateRequest, skill, skills, type World, world } from './fixtures';

let server: ModelServer;
let at: World;
let workspace: string;

beforeEach(async () => {
  server = await startModelServer();
  at = await world(server.url);
  workspace = await at.snapshot({ Dockerfile: 'FROM old\n', 'src/a.ts': 'secret of mine', '.env': 'CANARY=1' });
});

afterEach(async () => {
  await server.close();
  await at.remove();
});

const answer = (...files: { path: string; content: string }[]): { content: object } => ({
  content: { files, summary: 'Done.' },
});
const template = { provider: 'template', model: 'template', temperature: 0 };

describe('generating with a model', () => {
  it('costs one call; contents are objects, and the result says what they replace', async () => {
    server.push(answer({ path: 'Dockerfile', content: 'FROM new\n' }, { path: 'run.sh', content: 'x\n' }));
    const result = await createGenerate(at.deps)(generateRequest(workspace));
    expect(server.calls).toHaveLength(1);
    expect(result.files).toEqual([
      { path: 'Dockerfile', sha256: sha256('FROM new\n'), bytes: 9, preSha256: sha256('FROM old\n'), mode: '0644' },
      { path: 'run.sh', sha256: sha256('x\n'), bytes: 2, preSha256: null, mode: '0755' },
    ]);
    expect(await at.objects.text(sha256('FROM new\n'))).toBe('FROM new\n');
    expect(result).toMatchObject({
      summary: 'Done.',
      output: { path: 'Dockerfile', port: 3000, files: ['Dockerfile', 'run.sh'], summary: 'Done.' },
      modelReturned: 'test-model-1',
      temperatureSent: 0.2,
      responseId: 'chatcmpl-test-1',
      finishReason: 'stop',
      fromRecord: false,
      usage: { calls: 1 },
    });
    expect(JSON.parse(await at.objects.text(result.raw))).toHaveProperty('files');
  });

  it('shows the model what it may see: its own files and those of ancestors, fenced; nothing else', async () => {
    const compose = await at.objects.put('services: {}\n');
    await createGenerate(at.deps)(
      generateRequest(workspace, {
        overlay: { 'docker-compose.yml': compose },
        instruction: 'Use alpine.',
        feedback: ['line 3: bad'],
      }),
    );
    const user = server.calls[0]?.user ?? '';
    for (const shown of ['FROM old', 'services: {}', 'Use alpine.', '- line 3: bad', 'language: node'])
      expect(user).toContain(shown);
    expect(user).not.toMatch(/secret of mine|CANARY/);
  });

  it("takes an ancestor's file as the base, before the one on disk", async () => {
    const overlay = { Dockerfile: await at.objects.put('FROM ancestor\n') };
    const result = await createGenerate(at.deps)(generateRequest(workspace, { overlay }));
    expect(result.files[0]?.preSha256).toBe(sha256('FROM ancestor\n'));
    expect(server.calls[0]?.user).toContain('FROM ancestor');
    expect(server.calls[0]?.user).not.toContain('FROM old');
  });

  it('resolves references by the schema of its own skill', async () => {
    const output = { path: 'app/Dockerfile', port: 8080, files: [], summary: '' };
    const task = {
      id: '3',
      tool: 'docker-compose',
      description: 'Compose',
      input: { dockerfile: '$ref:2', port: '$ref:2.port', image: '$ref:2' },
      deps: ['2'],
    };
    await createGenerate(at.deps)(
      generateRequest(workspace, { task, refs: { '2': { tool: 'github-actions', output } } }),
    );
    expect(server.calls[0]?.user).toContain(
      JSON.stringify({ dockerfile: 'app/Dockerfile', port: 8080, image: output }, null, 2),
    );
  });

  it('refuses what cannot be resolved or breaks the schema once it is, before any call', async () => {
    const generate = createGenerate(at.deps);
    const task = (input: object): ReturnType<typeof generateRequest> =>
      generateRequest(workspace, {
        task: { id: '3', tool: 'docker-compose', description: 'x', input: { ...input }, deps: ['2'] },
        refs: { '2': { tool: 'dockerfile', output: { path: 'Dockerfile' } } },
      });
    expect(await failureOf(generate(task({ port: '$ref:2.port' })))).toMatchObject({
      type: 'BadInput',
      message: expect.stringContaining('has no "port"'),
    });
    expect(await failureOf(generate(task({ port: '$ref:2' })))).toMatchObject({
      type: 'BadInput',
      message: expect.stringContaining('input.port'),
    });
    expect(await failureOf(generate({ ...task({}), task: { ...task({}).task, tool: 'gone' } }))).toMatchObject({
      type: 'BadInput',
    });
    expect(server.calls).toHaveLength(0);
  });

  it.each(['../x', '/etc/passwd', '.git/hooks/pre-commit', 'a\\b', 'C:\\x', '.env', 'a/./b'])(
    'refuses the path %j, says so to the model, and fails the task where it insists',
    async (path) => {
      server.push(...[1, 2, 3].map(() => answer({ path, content: 'x' })));
      const failure = await failureOf(createGenerate(at.deps)(generateRequest(workspace)));
      expect(failure).toMatchObject({ type: 'BadAnswer', nonRetryable: true });
      expect(server.calls[1]?.user).toContain('The path');
    },
  );

  it('refuses a path twice, in another case, no file at all, and a file that is too large', async () => {
    const file = (path: string, content = 'x'): { path: string; content: string } => ({ path, content });
    server.push(
      answer(file('Dockerfile'), file('dockerfile')),
      answer(),
      answer(file('Dockerfile', 'x'.repeat(1024 * 1024 + 1))),
    );
    const failure = await failureOf(createGenerate(at.deps)(generateRequest(workspace)));
    expect(failure).toMatchObject({ type: 'BadAnswer', message: expect.stringContaining('at most 1048576') });
    expect(server.calls[1]?.user).toContain('only by case');
  });

  it('hides a secret of an existing file, and does not let the mask be written in its place', async () => {
    const secret = 'ghp_0123456789abcdefghijklmnopqrstuvwxyz';
    const leaky = await at.snapshot({ Dockerfile: `FROM x\nENV T=${secret}\n` });
    server.reply = (call, number) => {
      const shown = /ENV T=.*/.exec(call.user)?.[0];
      return number === 1 ? answer({ path: 'Dockerfile', content: `FROM y\n${shown}\n` }) : undefined;
    };
    const result = await createGenerate(at.deps)(generateRequest(leaky));
    expect(JSON.stringify(server.calls.map(({ body }) => body))).not.toContain(secret);
    expect(server.calls).toHaveLength(2);
    expect(server.calls[1]?.user).toContain('is no content');
    expect(await at.objects.text(result.files[0]?.sha256 ?? '')).not.toContain('[masked');
  });

  it('stops when it is cancelled', async () => {
    server.push({ hang: true });
    at.context.heartbeat = () => at.abort.abort();
    await expect(createGenerate(at.deps)(generateRequest(workspace))).rejects.toMatchObject({
      name: 'CancelledFailure',
    });
  });

  it('gives one digest to equal questions and another to different ones', async () => {
    const generate = createGenerate(at.deps);
    const digests: string[] = [];
    for (const more of [{}, { plan: 'plan-00000002' }, { instruction: 'x' }]) {
      digests.push((await generate(generateRequest(workspace, more))).promptDigest);
    }
    expect(digests[0]).toBe(digests[1]);
    expect(digests[2]).not.toBe(digests[0]);
  });
});

describe('generating from templates', () => {
  it('renders the skill for this workspace with no call and no tokens, and names itself', async () => {
    const task = { id: '1', tool: 'makefile', description: 'x', input: { note: 'hi' }, deps: [] };
    const result = await createGenerate(at.deps)(generateRequest(workspace, { task, settings: template }));
    expect(await at.objects.text(result.files[0]?.sha256 ?? '')).toBe('# node hi\n');
    expect(result).toMatchObject({
      modelReturned: 'template',
      temperatureSent: null,
      usage: { promptTokens: 0, completionTokens: 0, calls: 0 },
    });
    expect(server.calls).toHaveLength(0);
  });

  it('says that it cannot follow an instruction', async () => {
    const task = { id: '1', tool: 'makefile', description: 'x', input: {}, deps: [] };
    const result = await createGenerate(at.deps)(
      generateRequest(workspace, { task, settings: template, instruction: 'be nice' }),
    );
    expect(result.summary).toContain('cannot follow instructions');
  });

  it('fails for good where a template does not render', async () => {
    const broken = skill('makefile', 'Makefile', { templates: [{ path: 'Makefile', template: '{{ nothing.here }}' }] });
    at.deps.skills = async () => new Map([...skills(), ['makefile', broken]]);
    const task = { id: '1', tool: 'makefile', description: 'x', input: {}, deps: [] };
    expect(
      await failureOf(createGenerate(at.deps)(generateRequest(workspace, { task, settings: template }))),
    ).toMatchObject({ type: 'BadInput', nonRetryable: true });
  });
});
