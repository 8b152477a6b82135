import { selectGates } from '../../../client/cli/gates';
import { RefusedError } from '../../../plan/errors';
import { atGate, completed, dockerfile, fileView, gateView, planView, runView } from './views';
import { FakeClient, settle, world } from './world';

const other = fileView('.dockerignore', 'dist\n');
const two = () => {
  const view = atGate();
  view.gates.push(gateView('ci', other));
  return view;
};

describe('approve and reject', () => {
  it('decide the one open gate, with the digest and the user name', async () => {
    const client = new FakeClient(atGate());
    const w = world({ client });
    expect(await w.run('approve')).toBe(0);
    expect(client.decisions).toEqual([
      { gate: 'g-Dockerfile', decision: 'approve', by: 'ada', reason: undefined, digest: dockerfile.digest },
    ]);
    expect(w.stderr.text).toContain('Task 1 wants to create Dockerfile');
    expect(w.stdout.text).toBe('✓ Dockerfile: approve by ada\n');
  });

  it('refuse to guess among several, exit 2, and list the lines to type', async () => {
    const client = new FakeClient(two());
    const w = world({ client });
    expect(await w.run('approve', 'latest')).toBe(2);
    expect(client.decisions).toEqual([]);
    expect(w.stderr.text).toContain('planwright approve plan-1a2b3c4d --gate g-Dockerfile');
    expect(w.stderr.text).toContain('planwright approve plan-1a2b3c4d --gate g-.dockerignore');
  });

  it.each([
    [['--task', '2'], ['g-.dockerignore']],
    [['--task', 'docker'], ['g-Dockerfile']],
    [['--path', '.dockerignore'], ['g-.dockerignore']],
    [['--gate', 'g-Dockerfile'], ['g-Dockerfile']],
    [['--all'], ['g-Dockerfile', 'g-.dockerignore']],
  ])('select with %j', async (flags, gates) => {
    const client = new FakeClient(two());
    expect(await world({ client }).run('reject', ...flags, '--reason', 'no', '--as', 'bob')).toBe(0);
    expect(client.decisions.map(({ gate }) => gate)).toEqual(gates);
    expect(client.decisions[0]).toMatchObject({ decision: 'reject', by: 'bob', reason: 'no' });
  });

  it('a number means the task of that number, even where another task has it for an id', () => {
    const gates = [
      { ...gateView('2', dockerfile), plan: 'p', name: 'p', taskNumber: 1 },
      { ...gateView('1', other), plan: 'p', name: 'p', taskNumber: 2 },
    ];
    expect(selectGates(gates, { task: '1' }, 'p').map(({ path }) => path)).toEqual(['Dockerfile']);
  });

  it('exit 2 where nothing waits, or nothing matches', async () => {
    expect(await world({ client: new FakeClient(completed()) }).run('approve')).toBe(2);
    expect(await world({ client: new FakeClient(atGate()) }).run('approve', '--path', 'other')).toBe(2);
    expect(await world({ client: new FakeClient(atGate()) }).run('approve', '--all', '--task', '1')).toBe(2);
  });

  it('one that is refused stops none of the others, and its code is the end', async () => {
    const client = new FakeClient(two());
    client.onDecide = ({ gate, decision, by }) => {
      if (gate === 'g-Dockerfile') throw new RefusedError('Gate g-Dockerfile is about another digest now.');
      return { gate, decision, by, at: '' };
    };
    const w = world({ client });
    expect(await w.run('approve', '--all')).toBe(5);
    expect(client.decisions).toHaveLength(2);
    expect(w.stdout.text).toContain('.dockerignore: approve');
  });
});

describe('decide', () => {
  it('takes any decision that the gate knows', async () => {
    const client = new FakeClient(atGate());
    const line = ['decide', 'latest', '--gate', 'g-Dockerfile', 'request-changes', '--reason', 'Use Alpine'];
    expect(await world({ client }).run(...line)).toBe(0);
    expect(client.decisions[0]).toMatchObject({ decision: 'request-changes', reason: 'Use Alpine' });
    const budget = new FakeClient(atGate({ kind: 'budget' }));
    await world({ client: budget }).run('decide', 'latest', '--gate', 'g-Dockerfile', 'raise', '--value', '5000');
    expect(budget.decisions[0]).toMatchObject({ decision: 'raise', value: 5000 });
  });

  it.each([
    [['decide', 'latest', 'approve'], '--gate is missing'],
    [['decide', 'latest', '--gate', 'g-Dockerfile', 'retry'], 'it takes approve, reject, request-changes'],
    [['decide', 'latest', '--gate', 'g-Dockerfile', 'request-changes'], 'needs --reason'],
    [['decide', 'latest', '--gate', 'none', 'approve'], 'No open gate matches'],
  ])('refuses %j with exit 2', async (line, message) => {
    const client = new FakeClient(atGate());
    const w = world({ client });
    expect(await w.run(...line)).toBe(2);
    expect(w.stderr.text).toContain(message);
    expect(client.decisions).toEqual([]);
  });
});

