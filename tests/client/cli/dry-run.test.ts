import { sha256 } from '../../../plan/digest';
import type { PlanView } from '../../../plan/view';
import { completed, dockerfile, fileView, planView, runView, taskView, workflow } from './views';
import { FakeClient, world } from './world';

const base = 'FROM node:18\n';
const changed = fileView('Dockerfile', 'FROM node:22\n', { preSha256: sha256(base), wouldBackUp: 'Dockerfile.bak' });

const dryRun = (over: Partial<PlanView> = {}): PlanView =>
  planView({
    runs: [
      runView({
        kind: 'dry-run',
        status: 'completed',
        finishedAt: '2026-01-01T00:00:09.000Z',
        previews: { docker: { result: 'generated', reason: null }, ci: { result: 'generated', reason: null } },
      }),
    ],
    tasks: {
      docker: taskView(1, 'pending', { files: [changed], run: 1, attempts: 1 }),
      ci: taskView(2, 'pending', { files: [workflow], run: 1, attempts: 1 }),
    },
    ...over,
  });

function clientOf(view: PlanView): FakeClient {
  const client = new FakeClient(planView()).push(view);
  for (const content of [base, 'FROM node:22\n', 'on: push\n'])
    client.objects.set(sha256(content), Buffer.from(content));
  return client;
}

describe('apply --dry-run', () => {
  it('lists what would be created and modified with diffs, the backup and a summary', async () => {
    const w = world({ client: clientOf(dryRun()) });
    expect(await w.run('apply', '--dry-run')).toBe(0);
    expect(w.client.applied[0]).toMatchObject({ dryRun: true });
    expect(w.stdout.text).toContain('~ Would modify: Dockerfile');
    expect(w.stdout.text).toContain('backup Dockerfile.bak');
    expect(w.stdout.text).toContain('-FROM node:18');
    expect(w.stdout.text).toContain('+FROM node:22');
    expect(w.stdout.text).toContain('+ Would create: .github/workflows/ci.yml');
    expect(w.stdout.text).toContain('1 file would be created, 1 modified');
    expect(w.stderr.text).toMatch(/Next:\n {2}planwright apply plan-1a2b3c4d/);
  });

  it('exits 2 with --detailed-exitcode where something would change, and 0 where nothing would', async () => {
    expect(await world({ client: clientOf(dryRun()) }).run('apply', '--dry-run', '--detailed-exitcode')).toBe(2);
    const same = fileView('Dockerfile', 'FROM node:22\n', { preSha256: sha256('FROM node:22\n'), action: 'unchanged' });
    const nothing = dryRun();
    nothing.tasks = {
      docker: taskView(1, 'pending', { files: [same], run: 1 }),
      ci: taskView(2, 'pending', { files: [{ ...same, path: 'x' }], run: 1 }),
    };
    const w = world({ client: clientOf(nothing) });
    expect(await w.run('apply', '--dry-run', '--detailed-exitcode')).toBe(0);
    expect(w.stdout.text).toContain('0 files would be created, 0 modified, 2 unchanged');
  });

  it('exits 1 where a task could not be generated, and says why', async () => {
    const view = dryRun();
    Object.assign(view.runs[0] ?? {}, {
      status: 'partial',
      previews: { docker: { result: 'generated', reason: null }, ci: { result: 'failed', reason: 'no good\nmore' } },
    });
    const w = world({ client: clientOf(view) });
    expect(await w.run('apply', '--dry-run', '--detailed-exitcode')).toBe(1);
    expect(w.stdout.text).toContain('Task 2 github-actions failed: no good');
  });

  it('tells programs by events: artifacts of a run of kind dry-run, and its end', async () => {
    const w = world({ client: clientOf(dryRun()) });
    expect(await w.run('apply', '--dry-run', '--json')).toBe(0);
    const events = w.stdout.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; kind?: string; files?: unknown[] });
    expect(events.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['version', 'run_started', 'task_started', 'artifact', 'run_finished']),
    );
    expect(events.find(({ type }) => type === 'run_started')?.kind).toBe('dry-run');
    expect(events.at(-1)?.files).toHaveLength(2);
  });

  it('hides nothing that a file holds: control characters are made visible', async () => {
    const client = clientOf(dryRun());
    const hostile = 'FROM node\n# \u001b[2J\u202e\n';
    client.objects.set(sha256(hostile), Buffer.from(hostile));
    client.push();
    const view = dryRun();
    view.tasks.ci = taskView(2, 'pending', { files: [fileView('x', hostile)], run: 1 });
    const w = world({ client: Object.assign(clientOf(view), { objects: client.objects }) });
    await w.run('apply', '--dry-run');
    expect(w.stdout.text).not.toContain('\u001b[2J');
    expect(w.stdout.text).not.toContain('\u202e');
  });
});

describe('a refused run', () => {
  it.each<[string, string[], Partial<PlanView['runs'][number]>]>([
    ['a dirty tree', ['apply', '--yes'], { dirty: ['x'], reason: 'uncommitted changes:\n  x' }],
    ['a stale artifact', ['apply', '--dry-run'], { kind: 'dry-run', stale: ['x'], reason: 'stale\n  x' }],
    ['drift in a replay', ['apply', '--replay'], { kind: 'replay', reason: 'another model\n  x' }],
  ])('exits 5 and says why on stderr: %s', async (_, argv, run) => {
    const w = world({ client: clientOf(planView({ runs: [runView({ status: 'refused', ...run })] })) });
    expect(await w.run(...argv)).toBe(5);
    expect(w.stderr.text).toContain('was refused; nothing ran');
    expect(w.stderr.text).toContain('    x');
  });
});

