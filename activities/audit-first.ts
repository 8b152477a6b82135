/**
 * No file changes before the ruling that allowed it is on disk: an activity that changes files has the audit log
 * brought up to its own schedule first, and changes nothing where that cannot be done.
 */
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { PlanwrightError } from '../plan/errors';
import { AUDIT_UNWRITABLE } from '../plan/facts';
import { maskSecrets } from '../plan/mask';
import type { LogHead } from '../plan/steps';

/** The worker's mirror, as activities use it. */
export interface AuditMirror {
  /**
   * Resolves once everything up to the schedule of this activity is durably in the log.
   * @throws PlanwrightError, or what the connection throws
   */
  upTo(plan: string, run: string, activity: string): Promise<LogHead>;
}

const MESSAGE_CHARS = 1_000;

/**
 * For the activity under way.
 * @throws ApplicationFailure `AuditUnwritable`; the workflow waits and asks again, for nothing was changed
 */
export async function auditFirst(mirror: AuditMirror): Promise<LogHead> {
  const { workflowExecution, activityId } = Context.current().info;
  try {
    return await mirror.upTo(workflowExecution?.workflowId ?? '', workflowExecution?.runId ?? '', activityId);
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    const advice = error instanceof PlanwrightError && error.advice ? error.advice : null;
    throw ApplicationFailure.create({
      message: maskSecrets(said).slice(0, MESSAGE_CHARS),
      type: AUDIT_UNWRITABLE,
      nonRetryable: true,
      details: advice === null ? [] : [{ advice }],
      ...(error instanceof Error ? { cause: error } : {}),
    });
  }
}
