import { usePlans } from './fake-world';

const start = usePlans();

describe('backups over several runs', () => {
  it('tells each write which backups were made before, so that our own output never becomes the original', async () => {
    const plan = await start();
    plan.world.disk.set('1.txt', 'the original');
    const told: { [path: string]: string | null }[] = [];
    const { verifyAndWrite } = plan.world.activities;
    plan.world.activities.verifyAndWrite = async (request) => {
      if (request.task === '1') told.push(request.keepBackup);
      const result = await verifyAndWrite(request);
      const files = (result.written?.files ?? []).map((file) => ({ ...file, backup: `${file.path}.bak` }));
      return { ...result, written: result.written && { ...result.written, files } };
    };
    await plan.stopWorker();
    await plan.startWorker();
    await plan.plan();
    await plan.run({ yes: true });
    const again = await plan.run({ yes: true, task: '1' });
    expect(told).toEqual([{}, { '1.txt': '1.txt.bak' }]);
    expect(again.tasks['1']?.files).toMatchObject([{ backup: '1.txt.bak' }]);
  });
});
