/**
 * Bad input, by the real command line: each case ends with a message that says what happened, why and what to do, with the
 * exit code of the contract, and leaves nothing half-made behind.
 */
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ModelReply, type ModelServer, startModelServer } from '../support/model-server';
import { type Finished, Installation } from './installation';
import { expectClear, graphText, KEY, node, type Refused, refusedBy } from './refusal';

let model: ModelServer;
let installation: Installation;

beforeAll(async () => {
  model = await startModelServer({ apiKey: KEY });
  installation = new Installation({ OPENAI_API_KEY: KEY, OPENAI_BASE_URL: model.url, PLANWRIGHT_MODEL: 'm' });
});
afterAll(async () => {
  await installation.close();
  await model.close();
}, 60_000);

const inWorkspace = (path: string): string => join(installation.workspace, path);
const refused: Refused = (...given) => refusedBy(installation, ...given);

/** No temp file stays: a plan file that is being written this very moment has a second to be done. */
async function nothingHalfMade(): Promise<void> {
  for (let tries = 0; installation.leftovers().length > 0 && tries < 20; tries++) await sleep(100);
  expect(installation.leftovers()).toEqual([]);
}

describe('words that make no plan', () => {
  const paths = (): string[] => Object.keys(installation.files()).sort();

  const CASES: [name: string, args: string[], says: RegExp, input: string][] = [
    ['no goal', ['plan'], /There is no goal/, ''],
    ['an empty goal', ['plan', ''], /goal is empty/, ''],
    ['a goal of blanks', ['plan', ' \n\t '], /goal is empty/, ''],
    ['100 kB of goal', ['plan'], /too long: 99999 bytes.*32768/, 'x '.repeat(50_000)],
    ['a goal with ANSI escapes', ['plan', 'make \u001b[2J it'], /control or invisible character \(U\+001B\)/, ''],
    ['a goal with bidi characters', ['plan', 'make \u202eti'], /control or invisible character \(U\+202E\)/, ''],
    [
      'a provider that nobody knows',
      ['plan', 'x', '--provider', 'nope'],
      /no provider "nope".*\n.*openai, template/,
      '',
    ],
    ['--timeout 0', ['apply', '--timeout', '0'], /--timeout takes seconds, more than 0/, ''],
    ['--concurrency x', ['apply', '--concurrency', 'x'], /--concurrency takes a whole number/, ''],
    ['a directory that is not there', ['-C', '/nowhere/at/all', 'plan', 'x'], /There is no directory/, ''],
    ['a file as the directory', ['-C', 'package.json', 'plan', 'x'], /There is no directory .*package\.json/, ''],
    ['a graph that is not there', ['plan', '--graph', 'none.json'], /cannot be read from .*none\.json: ENOENT/, ''],
    ['a directory as the graph', ['plan', '--graph', 'src'], /cannot be read from .*src: EISDIR/, ''],
    ['a name with control characters', ['plan', 'x', '--name', 'a\u001b[31m'], /is no name/, ''],
    ['an unknown command', ['frobnicate'], /unknown command 'frobnicate'/, ''],
  ];
  it.each(CASES)('%s: exit 2, and no workspace is made', async (_name, args, says, input) => {
    const files = paths();
    await refused(args, 2, says, { input });
    expect(paths()).toEqual(files);
    expect(existsSync(inWorkspace('.planwright'))).toBe(false);
    expect(model.calls).toHaveLength(0);
  });

  it('openai without a key, or with a base URL that is not http: exit 2', async () => {
    await refused(['plan', 'x', '--provider', 'openai'], 2, /needs a key, and OPENAI_API_KEY is not set/, {
      env: { OPENAI_API_KEY: '' },
    });
    await refused(['plan', 'x'], 2, /base URL from OPENAI_BASE_URL is not an http/, {
      env: { OPENAI_BASE_URL: 'ftp://user:secret@host' },
    });
  });

  it.each([
    ['half a JSON', '{"nodes": [', /no task graph\. It is not complete JSON/],
    ['another shape', '{"tasks": []}', /nodes: missing; expected array/],
    [
      'a number as an id',
      '{"nodes":[{"id":1,"tool":"dockerfile","description":"d"}]}',
      /nodes\.0\.id: .*expected string/,
    ],
    [
      'a __proto__ key',
      '{"nodes":[{"id":"1","tool":"dockerfile","description":"d","input":{"__proto__":{}}}]}',
      /key "__proto__"/,
    ],
  ])('a graph file with %s: exit 2, before anything starts', async (_name, text, says) => {
    writeFileSync(inWorkspace('graph.json'), text);
    await refused(['plan', '--graph', 'graph.json'], 2, says);
    rmSync(inWorkspace('graph.json'));
  });

  it('no state directory can be made: exit 4 names it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'planwright-e2e-none-'));
    writeFileSync(join(folder, 'state'), 'a file');
    await refused(['up'], 4, /needs a state directory at .*state, but a file stands there/, {
      env: { PLANWRIGHT_HOME: folder },
    });
    rmSync(folder, { recursive: true });
  });
});

