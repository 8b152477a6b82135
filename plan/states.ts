import type { PlanStatus, TaskStatus } from './types';

/** States in which nothing of a plan runs. */
export const SETTLED_PLAN: readonly PlanStatus[] = [
  'ready',
  'completed',
  'partial',
  'failed',
  'cancelled',
  'rolled_back',
  'cleaned',
  'archived',
];

/** States that a task leaves only by another run. */
export const SETTLED_TASK: readonly TaskStatus[] = ['completed', 'failed', 'declined', 'skipped', 'cancelled'];

export const isSettledPlan = (status: PlanStatus): boolean => SETTLED_PLAN.includes(status);
export const isSettledTask = (status: TaskStatus): boolean => SETTLED_TASK.includes(status);
