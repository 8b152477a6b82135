/** The audit log's verbs beside real processes; and secrets, which are found nowhere. */
import { execFileSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ModelServer, startModelServer } from '../support/model-server';
import { type Finished, Installation, useInstallation } from './installation';

jest.setTimeout(240_000);

let model: ModelServer;
beforeAll(async () => {
  model = await startModelServer();
});
afterAll(() => model.close());

/** A key that looks like none: only that it stands in the environment tells that it is a secret. */
const KEY = 'plainwords-env-canary-horse';
const TOKEN = 'ghp_canaryGOAL0123456789abcdefghijklmn';

const installation = useInstallation(async () => {
  while (!model) await sleep(10);
  return new Installation({ OPENAI_API_KEY: KEY, OPENAI_BASE_URL: model.url, PLANWRIGHT_MODEL: 'm' });
});

const dir = (...names: string[]): string => join(installation().workspace, '.planwright', ...names);
const logFile = (plan: string): string => dir('audit', plan, '000001.jsonl');
const verify = (plan: string, ...flags: string[]): Promise<Finished> =>
  installation().run(['history', 'verify', plan, '--level', 'structure,head,history', '--json', ...flags]);

describe('a log that a real run left', () => {
  let id: string;
  it('holds at every level, with a checkpoint and a witness', async () => {
    await installation().ok(['plan', 'Set up CI, a Dockerfile and docker-compose', '--name', 'real']);
    await installation().ok(['apply', '--yes']);
    ({ id } = await installation().view('real'));
    const { stdout } = await installation().ok([
      'history',
      'verify',
      id,
      '--level',
      'structure,head,history,files',
      '--json',
    ]);
    expect(JSON.parse(stdout).levels.head.notes).toHaveLength(3);
    expect(readdirSync(join(installation().home, 'state', 'witness')).length).toBeGreaterThan(0);
  });

  it.each<[string, (file: string) => void]>([
    ['an edit', (file) => writeFileSync(file, readFileSync(file, 'utf8').replace('"Dockerfile"', '"Cockerfile"'))],
    [
      'a line deleted',
      (file) => writeFileSync(file, readFileSync(file, 'utf8').replace(/^.*task\.completed.*\n/m, '')),
    ],
    [
      'a cut tail',
      (file) => writeFileSync(file, readFileSync(file, 'utf8').split('\n').slice(0, 9).join('\n').concat('\n')),
    ],
    ['a folder that is gone', (file) => rmSync(join(file, '..'), { recursive: true })],
  ])('%s is told, with exit 3, and repaired to the same bytes from the history', async (_what, change) => {
    const before = readFileSync(logFile(id), 'utf8');
    const kept = join(installation().home, 'kept');
    cpSync(dir('audit', id), kept, { recursive: true });
    change(logFile(id));
    const found = await verify(id);
    expect(found.code).toBe(3);
    expect(JSON.parse(found.stdout).broken).toContain('history');
    await installation().ok(['history', 'repair', id, '--yes']);
    expect(readFileSync(logFile(id), 'utf8').startsWith(before)).toBe(true);
    expect((await verify(id)).code).toBe(0);
    rmSync(dir('audit', id), { recursive: true });
    rmSync(join(installation().home, 'state', 'witness'), { recursive: true });
    cpSync(kept, dir('audit', id), { recursive: true });
  });

  it('is verified without Temporal, and with an exported history as if Temporal were there', async () => {
    await installation().ok(['history', 'repair', id, '--yes', '--supersede']);
    await installation().ok(['history', 'export', id, '--history', '-o', 'kept.json']);
    await installation().ok(['down']);
    expect((await verify(id)).code).toBe(4);
    expect((await verify(id, '--history', 'kept.json')).code).toBe(0);
    const { levels } = JSON.parse((await verify(id, '--history', 'kept.json')).stdout);
    expect(levels.history.notes[0]).toMatch(/^\d\d entries are those of the event history$/);
    await installation().ok(['up']);
  });
});