describe('a given graph', () => {
  it.each([
    ['no task', graphText(), /no task; it needs at least one/],
    [
      'a cycle',
      graphText(node('a', 'dockerfile', ['b']), node('b', 'makefile', ['a'])),
      /in a circle: "a" → "b" → "a"/,
    ],
    ['an unknown tool', graphText(node('a', 'rm-rf')), /Task "a": there is no tool "rm-rf"/],
    [
      'a dependency that is not there',
      graphText(node('a', 'makefile', ['zz'])),
      /depends on "zz", and there is no such task/,
    ],
    ['one id twice', graphText(node('a', 'makefile'), node('a', 'dockerfile')), /Two tasks have the id "a"/],
    [
      'an input that breaks the schema',
      graphText(node('a', 'makefile', [], { x: 1 })),
      /input\.x is not known to makefile/,
    ],
    [
      'a path that leaves the workspace',
      graphText(node('a', 'github-actions', [], { file: '../../etc/x' })),
      /"\.\.\/\.\.\/etc\/x"/,
    ],
    [
      'a $ref to a stranger',
      graphText(node('a', 'makefile'), node('b', 'docker-compose', [], { dockerfile: '$ref:a' })),
      /\$ref:a, which is not among its dependencies/,
    ],
    [
      'two writers of one path',
      graphText(node('a', 'makefile'), node('b', 'makefile')),
      /both write Makefile, and neither depends on the other/,
    ],
  ])('with %s: exit 2, and `plan show` tells the same', async (_name, text, says) => {
    writeFileSync(inWorkspace('graph.json'), text);
    await refused(['plan', '--graph', 'graph.json'], 2, says);
    const { stdout } = await installation.ok(['plan', 'show', 'latest']);
    expect(stdout).toMatch(says);
    expect(stdout).toMatch(/failed/);
    rmSync(inWorkspace('graph.json'));
    await nothingHalfMade();
  });
});

describe('a model that cannot plan', () => {
  const one = (more: object): ModelReply => ({
    content: { nodes: [{ ...node('1', 'dockerfile'), input: '{}', ...more }] },
  });
  const CASES: [name: string, reply: ModelReply, calls: number, says: RegExp][] = [
    ['prose', { content: 'Sure! First, write a Dockerfile.' }, 3, /3 answers that cannot be used.*not JSON/],
    ['half a JSON', { content: '{"nodes":[{"id":"1","to' }, 3, /not complete JSON/],
    ['no choices', { empty: true }, 3, /answer is empty/],
    ['a refusal', { refusal: 'I cannot help with that.' }, 1, /would not answer: I cannot help with that/],
    [
      'a cycle',
      {
        content: {
          nodes: [
            { ...node('1', 'makefile', ['2']), input: '{}' },
            { ...node('2', 'dockerfile', ['1']), input: '{}' },
          ],
        },
      },
      3,
      /in a circle/,
    ],
    [
      'an unknown tool, with escapes in its name',
      one({ tool: '\u001b[31mkube\u202e' }),
      3,
      /no tool "\\x1b\[31mkube\\u202e"/,
    ],
    ['10 MB', { content: 'x'.repeat(10 * 1024 * 1024) }, 1, /too long: at most 8388608 characters/],
    ['a page of HTML', { body: '<html>It works!</html>' }, 1, /no chat completion: an HTML page without a title\./],
    [
      'status 400',
      { status: 400, error: 'first line\nsecond line' },
      1,
      /answered 400: first line second line\. Check/,
    ],
  ];
  it.each(CASES)('%s: exit 1, and `plan show` tells why', async (_name, reply, calls, says) => {
    const from = model.calls.length;
    model.reply = () => reply;
    await refused(['plan', 'Add a Dockerfile'], 1, says);
    expect(model.calls.length - from).toBe(calls);
    expect((await installation.ok(['plan', 'show', 'latest'])).stdout).toMatch(says);
    model.reply = undefined;
  });

  it('prose is kept as it came, for `plan show --raw`, and what it cost is counted', async () => {
    model.reply = () => ({ content: 'Sure! Here is prose.' });
    const { stderr } = await refused(['plan', 'Add a Dockerfile'], 1, /plan show plan-\w+ --raw/);
    model.reply = undefined;
    const id = /plan-[0-9a-f]{8}/.exec(stderr)?.[0] ?? '';
    expect((await installation.ok(['plan', 'show', id, '--raw'])).stdout).toBe('Sure! Here is prose.\n');
    expect((await installation.view(id)).usage).toMatchObject({ calls: 3, promptTokens: 300 });
  });

  it('a wrong key: exit 4, named and masked, in one call', async () => {
    const from = model.calls.length;
    const { stderr, stdout } = await refused(['plan', 'x'], 4, /refused the credentials \(401\).*OPENAI_API_KEY/, {
      env: { OPENAI_API_KEY: 'sk-wrong-key-canary' },
    });
    expect(stderr + stdout).not.toContain('canary');
    expect(model.calls.length - from).toBe(1);
    const json = await installation.run(['plan', 'x', '--json'], { env: { OPENAI_API_KEY: 'sk-wrong-key-canary' } });
    const events = json.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string });
    expect(events.map(({ type }) => type)).toEqual(['version', 'plan_created', 'plan_failed']);
    expect(json.code).toBe(4);
  });

  it('a base URL that nobody answers, or that HTTP clients refuse: exit 4 with the address', async () => {
    const gone = await startModelServer();
    await gone.close();
    await refused(['plan', 'x'], 4, new RegExp(`${new URL(gone.url).host}.*cannot be reached`), {
      env: { OPENAI_BASE_URL: gone.url },
    });
    await refused(['plan', 'x'], 4, /127\.0\.0\.1:1\/v1\) has a port that HTTP clients refuse/, {
      env: { OPENAI_BASE_URL: 'http://127.0.0.1:1/v1' },
    });
  });
});

