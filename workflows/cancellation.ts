import { CancellationScope, isCancellation } from '@temporalio/workflow';

/** Watches for a cancellation of the whole workflow, as `temporal workflow cancel` asks for. */
export function workflowCancellation(): { requested(): boolean } {
  let requested = false;
  const root = CancellationScope.current().parent ?? CancellationScope.current();
  root.cancelRequested.catch((error: unknown) => {
    if (!isCancellation(error)) throw error;
    requested = true;
  });
  return { requested: () => requested };
}
