/** What a worker does with calls of a model when it is told to stop: it gives them back, and another worker takes them. */
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';

/**
 * Runs an activity's work, which sees an abort of its signal when the worker stops, and turns the cancellation that
 * comes of it into a failure that Temporal tries again at once. A cancellation of the plan stays what it is, and so does
 * everything else that the work throws.
 *
 * @param cancelled the activity's own signal
 * @param stopping aborted when the worker stops
 * @throws ApplicationFailure `WorkerDied`, the type by which the workflow knows that the work itself did not fail
 */
export async function handBack<T>(cancelled: AbortSignal, stopping: AbortSignal, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!stopping.aborted || cancelled.aborted || !(error instanceof CancelledFailure)) throw error;
    throw ApplicationFailure.create({
      message: 'Its worker was stopped before the model answered.',
      type: 'WorkerDied',
      nextRetryDelay: '100ms',
      details: error.details,
    });
  }
}
