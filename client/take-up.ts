/** A plan that Temporal lost (its database is another one) is taken up from its plan file and the object store. */

import { IntegrityError } from '../plan/errors';
import { type LostPlan, objectsOf } from '../plan/lost';
import type { WorkspaceLayout } from '../store/layout';
import type { ObjectStore } from '../store/objects';

export interface Salvage {
  lost: LostPlan;
  /** Where the plan file was kept as it was found. */
  kept: string;
  /** Completed tasks that begin again, because an object of theirs is missing or damaged: id and why. */
  broken: { task: string; why: string }[];
}

/**
 * Reads what is left of a plan and hashes every object that its completed tasks stand on again. Files on disk are the
 * workflow's to look at.
 *
 * @throws IntegrityError, UsageError as `readLostPlan`
 */
export async function salvage(layout: WorkspaceLayout, objects: ObjectStore, id: string): Promise<Salvage> {
  // Late, because it loads zod, and every command that connects loads this file.
  const { keepPlanFile, readLostPlan } = require('../store/lost-plan') as typeof import('../store/lost-plan');
  const lost = await readLostPlan(layout, id);
  const broken: Salvage['broken'] = [];
  for (const [task, view] of Object.entries(lost.tasks)) {
    if (view.status !== 'completed') continue;
    const why = await firstDamage(objects, objectsOf(view));
    if (why === null) continue;
    broken.push({ task, why });
    view.status = 'pending';
  }
  return { lost, broken, kept: await keepPlanFile(layout, id, new Date()) };
}

async function firstDamage(objects: ObjectStore, digests: readonly string[]): Promise<string | null> {
  for (const digest of digests) {
    try {
      await objects.get(digest);
    } catch (error) {
      if (error instanceof IntegrityError) return error.message;
      throw error;
    }
  }
  return null;
}
