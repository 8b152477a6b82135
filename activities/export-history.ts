/** Keeps the history of the execution before the plan's own: Temporal forgets it after the namespace's retention. */
import type { History } from '@temporalio/common/lib/proto-utils';
import { keepHistoryObject } from '../audit/history-object';
import { UnreachableError } from '../plan/errors';
import type { WorkspaceLayout } from '../store/layout';
import type { PlanActivities } from './types';

/** How the worker reads a history: as Temporal has it, through no codec. */
export type ReadHistory = (plan: string, execution: string) => Promise<History>;

/** @param read null where Temporal cannot be asked; then nothing is kept, and the plan is told so */
export function createExportHistory(
  layout: WorkspaceLayout,
  read: ReadHistory | null,
): PlanActivities['exportHistory'] {
  return async ({ plan, execution }) => {
    if (!read) throw new UnreachableError('This worker cannot read histories.');
    return keepHistoryObject(layout, plan, execution, await read(plan, execution));
  };
}
