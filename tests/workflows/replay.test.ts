import { type Driver, statuses, usePlans } from './fake-world';

const start = usePlans();

const generations = (plan: Driver): string[] => plan.world.calls.filter((call) => call.startsWith('generate'));

const applied = async (): Promise<Driver> => {
  const plan = await start();
  plan.world.script.generate = ({ task }) => `content of ${task.id}`;
  await plan.plan();
  await plan.run({ yes: true });
  return plan;
};

describe('a replay', () => {
  it('asks the same questions at temperature 0 and finds the same bytes', async () => {
    const plan = await applied();
    const before = await plan.view();
    const view = await plan.run({ replay: true, yes: true });
    expect(view.status).toBe('completed');
    expect(view.runs[1]).toMatchObject({ kind: 'replay', status: 'completed' });
    expect(view.runs[1]?.differences).toBeUndefined();
    const [first, , , again] = plan.world.requests.generate;
    expect(again).toMatchObject({ settings: { temperature: 0 }, seed: 1, generation: 2 });
    expect(again?.overlay).toEqual(first?.overlay);
    expect(again?.workspace).toEqual(first?.workspace);
    expect(view.tasks['3']?.files).toEqual(before.tasks['3']?.files);
    expect(view.runs[1]?.comparison?.map(({ what, matches }) => [what, matches])).toEqual([
      ['provider', true],
      ['model', true],
      ['temperature', true],
      ['policy', true],
      ['planwright', true],
      ['skill dockerfile', true],
      ['system prompt of dockerfile', true],
      ['verifier fake', true],
      ['model as returned', true],
    ]);
  });

  it('opens no gate for recorded bytes, and one for others; what is written then is listed', async () => {
    const plan = await applied();
    plan.world.script.generate = ({ task }) => (task.id === '2' ? 'another' : `content of ${task.id}`);
    await plan.apply({ replay: true });
    const { gates } = await plan.until((view) => view.gates.length > 0);
    expect(gates.map(({ path }) => path)).toEqual(['2.txt']);
    await plan.decide({ gate: gates[0]?.gate ?? '', decision: 'approve' });
    const view = await plan.settled();
    expect(view.runs[1]?.differences).toMatchObject([{ task: '2', path: '2.txt' }]);
    expect(plan.world.disk.get('2.txt')).toBe('another');
    expect(view.status).toBe('completed');
  });

  it.each<[string, (plan: Driver) => void, string]>([
    [
      'provider',
      ({ world }) => {
        world.script.environment.provider = 'template';
      },
      'openai → template',
    ],
    [
      'model',
      ({ world }) => {
        world.script.environment.model = 'other';
      },
      'fake → other',
    ],
    [
      'temperature',
      ({ world }) => {
        world.script.environment.temperature = 1;
      },
      '0.2 → 1',
    ],
    [
      'policy',
      ({ world }) => {
        world.script.environment.policy = 'p2';
      },
      '→ p2',
    ],
    [
      'planwright',
      ({ world }) => {
        world.script.environment.planwright = '9';
      },
      '0 → 9',
    ],
    [
      'skill dockerfile',
      ({ world }) => {
        world.script.environment.skills = {};
      },
      'h → none',
    ],
    [
      'verifier fake',
      ({ world }) => {
        world.script.environment.verifiers.fake = '2';
      },
      '1 → 2',
    ],
  ])(
    'is refused where the %s is another, with expected and actual, and forced is a decision',
    async (what, change, text) => {
      const plan = await applied();
      const before = await plan.view();
      change(plan);
      const refused = await plan.run({ replay: true, yes: true });
      expect(refused.runs[1]).toMatchObject({ status: 'refused' });
      expect(refused.runs[1]?.reason).toContain(text);
      expect(refused.tasks).toEqual(before.tasks);
      expect(refused.status).toBe('completed');
      expect(generations(plan)).toHaveLength(3);
      const forced = await plan.run({ replay: true, yes: true, force: true });
      expect(forced.runs[2]).toMatchObject({ status: 'completed' });
      expect(forced.decisions).toMatchObject([
        { kind: 'drift', decision: 'approve', reason: expect.stringContaining(what) },
      ]);
    },
  );

  it('does not overwrite what a person changed since', async () => {
    const plan = await applied();
    plan.world.disk.set('2.txt', 'a person was here');
    for (const recorded of [true, false]) {
      const view = await plan.run({ replay: true, recorded, yes: true, force: true });
      expect(view.runs.at(-1)).toMatchObject({ status: 'refused', stale: ['2.txt'] });
    }
    expect(plan.world.disk.get('2.txt')).toBe('a person was here');
  });

  it('leaves a task as it was where verification fails now', async () => {
    const plan = await applied();
    const before = await plan.view();
    plan.world.script.verdict = (task) => (task === '2' ? 'failed' : 'passed');
    const view = await plan.run({ replay: true, yes: true });
    expect(view.runs[1]).toMatchObject({ status: 'partial' });
    expect(view.status).toBe('completed');
    expect(statuses(view)).toEqual({ 1: 'completed', 2: 'completed', 3: 'completed' });
    expect(view.tasks['2']?.files).toEqual(before.tasks['2']?.files);
    expect((await plan.run({ replay: true, recorded: true, yes: true })).runs[2]?.status).toBe('partial');
  });

  it('with --recorded writes the recorded bytes again and asks no model', async () => {
    const plan = await applied();
    plan.world.disk.delete('2.txt');
    const view = await plan.run({ replay: true, recorded: true, yes: true });
    expect(view.runs[1]).toMatchObject({ status: 'completed' });
    expect(plan.world.disk.get('2.txt')).toBe('content of 2');
    expect(generations(plan)).toHaveLength(3);
    expect(view.tasks['2']?.attempts).toBe(1);
  });

  it('is refused for a plan that was never applied, and with flags that mean something else', async () => {
    const plan = await start();
    await plan.plan();
    await expect(plan.apply({ replay: true })).rejects.toMatchObject({ cause: { type: 'NotReady' } });
    for (const request of [
      { recorded: true },
      { replay: true, resume: true },
      { replay: true, dryRun: true },
      { replay: true, only: ['1'] },
    ]) {
      await expect(plan.apply(request)).rejects.toMatchObject({ cause: { type: 'BadInput' } });
    }
  });
});

describe('what changed since the plan was made', () => {
  it('is listed in an ordinary run, and does not stop it', async () => {
    const plan = await start();
    await plan.plan();
    plan.world.script.environment.skills = { dockerfile: { toolHash: 'h2', systemPromptHash: 'p' } };
    const view = await plan.run({ yes: true });
    expect(view.status).toBe('completed');
    expect(view.runs[0]?.comparison).toEqual([
      { what: 'skill dockerfile', expected: 'h', actual: 'h2', matches: false },
    ]);
  });
});