it('a plan whose log cannot be written waits, says so, and goes on when it can', async () => {
  rmSync(join(installation().workspace, 'Dockerfile'), { force: true });
  await installation().ok(['plan', 'Set up a Dockerfile', '--name', 'blocked']);
  const { id } = await installation().view('blocked');
  // Root writes wherever it likes: what stands in the way must not be a matter of permission.
  const away = `${dir('audit', id)}.away`;
  execFileSync('mv', [dir('audit', id), away]);
  writeFileSync(dir('audit', id), 'in the way');
  await installation().ok(['apply', 'blocked', '--yes', '--detach']);
  let view = await installation().view('blocked');
  for (let tries = 0; tries < 200 && view.status !== 'waiting'; tries++) {
    await sleep(100);
    view = await installation().view('blocked');
  }
  expect(view.status).toBe('waiting');
  expect(view.blocked?.reason).toContain('audit');
  expect(readdirSync(installation().workspace)).not.toContain('Dockerfile');
  rmSync(dir('audit', id));
  execFileSync('mv', [away, dir('audit', id)]);
  await installation().ok(['watch', 'blocked']);
  expect(readdirSync(installation().workspace)).toContain('Dockerfile');
  const { stdout } = await installation().ok(['history', 'audit', id, '--event', 'audit.unwritable', '--json']);
  expect(JSON.parse(stdout).entries).toHaveLength(1);
  expect((await verify(id)).code).toBe(0);
});

/** Every file below a folder, but for those under one of these names. */
function filesIn(folder: string, without: readonly string[] = []): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => !without.some((part) => name === part || name.startsWith(`${part}/`)))
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}

it('secrets in goal, environment, answer, findings and reasons are found nowhere', async () => {
  const secrets = {
    goal: TOKEN,
    answer: 'ghp_canaryANSWER123456789abcdefghijkl',
    file: 'ghp_canaryFILE56789012345abcdefghijkl',
    reason: 'ghp_canaryREASON123456789abcdefghijkl',
    key: KEY,
  };
  const graph = {
    nodes: [
      {
        id: '1',
        tool: 'dockerfile',
        description: `Dockerfile with ${secrets.answer} and ${KEY}`,
        input: {},
        deps: [],
      },
    ],
  };
  model.reply = (call) => {
    if (call.schemaName === 'task_graph') return { content: graph };
    if (model.calls.filter(({ skill }) => skill !== null).length > 1) return undefined;
    const content = `FROM node:20\nENV API_TOKEN=${secrets.file}\n`;
    return { content: { files: [{ path: 'Dockerfile', content }], summary: `uses ${secrets.answer} and ${KEY}` } };
  };
  rmSync(join(installation().workspace, 'Dockerfile'), { force: true });
  await installation().ok(['plan', `Set up a Dockerfile with ${secrets.goal} and ${KEY}`, '--name', 'canary']);
  await installation().run(['apply', 'canary']);
  model.reply = undefined;
  const { id } = await installation().view('canary');
  const said = `because ${secrets.reason} and ${KEY}`;
  await installation().run(['reject', id, '--all', '--reason', said]);
  await installation().run(['apply', id, '--task', '1', '--instruct', said, '--yes']);
  await installation().run(['cancel', id]);

  const { address, namespace } = await installation().server();
  const temporal = [
    installation().temporalBinary,
    'workflow',
    'show',
    '-w',
    id,
    '--output',
    'json',
    '--address',
    address,
    '-n',
    namespace,
  ];
  const [binary = '', ...args] = temporal;
  const history = JSON.parse(execFileSync(binary, args, { maxBuffer: 64 * 1024 * 1024 }).toString('utf8'));
  // Payloads are base64 there: what they hold is looked at as well.
  const places: [string, string][] = [
    [
      'history',
      JSON.stringify(history, (_key, value) =>
        typeof value === 'string' && value.length > 20 ? value + Buffer.from(value, 'base64').toString('utf8') : value,
      ),
    ],
  ];
  for (const verb of [
    'plan show',
    'plan list',
    'history show',
    'history list',
    'history audit',
    'history verify',
    'approvals',
    'explain',
    'validate',
    'status',
    'history export',
  ]) {
    const reference = ['plan list', 'history list', 'approvals', 'status'].includes(verb) ? [] : [id];
    const json = verb === 'history export' ? [] : ['--json'];
    const { stdout, stderr } = await installation().run([...verb.split(' '), ...reference, ...json]);
    places.push([verb, stdout + stderr]);
  }
  for (const path of [
    ...filesIn(dir(), ['objects', 'calls']),
    ...filesIn(join(installation().home, 'state')).filter((one) => one.endsWith('.log')),
  ]) {
    places.push([path, readFileSync(path, 'utf8')]);
  }
  expect(places.some(([place]) => place.endsWith('.log'))).toBe(true);
  expect(places.find(([place]) => place === 'history')?.[1]).toContain('[masked');
  const found = places.flatMap(([place, text]) =>
    Object.entries(secrets).flatMap(([which, secret]) => {
      const index = text.indexOf(secret);
      return index < 0 ? [] : [`${which} in ${place}: ${text.slice(Math.max(0, index - 80), index + 50)}`];
    }),
  );
  expect(found).toEqual([]);
});
