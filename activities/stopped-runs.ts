import { CancelledFailure } from '@temporalio/common';

/** Runs are numbered upwards and tasks of old ones are long over: the latest are enough. */
const KEPT = 1_000;

/**
 * The cancelled runs that this worker was told of. Temporal tells a running activity of its cancellation with the answer to a
 * heartbeat; whoever cancelled is told at once, and by then nothing may begin to write any more.
 */
export class StoppedRuns {
  private readonly keys = new Set<string>();

  add(plan: string, run: number): void {
    this.keys.add(`${plan}/${run}`);
    for (const oldest of this.keys) {
      if (this.keys.size <= KEPT) break;
      this.keys.delete(oldest);
    }
  }

  /** @throws CancelledFailure where the run was cancelled */
  check(plan: string, run: number): void {
    if (this.keys.has(`${plan}/${run}`)) throw new CancelledFailure('the run was cancelled');
  }
}
