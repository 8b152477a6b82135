import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { workspaceLayout } from '../../../store/layout';
import { fileView, gateView, planView, runView, taskView } from './views';
import { FakeClient, world } from './world';

const file = fileView('Dockerfile', 'FROM x\n');
const tasks = { docker: taskView(1, 'awaiting_approval', { files: [file] }), ci: taskView(2, 'pending') };
const ruledGate = gateView('docker', file, {
  rule: 'images',
  approvals: 2,
  may: ['ana', 'ben'],
  excludeRequester: true,
  until: '2026-01-01T01:10:00.000Z',
  votes: [{ by: 'ana', decision: 'approve', reason: null, at: '2026-01-01T00:05:00.000Z' }],
});

describe('pause and unpause', () => {
  it('say by whom, what is finished first, and what to type next', async () => {
    const client = new FakeClient(planView());
    const w = world({ client });
    expect(await w.run('pause', '--as', 'ops', '--reason', 'release day')).toBe(0);
    expect(w.stdout.text).toContain('is paused by ops. First it finishes a step of task 2.');
    expect(w.stderr.text).toContain('planwright unpause plan-1a2b3c4d');
    expect(await world({ client }).run('unpause')).toBe(0);
    expect(client.paused).toEqual(['pause plan-1a2b3c4d ops', 'unpause plan-1a2b3c4d ada']);
  });

  it.each(['pause', 'unpause', 'cancel'])('%s --help says what it does to what runs', async (verb) => {
    const w = world();
    expect(await w.run(verb, '--help')).toBe(0);
    expect(w.stdout.text.replace(/\s+/g, ' ')).toMatch(
      verb === 'unpause' ? /takes the step that is next/ : /write that is under way/,
    );
  });
});

describe('apply', () => {
  it('sends the budget and what to do with a failure', async () => {
    const begun = planView({ status: 'running', runs: [runView({ policy: 'f'.repeat(64) })] });
    const client = new FakeClient(planView({ status: 'ready' })).push(begun);
    await world({ client }).run('apply', '--max-tokens', '5000', '--on-failure', 'wait', '--detach');
    expect(client.applied[0]).toMatchObject({ maxTokens: 5000, onFailure: 'wait' });
  });

  it.each([
    [['--max-tokens', '0'], '--max-tokens takes a whole number of at least 1'],
    [['--max-tokens', 'many'], '--max-tokens takes a whole number'],
    [['--on-failure', 'retry'], '--on-failure is stop or wait'],
  ])('%j is bad usage', async (flags, why) => {
    const w = world({ client: new FakeClient(planView()) });
    expect(await w.run('apply', ...flags)).toBe(2);
    expect(w.stderr.text).toContain(why);
  });
});

describe('a gate with a rule', () => {
  const view = planView({ status: 'waiting', tasks, gates: [ruledGate] });

  it('is listed with for whom, how many have answered, and until when', async () => {
    const w = world({ client: new FakeClient(view) });
    await w.run('approvals');
    expect(w.stdout.text).toMatch(/GIVEN +FOR +RISK +LINES +WAITS +EXPIRES/);
    expect(w.stdout.text).toMatch(/1\/2 +ana, ben +LOW .* in 1h 0m/);
    const json = world({ client: new FakeClient(view) });
    await json.run('approvals', '--json');
    expect(JSON.parse(json.stdout.text)).toMatchObject([
      { by: ['ana', 'ben'], rule: 'images', approvals: 2, votes: [{ by: 'ana' }], until: ruledGate.until },
    ]);
  });

  it('tells its rule where a run stops at it', async () => {
    const w = world({ client: new FakeClient(view).push(view) });
    expect(await w.run('watch')).toBe(8);
    expect(w.stderr.text).toContain('rule "images": 2 approvals by ana, ben, not by who asked for the run');
    expect(w.stderr.text).toContain('approve by ana at 2026-01-01T00:05:00.000Z');
    expect(w.stderr.text).toContain('expires at 2026-01-01T01:10:00.000Z: then it is rejected');
  });

  it('that is answered and still open says how many it takes', async () => {
    const client = new FakeClient(view);
    const decide = client.decide.bind(client);
    client.decide = async (id, decision) => ({
      ...(await decide(id, decision)),
      pending: { approvals: 1, needed: 2 },
    });
    const w = world({ client });
    expect(await w.run('approve')).toBe(0);
    expect(w.stdout.text).toContain('(1 of 2 approvals)');
  });
});

