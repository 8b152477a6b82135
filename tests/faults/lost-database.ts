/** Everything is killed and the server's database deleted: Temporal does not know the plan any more. */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ALL, signal } from './process-faults';
import type { Fault, World } from './series';

const MOMENT_MS = 2_500;
/** The plan file is written at most once a second, so it may be this old, and a little more under load. */
const FILE_AGE_MS = 2_500;

function deleteDatabase({ installation }: World): void {
  const state = join(installation.home, 'state');
  for (const name of readdirSync(state)) if (name.startsWith('temporal.db')) rmSync(join(state, name));
}

/** A plan whose file has no task yet can only be made again. */
async function untilFileHasTasks({ installation, plan }: World): Promise<void> {
  const path = join(installation.workspace, '.planwright', 'plans', `${plan}.json`);
  while (!existsSync(path) || !readFileSync(path, 'utf8').includes('"number": 10')) await sleep(50);
}

/** The plan is explained as lost, refused without `--resume`, and taken up with it. */
export const lostDatabase: Fault = {
  name: 'lost-database',
  strictness: 'taken up',
  strike: async (world) => {
    const { installation, plan, random, windows } = world;
    await untilFileHasTasks(world);
    await sleep(random.between(0, MOMENT_MS));
    await signal(world, ALL, 'SIGKILL');
    windows.push({ from: Date.now() - FILE_AGE_MS, to: Number.POSITIVE_INFINITY });
    deleteDatabase(world);
    const followed = await world.cli.done;
    // Killed while the command was still connecting, the server cannot be reached; otherwise the plan is lost.
    if (followed.code !== 0) expect(followed.stderr).toMatch(/Temporal does not know this plan|cannot be reached/);
    await installation.ok(['up']);
    const shown = await installation.ok(['plan', 'show', plan]);
    expect(shown.stdout + shown.stderr).toContain('Temporal does not know this plan');
    const refused = await installation.run(['apply', plan]);
    expect(refused.code).toBe(5);
    expect(refused.stderr).toContain(`planwright apply ${plan} --resume`);
    world.startCli('--resume');
  },
};
