import { tmpdir } from 'node:os';
import { TemporalPlanClient } from '../../client/plan-client';
import { workspaceLayout } from '../../store/layout';
import type { Driver } from './fake-world';

/** The product's own client for a plan of the fake world: what it makes of the workflow's answers. */
export function productClient({ client, world }: Driver): TemporalPlanClient {
  const link = { client, address: 'test', revive: async () => undefined, close: async () => undefined };
  // The queue tells which workspace a plan belongs to.
  const layout = { ...workspaceLayout(tmpdir()), id: world.taskQueue.replace(/^planwright-/, '') };
  return new TemporalPlanClient(layout, link, '');
}