it('a budget gate is decided with --value, and its line says so', async () => {
  const budget = { scope: 'plan', what: 'tokens', limit: 10, used: 17 } as const;
  const about = '17 of 10 tokens of the plan are used';
  const gate = gateView('docker', file, { kind: 'budget', task: null, path: null, digest: null, budget, about });
  const client = new FakeClient(planView({ status: 'waiting', gates: [gate] }));
  const w = world({ client });
  await w.run('approvals');
  expect(w.stdout.text).toContain(`decide plan-1a2b3c4d --gate ${gate.gate} raise --value LIMIT`);
  expect(await world({ client }).run('decide', 'latest', 'raise', '--gate', gate.gate, '--value', '500')).toBe(0);
  expect(client.decisions).toMatchObject([{ decision: 'raise', value: 500 }]);
});

it('a plan in a freeze window is pending, and says until when', async () => {
  const frozen = { window: 'year end', until: '2026-01-04T00:00:00.000Z' };
  const view = planView({ status: 'waiting', frozen });
  const w = world({ client: new FakeClient(view).push(view) });
  expect(await w.run('watch')).toBe(8);
  expect(w.stderr.text).toContain('freeze window "year end": 2026-01-04T00:00:00.000Z');
});

it.each(['apply', 'watch'])(
  '%s says once for each standstill that the audit log cannot be written, and since when',
  async (verb) => {
    const running = planView({ status: 'running', runs: [runView()], tasks });
    const blockedAt = (since: string) => ({
      ...running,
      blocked: { reason: 'the disk is full', since, tasks: ['docker'] },
    });
    const [first, second] = ['2026-01-01T00:01:00.000Z', '2026-01-01T00:02:00.000Z'];
    const done = planView({ status: 'completed', runs: [runView({ status: 'completed' })] });
    const client = new FakeClient(running).push(
      running,
      blockedAt(first),
      blockedAt(first),
      running,
      blockedAt(second),
      done,
    );
    const w = world({ client });
    expect(await w.run(verb)).toBe(0);
    for (const since of [first, second]) {
      const line = `Nothing is written since ${since}, because the audit log cannot be: the disk is full`;
      expect(w.stderr.text.split(line)).toHaveLength(2);
    }
    expect(w.stderr.text).toContain('1 task waits; it is tried again by itself, once a minute at the longest.');
  },
);

describe('policy check', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'planwright-policy-check-'));
    mkdirSync(join(root, '.planwright'));
    writeFileSync(join(root, '.planwright/config.yaml'), 'version: 1\n');
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));
  const check = async (text: string, ...argv: string[]) => {
    writeFileSync(join(root, '.planwright/policy.yaml'), `version: 1\n${text}`);
    const client = new FakeClient(planView({ tasks }));
    const w = world({ client, cwd: root, rooms: { findWorkspace: () => workspaceLayout(root) } });
    const code = await w.run('policy', 'check', ...argv);
    return { code, out: w.stdout.text, err: w.stderr.text };
  };

  it('explains which rule each task meets', async () => {
    const { code, out } = await check(`
rules:
  - { name: images, paths: [Dockerfile], approvals: 2, by: [ana, ben] }
  - { name: high, risk: HIGH }
`);
    expect(code).toBe(0);
    expect(out).toContain('is valid: 2 rules');
    expect(out).toContain('Dockerfile (LOW): rule "images": 2 approvals by ana, ben; no flag passes it');
    expect(out).toContain('files, once generated: by path and risk, the first of "images", "high" that matches');
    expect(out).toContain('before it runs: no rule');
  });

  it('as JSON has the rules and the ruling on the plan', async () => {
    const { out } = await check('rules: [{ name: all }]', '--json');
    expect(JSON.parse(out)).toMatchObject({
      valid: true,
      plan: 'plan-1a2b3c4d',
      rules: [{ name: 'all', approvals: 1 }],
      ruling: { tasks: [{ number: 1, files: [{ path: 'Dockerfile', rule: 'all', demanded: true }] }, { number: 2 }] },
    });
  });

  it.each([
    ['rules: [{ name: a, tool: [x] }]', 'unknown key "tool"'],
    ['rules: [{ name: a, tools: [docker-file] }]', 'rule "a" names the tool "docker-file"'],
    ['rules: [{ name: a, gates: [everything] }]', 'rules.0.gates.0'],
  ])('exits 2 for a policy that is not valid: %s', async (text, why) => {
    const { code, err } = await check(text);
    expect(code).toBe(2);
    expect(err).toContain(why);
  });
});
