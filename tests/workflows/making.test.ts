import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import { sha256 } from '../../plan/digest';
import { node, statuses, terminal, usePlans } from './fake-world';

const start = usePlans();

const file = { path: '1.txt', sha256: sha256('half a write'), preSha256: null, mode: '0644' };
const write = 'write-1-g1-r1-c0';

describe('a task about which nobody has to decide anything', () => {
  it('is one activity', async () => {
    const plan = await start();
    await plan.plan();
    const view = await plan.run({ yes: true });
    expect(view.tasks['3']).toMatchObject({ status: 'completed', attempts: 1, files: [{ state: 'written' }] });
    const history = historyToJSON(await plan.handle.fetchHistory());
    expect(history.match(/"activityId": ?"make-\d-g1-r1-c0"/g)).toHaveLength(3);
    expect(history).not.toMatch(/"activityId": ?"(generate|verify|write)-/);
  });

  it('has its write finished by the next step where this one could not, and then nothing is unconfirmed', async () => {
    const plan = await start();
    plan.world.script.graph = { nodes: [node('1')] };
    let failures = 0;
    plan.world.script.afterWrite = () => {
      if (++failures === 1) throw new Error('the disk broke for a moment');
    };
    await plan.plan();
    expect((await plan.run({ yes: true })).status).toBe('completed');
    expect(plan.world.requests.generate).toHaveLength(1);
    await plan.undo('rollback');
    expect(plan.world.requests.undo[0]?.[0]?.steps).toEqual([
      expect.not.objectContaining({ unconfirmed: expect.anything() }),
    ]);
    expect([...plan.world.disk]).toEqual([]);
  });

  it('that came to no end is taken back as far as its journal says', async () => {
    const plan = await start();
    plan.world.script.graph = { nodes: [node('1')] };
    plan.world.script.generate = () => {
      // An attempt before this one was killed in its write.
      plan.world.begun.set(write, [file]);
      plan.world.disk.set('1.txt', 'half a write');
      throw terminal('Credentials', 'the key is refused');
    };
    await plan.plan();
    const view = await plan.run({ yes: true });
    expect(view.tasks['1']).toMatchObject({ status: 'failed', error: { type: 'Credentials' } });
    expect((await plan.undo('rollback')).status).toBe('rolled_back');
    expect(plan.world.requests.undo[0]?.[0]?.steps).toMatchObject([
      { sha256: file.sha256, unconfirmed: expect.stringMatching(/^[0-9a-f-]{36}\/write-1-g1-r1-c0$/) },
    ]);
    expect([...plan.world.disk]).toEqual([]);
  });

  it('that was cancelled in the middle of its write is finished', async () => {
    const plan = await start();
    plan.world.script.graph = { nodes: [node('1'), node('2', ['1'])] };
    let told: () => void = () => undefined;
    const writing = new Promise<void>((resolve) => {
      told = resolve;
    });
    const { verifyAndWrite } = plan.world.activities;
    let attempts = 0;
    plan.world.activities.verifyAndWrite = async (request) => {
      if (++attempts > 1) return verifyAndWrite(request);
      told();
      while (!plan.world.isStopped(1)) await new Promise((resolve) => setTimeout(resolve, 10));
      throw new Error('the disk broke for a moment');
    };
    await plan.stopWorker();
    await plan.startWorker();
    await plan.plan();
    await plan.apply({ yes: true });
    await writing;
    await plan.handle.executeUpdate('cancel', { args: [{ by: 'ana', reason: null }] });
    expect(statuses(await plan.view())).toEqual({ 1: 'completed', 2: 'cancelled' });
    expect([...plan.world.disk.keys()]).toEqual(['1.txt']);
  });

  it('is generated and verified apart in a dry run', async () => {
    const plan = await start();
    await plan.plan();
    await plan.run({ dryRun: true, yes: true });
    expect(historyToJSON(await plan.handle.fetchHistory())).not.toMatch(/"activityId": ?"make-/);
  });
});
