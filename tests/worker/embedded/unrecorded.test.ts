import { rmSync } from 'node:fs';
import { workerRecordPath } from '../../../worker/embedded/paths';
import { stopEmbedded } from '../../../worker/embedded/stop';
import { until, World } from './world';

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe('a worker whose supervisor was killed before it wrote the record', () => {
  it('is found and stopped by `down` all the same', async () => {
    const world = await World.make();
    try {
      await world.ensure();
      const { supervisor, worker } = world.pids();
      if (supervisor === null || worker === null) throw new Error('nothing was started');
      process.kill(supervisor, 'SIGKILL');
      await until(() => !alive(supervisor));
      rmSync(workerRecordPath(world.layout, world.workspace.id));
      const stopped = await stopEmbedded({ env: world.env, purge: false, note: () => undefined });
      expect(stopped).toContainEqual({ name: 'worker', pid: worker, killed: false });
      await until(() => !alive(worker));
    } finally {
      await world.end();
    }
  });
});
