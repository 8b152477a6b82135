import type { PlanListing } from '../../../client/types';
import { UnreachableError } from '../../../plan/errors';
import { completed, dockerfile, planView, runView, taskView } from './views';
import { FakeClient, world } from './world';

const AT = '2026-01-01T00:00:00.000Z';
const listing = (over: Partial<PlanListing> = {}): PlanListing => ({
  id: 'plan-1a2b3c4d',
  name: 'release',
  goal: 'Set up CI',
  status: 'completed',
  createdAt: AT,
  tasks: { total: 2, completed: 2 },
  waiting: null,
  active: true,
  note: null,
  ...over,
});

function told() {
  return planView({
    status: 'partial',
    runs: [runView({ status: 'partial', finishedAt: AT }), runView({ number: 2, kind: 'retry', by: 'eve' })],
    usage: { promptTokens: 900, completionTokens: 334, calls: 2 },
    decisions: [{ gate: 'g', kind: 'risk', decision: 'approve', by: 'grace', reason: 'fine', at: AT, path: null }],
    tasks: {
      docker: taskView(1, 'completed', {
        files: [{ ...dockerfile, state: 'written' }],
        decisions: [
          { gate: 'f', kind: 'file', decision: 'approve', by: 'ada', reason: null, at: AT, path: 'Dockerfile' },
        ],
        verification: [
          { verifier: 'hadolint', version: '2', path: 'Dockerfile', verdict: 'passed', findings: [], reason: null },
        ] as never,
      }),
      ci: taskView(2, 'failed', { error: { type: 'Timeout', message: 'it took too long' } }),
    },
  });
}

describe('planwright history list', () => {
  it('has every plan with status, date and goal', async () => {
    const client = new FakeClient(completed());
    client.listings = [
      listing(),
      listing({ id: 'plan-5e6f7a8b', status: 'rolled_back', active: false, goal: 'A chart' }),
    ];
    const w = world({ client });
    expect(await w.run('history', 'list')).toBe(0);
    expect(w.stdout.text).toMatch(/\* +plan-1a2b3c4d +release +completed +2\/2 +2026-01-01 00:00:00Z +Set up CI/);
    expect(w.stdout.text).toMatch(/plan-5e6f7a8b .* rolled back .* A chart/);
    const json = world({ client });
    expect(await json.run('history', 'list', '--json')).toBe(0);
    expect(JSON.parse(json.stdout.text)).toEqual(client.listings);
  });

  it('says so where Temporal is away, and is an error no more than that', async () => {
    const client = Object.assign(new FakeClient(completed()), { away: 'Temporal is not running.' });
    client.listings = [listing()];
    const seen: unknown[] = [];
    const w = world({
      client,
      rooms: {
        connect: async ({ readOnly, orDisk }) => {
          seen.push({ readOnly, orDisk });
          if (!orDisk) throw new UnreachableError('nobody there');
          return client;
        },
      },
    });
    expect(await w.run('history', 'list')).toBe(0);
    expect(w.stderr.text).toContain('Temporal is not running.');
    expect(seen).toEqual([{ readOnly: true, orDisk: true }]);
  });
});

describe('planwright history show', () => {
  it('has tasks, runs, decisions, files, verification and tokens', async () => {
    const w = world({ client: new FakeClient(told()) });
    expect(await w.run('history', 'show')).toBe(0);
    for (const part of [
      'partial',
      /2 +retry +running .* eve +1,2/,
      'risk: approve by grace at 2026-01-01 00:00:00Z: fine',
      'approve Dockerfile by ada',
      'Dockerfile hadolint 2: passed',
      'Timeout: it took too long',
      'Tokens 1234 (900 in, 334 out, 2 calls)',
    ]) {
      if (typeof part === 'string') expect(w.stdout.text).toContain(part);
      else expect(w.stdout.text).toMatch(part);
    }
  });

  it('tells people and programs alike that it comes from the plan file', async () => {
    const client = new FakeClient(told());
    client.note = 'Temporal is not running; this is the last state that was written.';
    const w = world({ client });
    expect(await w.run('history', 'show', 'latest')).toBe(0);
    expect(w.stdout.text).toContain('Note: Temporal is not running');
    const json = world({ client });
    expect(await json.run('history', 'show', '--json')).toBe(0);
    expect(JSON.parse(json.stdout.text)).toMatchObject({ id: 'plan-1a2b3c4d', note: client.note, runs: [{}, {}] });
  });

  it.each([[['history']], [['history', 'lists']]])('is named by a wrong word: %j exits 2', async (argv) => {
    const w = world();
    expect(await w.run(...argv)).toBe(2);
    expect(w.stderr.text).toContain('planwright history show');
  });
});
