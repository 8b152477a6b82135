import type { Shown } from '../../../client/types';
import { completed, planView, taskView } from './views';
import { FakeClient, world } from './world';

/** A client whose plan is only a file, until it is taken up. */
class LostClient extends FakeClient {
  override async show(): Promise<Shown> {
    if (!this.lost) return super.show();
    return { view: this.view, source: 'plan file', note: 'Temporal does not know this plan', open: false, lost: true };
  }
}

const lostPlan = planView({ tasks: { docker: taskView(1, 'completed'), ci: taskView(2, 'pending') } });

describe('apply on a plan that Temporal does not know', () => {
  it('starts nothing, exits 5 and names --resume', async () => {
    const client = new LostClient(lostPlan);
    client.lost = true;
    const w = world({ client });
    expect(await w.run('apply')).toBe(5);
    expect(w.stderr.text).toContain(`planwright apply ${lostPlan.id} --resume`);
    expect(client.takenUp).toEqual([]);
    expect(client.applied).toEqual([]);
  });

  it('takes it up with --resume, says what is not carried, and goes on', async () => {
    const again = taskView(1, 'pending', { reason: 'Dockerfile changed since it was written' });
    const client = new LostClient(lostPlan).push(
      planView({ tasks: { docker: again, ci: taskView(2, 'pending') } }),
      completed(),
    );
    client.lost = true;
    client.broken = [{ task: 'ci', why: 'Object 0123 is missing.' }];
    const w = world({ client });
    expect(await w.run('apply', '--resume', '--yes')).toBe(0);
    expect(client.takenUp).toEqual([lostPlan.id]);
    expect(client.applied).toMatchObject([{ resume: true, yes: true }]);
    expect(w.stderr.text).toContain('Task 2 begins again: Object 0123 is missing.');
    expect(w.stderr.text).toContain('Task 1 runs again: Dockerfile changed since it was written');
    expect(w.stderr.text).toContain('Decisions are not carried over');
  });

  it('says why where the graph breaks a rule by now, and where the old file is', async () => {
    const failure = { type: 'BadInput', message: 'The given graph breaks these rules:\n- unknown tool' };
    const client = new LostClient(lostPlan).push(planView({ status: 'failed', failure }));
    client.lost = true;
    const w = world({ client });
    expect(await w.run('apply', '--resume')).toBe(1);
    expect(w.stderr.text).toContain('unknown tool');
    expect(w.stderr.text).toContain('.lost.json');
  });
});
