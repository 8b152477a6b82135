/** Starts a plan's workflow: its id, queue and what Temporal's own tools show of it, in one place. */
import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType, TypedSearchAttributes } from '@temporalio/common';
import { taskQueueOf } from '../store/layout';
import type { NewPlan, PlanInput } from '../workflows/state';
import { grpcCode } from './failures';

const PLAN_STATE = defineSearchAttributeKey('PlanState', SearchAttributeType.KEYWORD);
const PLAN_WORKSPACE = defineSearchAttributeKey('PlanWorkspace', SearchAttributeType.KEYWORD);
const BAD_REQUEST = 3;

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').slice(0, 200);

export type StartedPlan = Omit<NewPlan, 'searchAttributes' | 'llmQueue'>;

/** What a plan begins with beside its goal: what is left of one that Temporal lost, or what an export brought. */
export type Beginning = Pick<PlanInput, 'lost' | 'imported'>;

/** Starts the workflow, or finds it started already by another command. Throws what the client throws. */
export async function startPlan(client: Client, plan: StartedPlan, from: Beginning): Promise<void> {
  const { id, name, workspace } = plan;
  const start = async (searchAttributes: boolean): Promise<void> => {
    const input: PlanInput = { plan: { ...plan, searchAttributes, llmQueue: null }, ...from };
    const attributes = new TypedSearchAttributes([
      { key: PLAN_STATE, value: 'planning' },
      { key: PLAN_WORKSPACE, value: workspace },
    ]);
    await client.workflow.start('planWorkflow', {
      workflowId: id,
      taskQueue: taskQueueOf(workspace),
      args: [input],
      // What a killed worker had begun is given to the next one only after this; below it, replaying a long history fails.
      workflowTaskTimeout: '3s',
      staticSummary: oneLine(name),
      staticDetails: `A plan of planwright. Approvals: \`planwright approvals ${id}\`. Progress: \`planwright watch ${id}\`.`,
      ...(searchAttributes ? { typedSearchAttributes: attributes } : {}),
    });
  };
  try {
    // A server without our search attributes refuses them; the plan works without.
    await start(true).catch((error: unknown) => {
      if (grpcCode(error) === BAD_REQUEST) return start(false);
      throw error;
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}
