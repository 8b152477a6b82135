import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import { type Driver, node, statuses, usePlans } from './fake-world';

const start = usePlans();

const FINDING = '1.txt: it is wrong (fake: fake)';

const asked = (plan: Driver, task = '1'): string[][] =>
  plan.world.requests.generate.filter((request) => request.task.id === task).map(({ feedback }) => feedback);

/** A plan of task 1 and task 2, which needs it; the first `wrong` generations of task 1 do not pass verification. */
async function wrongUntil(wrong: number): Promise<Driver> {
  const plan = await start();
  plan.world.script.graph = { nodes: [node('1'), node('2', ['1'])] };
  plan.world.script.verdict = (task, content) =>
    task === '1' && Number(content.split(' ').at(-1)) <= wrong ? 'failed' : 'passed';
  await plan.plan();
  return plan;
}

async function activities(plan: Driver): Promise<string[]> {
  const history = historyToJSON(await plan.handle.fetchHistory());
  return [...history.matchAll(/"activityId": ?"([a-zA-Z]+-1-g\d)-/g)].map((match) => match[1] ?? '');
}

describe('an artifact that fails its verification', () => {
  it('goes back to the model with the findings, each time as one activity where nobody is asked', async () => {
    const plan = await wrongUntil(2);
    const view = await plan.run({ yes: true });
    expect(view.status).toBe('completed');
    expect(view.tasks['1']).toMatchObject({ attempts: 3, error: null, verification: [{ verdict: 'passed' }] });
    expect(asked(plan)).toEqual([[], [FINDING], [FINDING]]);
    expect(await activities(plan)).toEqual(['make-1-g1', 'make-1-g2', 'make-1-g3']);
    expect(plan.world.calls.filter((call) => call === 'write 1')).toHaveLength(1);
    expect(plan.world.disk.get('1.txt')).toBe('content of 1, generation 3');
  });

  it('is shown to nobody before it is mended: the gate is about what passed', async () => {
    const plan = await wrongUntil(1);
    await plan.apply();
    const waiting = await plan.until(({ gates, status }) => gates.length > 0 && status === 'waiting');
    expect(waiting.gates).toHaveLength(1);
    expect(waiting.tasks['1']).toMatchObject({ status: 'awaiting_approval', attempts: 2 });
    expect(asked(plan)).toEqual([[], [FINDING]]);
    expect(await activities(plan)).toEqual(['generate-1-g1', 'verify-1-g1', 'generate-1-g2', 'verify-1-g2']);
    expect([...plan.world.disk]).toEqual([]);
    await plan.decide({ gate: waiting.gates[0]?.gate ?? '', decision: 'approve' });
    const next = await plan.until(({ gates }) => gates.some(({ path }) => path === '2.txt'));
    expect(plan.world.disk.get('1.txt')).toBe('content of 1, generation 2');
    await plan.decide({ gate: next.gates[0]?.gate ?? '', decision: 'approve' });
    expect((await plan.settled()).status).toBe('completed');
  });

  it.each([
    ['under --yes', { yes: true }],
    ['with gates', {}],
    ['in a dry run', { dryRun: true }],
  ])(
    'fails its task after two repairs, with the findings shown, and nothing is written (%s)',
    async (_name, request) => {
      const plan = await wrongUntil(99);
      const view = await plan.run(request);
      expect(asked(plan)).toEqual([[], [FINDING], [FINDING]]);
      expect(plan.world.requests.generate.some(({ task }) => task.id === '2')).toBe(false);
      expect([...plan.world.disk]).toEqual([]);
      expect(view.gates).toEqual([]);
      const [run] = view.runs;
      const told = 'dryRun' in request ? JSON.stringify(run) + JSON.stringify(view.tasks['1']) : view.tasks['1'];
      if ('dryRun' in request) expect(told).toContain('it is wrong');
      else {
        expect(statuses(view)).toEqual({ 1: 'failed', 2: 'skipped' });
        expect(told).toMatchObject({
          attempts: 3,
          error: { type: 'Verification', message: `Verification found 1 error(s):\n${FINDING}` },
          verification: [{ verdict: 'failed', findings: [{ severity: 'error', message: 'it is wrong' }] }],
        });
      }
    },
  );

  it('may be mended twice again by the retry that a person asks for', async () => {
    const plan = await wrongUntil(5);
    expect((await plan.run({ yes: true })).status).toBe('failed');
    const view = await plan.run({ yes: true, resume: true, retry: true });
    expect(view.status).toBe('completed');
    expect(view.tasks['1']).toMatchObject({ attempts: 6 });
    expect(plan.world.disk.get('1.txt')).toBe('content of 1, generation 6');
  });

  it('is asked of a template only once, which would say the same again', async () => {
    const plan = await wrongUntil(99);
    const view = await plan.run({ yes: true, settings: { provider: 'template' } });
    expect(asked(plan)).toEqual([[]]);
    expect(view.tasks['1']).toMatchObject({ status: 'failed', error: { type: 'Verification' } });
  });
});
