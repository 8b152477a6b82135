/**
 * Workers that are restarted one after the other while plans run and wait. PLANWRIGHT_ROLLING_PLANS says how many (8 unless
 * told), and PLANWRIGHT_ROLLING_ROUNDS how often.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PlanLog } from '../../worker/plan-log';
import { approveAll, clientOf, missing, onCluster, planNotes, prepareNotes, until, useCluster } from './world';

const PLANS = Number(process.env.PLANWRIGHT_ROLLING_PLANS ?? 8);
const ROUNDS = Number(process.env.PLANWRIGHT_ROLLING_ROUNDS ?? 2);
const TASKS = 3;

onCluster(`a rolling restart of workers on a cluster${missing}`, () => {
  const world = useCluster();

  it('loses nothing, repeats nothing, and asks no gate twice', async () => {
    const here = world();
    const layout = await prepareNotes(here);
    let workers = [await here.startWorker(), await here.startWorker()];
    const client = await clientOf(here, layout);
    try {
      const ids: string[] = [];
      for (let at = 0; at < PLANS; at++) ids.push(await planNotes(client, `roll${at}`, TASKS));
      for (const id of ids) await client.apply(id, { by: 'test' });
      const ends = Promise.all(ids.map(async (id) => ({ id, asked: await approveAll(client, id) })));
      // In the middle of it: some plans wait, some work, some are done.
      for (let round = 0; round < ROUNDS; round++) {
        const next = await here.startWorker();
        const [old, ...rest] = workers;
        if (old) expect((await here.stopWorker(old)).code).toBe(0);
        workers = [...rest, next];
      }
      for (const { id, asked } of await ends) {
        expect(new Set(asked).size).toBe(asked.length);
        // One gate for each file: none was asked again under another id either.
        expect(asked).toHaveLength(TASKS);
        const view = await until(client, id, ({ status }) => status !== 'running' && status !== 'waiting');
        expect([id, view.status, view.runs.length]).toEqual([id, 'completed', 1]);
        expect(view.decisions).toEqual([]);
        for (const task of Object.values(view.tasks)) {
          expect([task.status, task.attempts, task.decisions.length]).toEqual(['completed', 1, 1]);
          for (const { path, backup } of task.files) {
            // A second write would have kept the first as a backup.
            expect(backup).toBeNull();
            expect(readFileSync(join(layout.root, path), 'utf8')).toMatch(/^A note for roll\d+-\d+\.\n$/);
          }
        }
        expect(new PlanLog().look(view).map(({ message }) => message)).toEqual(['plan']);
      }
    } finally {
      await client.close();
    }
  }, 600_000);
});
