/** The Signal `upgrade` where workers have no builds; with builds it is tested on a cluster (tests/cluster/deploys.test.ts). */
import { usePlans } from './fake-world';

const start = usePlans();

it('does nothing to a plan of workers without builds, whether it waits or is ready', async () => {
  const plan = await start();
  await plan.plan();
  const first = (await plan.handle.describe()).runId;
  await plan.handle.signal('upgrade');
  await plan.apply();
  await plan.until(({ gates }) => gates.length > 0);
  await plan.handle.signal('upgrade');
  expect((await plan.view()).gates.length).toBeGreaterThan(0);
  expect((await plan.handle.describe()).runId).toBe(first);
});
