/** Two releases of the worker, and plans that wait while the one gives way to the other (docs/deploys.md). */
import { z } from 'zod';
import {
  approveAll,
  clientOf,
  expectSoon,
  missing,
  onCluster,
  planNotes,
  prepareNotes,
  until,
  useCluster,
  type World,
} from './world';

onCluster(`a release of the worker on a cluster${missing}`, () => {
  const world = useCluster();

  const makeCurrent = async ({ temporal }: World, build: string): Promise<void> =>
    expectSoon(async () => {
      await temporal([
        ...['worker', 'deployment', 'set-current-version', '--yes'],
        ...['--deployment-name', 'planwright', '--build-id', build],
      ]);
    });

  const Described = z.object({
    workflowExecutionInfo: z.object({
      versioningInfo: z.object({ behavior: z.string(), deploymentVersion: z.object({ buildId: z.string() }) }),
    }),
  });

  /** The build that carries a plan out. */
  const builtBy = async ({ temporal }: World, plan: string): Promise<string> => {
    const text = await temporal(['workflow', 'describe', '--workflow-id', plan, '--output', 'json']);
    const { behavior, deploymentVersion } = Described.parse(JSON.parse(text)).workflowExecutionInfo.versioningInfo;
    expect(behavior).toBe('VERSIONING_BEHAVIOR_PINNED');
    return deploymentVersion.buildId;
  };

  it('takes over a plan that waits at a gate when it is asked to, and the old one can go', async () => {
    const here = world();
    const layout = await prepareNotes(here);
    const old = await here.startWorker(['--build-id', 'one']);
    await makeCurrent(here, 'one');
    const client = await clientOf(here, layout);
    try {
      const id = await planNotes(client, 'waits');
      await client.apply(id, { by: 'test' });
      const before = await until(client, id, ({ gates }) => gates.length > 0);
      await expectSoon(async () => expect(await builtBy(here, id)).toBe('one'));

      await here.startWorker(['--build-id', 'two']);
      await makeCurrent(here, 'two');
      expect(await builtBy(here, id)).toBe('one');
      await here.temporal([
        ...['workflow', 'signal', '--name', 'upgrade', '--yes', '--reason', 'release two'],
        ...['--query', `TaskQueue = "planwright-${layout.id}" AND ExecutionStatus = "Running"`],
      ]);
      await expectSoon(async () => expect(await builtBy(here, id)).toBe('two'));
      expect((await here.stopWorker(old)).code).toBe(0);

      expect((await client.show(id)).view.gates).toEqual(before.gates);
      expect(await approveAll(client, id)).toHaveLength(2);
      const { view } = await client.show(id);
      expect(view.status).toBe('completed');
      for (const { attempts } of Object.values(view.tasks)) expect(attempts).toBe(1);
    } finally {
      await client.close();
    }
  }, 240_000);
});