describe('a model that answers badly for one task', () => {
  const outside = mkdtempSync(join(tmpdir(), 'planwright-e2e-out-'));
  afterAll(() => rmSync(outside, { recursive: true }));

  /** Plans a Dockerfile (answered by `reply`) and a Makefile, and applies both. */
  async function applied(reply: ModelReply, flags: string[] = []): Promise<Finished> {
    writeFileSync(inWorkspace('graph.json'), graphText(node('1', 'dockerfile'), node('2', 'makefile')));
    await installation.ok(['plan', '--graph', 'graph.json']);
    rmSync(inWorkspace('graph.json'));
    model.reply = (call) => (call.skill === 'makefile' ? undefined : reply);
    const finished = await installation.run(['apply', '--yes', ...flags]);
    model.reply = undefined;
    return finished;
  }
  const file = (path: string, content = 'FROM node:20\n'): ModelReply => ({
    content: { files: [{ path, content }], summary: 's' },
  });

  const CASES: [name: string, reply: ModelReply, says: RegExp][] = [
    ['prose', { content: 'I would write…' }, /not JSON/],
    ['a path above the workspace', file('../x'), /"\.\.\/x" leaves its directory/],
    ['an absolute path', file('/etc/cron.d/x'), /"\/etc\/cron\.d\/x" is absolute/],
    ['a hook of git', file('.git/hooks/pre-commit'), /names a file of git itself/],
    ['a path behind a symbolic link', file('deploy/Dockerfile'), /deploy is a symbolic link/],
    ['a path with a bidi character', file('Dockerfile\u202e'), /"Dockerfile\\u202e" holds a control/],
    ['10 MB', file('Dockerfile', '#'.repeat(10 * 1024 * 1024)), /at most 8388608/],
    [
      'a file of 2 MB',
      file('Dockerfile', '#'.repeat(2 * 1024 * 1024)),
      /"Dockerfile" has 2097152 bytes; at most 1048576/,
    ],
    ['a Dockerfile that is none', file('Dockerfile', 'FRM node\n'), /Verification found 2 error.*\n\s+Dockerfile:1: /],
  ];
  it.each(CASES)('%s: that task fails, the other is done, exit 1', async (_name, reply, says) => {
    symlinkSync(outside, inWorkspace('deploy'));
    const before = installation.files();
    const finished = await applied(reply, ['--allow-all-paths']);
    rmSync(inWorkspace('deploy'));
    expect(finished.code).toBe(1);
    expect(finished.stderr).toMatch(says);
    expectClear(finished);
    expect(finished.stdout).toMatch(/is partial: 2 tasks, 1 completed, 1 failed/);
    const { Makefile, ...rest } = installation.files();
    expect(Makefile).toBeDefined();
    expect(rest).toEqual(Object.fromEntries(Object.entries(before).filter(([path]) => path !== 'Makefile')));
    expect((await installation.ok(['plan', 'show', '--task', '1'])).stdout).toMatch(says);
    await nothingHalfMade();
  });

  it('and the failed task alone is asked again by --resume --retry', async () => {
    await applied({ content: 'prose' });
    const from = model.calls.length;
    await installation.ok(['apply', '--resume', '--retry', '--yes']);
    expect(model.calls.slice(from).map(({ skill }) => skill)).toEqual(['dockerfile']);
    rmSync(inWorkspace('Dockerfile'));
  });
});