describe('apply --replay', () => {
  const replayed = (over: Partial<PlanView['runs'][number]>): PlanView =>
    completed({ runs: [runView({ kind: 'replay', status: 'completed', finishedAt: 'x', ...over })] });

  it('exits 0 where every byte is the recorded one', async () => {
    const w = world({ client: clientOf(replayed({})) });
    expect(await w.run('apply', '--replay', '--yes')).toBe(0);
    expect(w.stdout.text).toContain('Every byte is the recorded one.');
  });

  it('lists bytes that differ and exits 3', async () => {
    const differences = [{ task: 'docker', path: 'Dockerfile', recorded: 'a'.repeat(64), now: null }];
    const w = world({ client: clientOf(replayed({ differences })) });
    expect(await w.run('apply', '--replay', '--yes')).toBe(3);
    expect(w.stdout.text).toContain('Task 1 Dockerfile: recorded aaaaaaaaaaaa, now none');
  });

  it('shows the table of what is on record and what is in force', async () => {
    const comparison = [
      { what: 'provider', expected: 'openai', actual: 'openai', matches: true },
      { what: 'model', expected: 'a', actual: 'b', matches: false },
    ];
    const w = world({ client: clientOf(replayed({ comparison })) });
    await w.run('apply', '--replay', '--force');
    expect(w.stderr.text).toContain('✓ provider: openai');
    expect(w.stderr.text).toContain('! model: expected a, actual b');
  });
});

describe('an ordinary apply', () => {
  it('warns of what changed since the plan was made, and goes on', async () => {
    const comparison = [{ what: 'skill dockerfile', expected: 'a'.repeat(64), actual: 'b'.repeat(64), matches: false }];
    const w = world({ client: clientOf(completed({ runs: [runView({ status: 'completed', comparison })] })) });
    expect(await w.run('apply', '--yes')).toBe(0);
    expect(w.stderr.text).toContain('! Changed since the plan was made:');
    expect(w.stderr.text).toContain('skill dockerfile: expected aaaaaaaaaaaa, actual bbbbbbbbbbbb');
  });
});

describe('the flags of apply', () => {
  it('name tasks by number or id, and say what the run takes', async () => {
    const client = clientOf(completed());
    client.applyAnswer = { result: 'started', run: 1, message: null, tasks: ['docker'] };
    const w = world({ client });
    await w.run('apply', '--only', '1', '--exclude', 'ci,2');
    expect(client.applied[0]).toMatchObject({ only: ['docker'], exclude: ['ci'] });
    expect(w.stderr.text).toContain('This run takes task 1; 1 other task stays as it is.');
  });

  it.each([['--detailed-exitcode'], ['--only', ''], ['--only', '1,,2'], ['--exclude', '9']])(
    'are refused before anything is asked: %s %s',
    async (...flags) => {
      const w = world({ client: clientOf(planView()) });
      expect(await w.run('apply', ...flags)).toBe(2);
      expect(w.client.applied).toEqual([]);
    },
  );
});

describe('plan diff', () => {
  it('shows proposed and written files against their base', async () => {
    const w = world({ client: new FakeClient(dryRun()) });
    w.client.objects = clientOf(dryRun()).objects;
    expect(await w.run('plan', 'diff')).toBe(0);
    expect(w.stdout.text).toContain('Task 1 Dockerfile (proposed)');
    expect(w.stdout.text).toContain('-FROM node:18');
    expect(w.stdout.text).toContain('2 files changed, 0 unchanged.');
    expect(await w.run('plan', 'diff', '--detailed-exitcode', '--task', '2')).toBe(2);
  });

  it('is one JSON document with --json', async () => {
    const w = world({ client: new FakeClient(dryRun()) });
    w.client.objects = clientOf(dryRun()).objects;
    await w.run('plan', 'diff', '--json');
    expect(JSON.parse(w.stdout.text)).toMatchObject({
      plan: 'plan-1a2b3c4d',
      files: [
        { task: 'docker', path: 'Dockerfile', backup: 'Dockerfile.bak', diff: expect.stringContaining('-FROM') },
        {},
      ],
    });
  });

  it('compares two generations of a task, and names those that there are', async () => {
    const earlier = [{ generation: 1, files: [{ ...dockerfile, sha256: sha256(base) }] }];
    const view = planView({
      tasks: {
        docker: taskView(1, 'completed', { files: [dockerfile], earlier, attempts: 2 }),
        ci: taskView(2, 'pending'),
      },
    });
    const client = new FakeClient(view);
    client.objects = clientOf(view).objects;
    const w = world({ client });
    expect(await w.run('plan', 'diff', '--task', '1', '--attempts', '1,2', '--detailed-exitcode')).toBe(2);
    expect(w.stdout.text).toContain('-FROM node:18');
    expect(await w.run('plan', 'diff', '--task', '1', '--attempts', '1,3')).toBe(2);
    expect(w.stderr.text).toContain('It has: 1, 2.');
    expect(await w.run('plan', 'diff', '--attempts', '1,2')).toBe(2);
  });

  it('has nothing to show before anything was generated, and says how to get there', async () => {
    const w = world({ client: new FakeClient(planView()) });
    expect(await w.run('plan', 'diff', '--detailed-exitcode')).toBe(0);
    expect(w.stderr.text).toContain('planwright apply plan-1a2b3c4d --dry-run');
  });
});
