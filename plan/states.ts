import type { PlanStatus, TaskStatus } from './types';

/** Reason of a plan whose workflow was cancelled with Temporal's own tools: no message reaches it any more. */
export const CANCELLED_IN_TEMPORAL = 'its workflow was cancelled in Temporal';

/** States in which nothing of a plan runs. */
const SETTLED_PLAN: readonly PlanStatus[] = [
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
const SETTLED_TASK: readonly TaskStatus[] = ['completed', 'failed', 'declined', 'skipped', 'cancelled'];

export const isSettledPlan = (status: PlanStatus): boolean => SETTLED_PLAN.includes(status);
export const isSettledTask = (status: TaskStatus): boolean => SETTLED_TASK.includes(status);

const MOVING_TASK: readonly TaskStatus[] = ['generating', 'verifying', 'writing'];

/** True for a task that something is done for at this moment, and that waits for nobody. */
export const isMoving = ({ status, held }: { status: TaskStatus; held?: string | null }): boolean =>
  MOVING_TASK.includes(status) && !held;