describe('approvals', () => {
  it('lists what waits, in the shape of the contract', async () => {
    const w = world({ client: new FakeClient(atGate()) });
    expect(await w.run('approvals', '--json')).toBe(0);
    expect(JSON.parse(w.stdout.text)).toEqual([
      {
        gate: 'g-Dockerfile',
        plan: 'plan-1a2b3c4d',
        name: 'release',
        kind: 'file',
        task: 'docker',
        path: 'Dockerfile',
        digest: dockerfile.digest,
        risk: 'LOW',
        since: '2026-01-01T00:00:00.000Z',
        until: null,
        by: [],
        rule: null,
        approvals: 1,
        votes: [],
        about: null,
        diffStat: { added: 1, removed: 0 },
        decide: 'planwright approve plan-1a2b3c4d --gate g-Dockerfile',
      },
    ]);
  });

  it('as a table, with hostile paths escaped, and says so where nothing waits', async () => {
    const hostile = world({ client: new FakeClient(atGate({ path: 'a\u001b[2Jb' })) });
    await hostile.run('approvals', 'latest');
    expect(hostile.stdout.text).toContain('a\\x1b[2Jb');
    expect(hostile.stdout.text).not.toContain('\u001b');
    const none = world({ client: new FakeClient(completed()) });
    expect(await none.run('approvals')).toBe(0);
    expect(none.stdout.text).toBe('Nothing waits for a decision.\n');
  });

  it('a gate id that a shell would read otherwise is quoted in the line to type', async () => {
    const w = world({ client: new FakeClient(atGate({ gate: 'g; rm -rf ~' })) });
    await w.run('approvals');
    expect(w.stdout.text).toContain("--gate 'g; rm -rf ~'");
  });
});

describe('watch and cancel', () => {
  it("watch exits with the plan's code and decides nothing", async () => {
    const client = new FakeClient(atGate()).push(atGate(), completed());
    expect(await world({ client, tty: true }).run('watch')).toBe(0);
    expect(client.decisions).toEqual([]);
    const failed = planView({ status: 'cancelled', runs: [runView({ status: 'cancelled' })] });
    expect(await world({ client: new FakeClient(failed).push(failed) }).run('watch')).toBe(2);
  });

  it('watch exits 8 at a gate without a terminal, and stays on one', async () => {
    expect(await world({ client: new FakeClient(atGate()).push(atGate()) }).run('watch')).toBe(8);
    const client = new FakeClient(atGate()).push(atGate());
    const w = world({ client, tty: true });
    const done = w.run('watch');
    await settle();
    expect(w.stderr.text).toContain('planwright approve plan-1a2b3c4d --gate g-Dockerfile');
    client.push(completed());
    expect(await done).toBe(0);
  });

  it('watch exits 8 for a paused plan', async () => {
    const paused = planView({ status: 'paused', runs: [runView()] });
    const w = world({ client: new FakeClient(paused).push(paused) });
    expect(await w.run('watch')).toBe(8);
    expect(w.stderr.text).toContain('is paused');
  });

  it('cancel says by whom and why', async () => {
    const client = new FakeClient(atGate());
    expect(await world({ client }).run('cancel', '--reason', 'wrong branch')).toBe(0);
    expect(client.cancelled).toEqual([{ id: 'plan-1a2b3c4d', by: 'ada', reason: 'wrong branch' }]);
  });
});

describe('what a newcomer types', () => {
  it('approvals --diff shows the change above the line that decides the next one', async () => {
    const client = new FakeClient(two());
    client.objects.set(dockerfile.sha256, Buffer.from('FROM node:22\n'));
    client.objects.set(other.sha256, Buffer.from('dist\n'));
    const w = world({ client });
    expect(await w.run('approvals', '--diff')).toBe(0);
    const lines = w.stdout.text.split('\n');
    const at = (part: string) => lines.findIndex((line) => line.includes(part));
    expect(at('+FROM node:22')).toBeGreaterThan(at('approve plan-1a2b3c4d --gate g-Dockerfile'));
    expect(at('+dist')).toBeGreaterThan(at('approve plan-1a2b3c4d --gate g-.dockerignore'));
    expect(w.stderr.text).not.toContain('--diff');
  });

  it('reject lists lines that reject, also where nothing matched', async () => {
    for (const flags of [[], ['--path', 'Dockrfile']]) {
      const w = world({ client: new FakeClient(two()) });
      expect(await w.run('reject', ...flags)).toBe(2);
      expect(w.stderr.text).toContain('planwright reject plan-1a2b3c4d --gate g-Dockerfile');
      expect(w.stderr.text).not.toContain('planwright approve');
    }
  });

  it('watch tells nothing that was decided before the run that it follows', async () => {
    const view = atGate();
    const before = { kind: 'file' as const, path: 'Dockerfile', decision: 'reject', by: 'ada', reason: null };
    const task = view.tasks.docker;
    task?.decisions.push({ ...before, gate: 'g-old', at: '2025-12-31T00:00:00.000Z' });
    const w = world({ client: new FakeClient(view).push(view) });
    expect(await w.run('watch')).toBe(8);
    expect(w.stderr.text).not.toContain('reject');
  });

  it('a file that is asked about again after its approval says why, and one that was approved in another run does not', async () => {
    for (const [at, told] of [
      ['2026-01-01T00:00:01.000Z', true],
      ['2025-12-31T00:00:00.000Z', false],
    ] as const) {
      const view = atGate();
      const approved = { kind: 'file' as const, path: 'Dockerfile', decision: 'approve', by: 'bob', reason: null };
      view.tasks.docker?.decisions.push({ ...approved, gate: 'g-old', at });
      const w = world({ client: new FakeClient(planView()).push(view) });
      expect(await w.run('apply')).toBe(8);
      expect(w.stderr.text.includes('asked again: bob approved it')).toBe(told);
    }
  });
});
