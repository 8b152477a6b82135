import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { connectionError, GRPC, grpcCode } from './failures';

export const isLost = (error: unknown): boolean =>
  error instanceof WorkflowNotFoundError || grpcCode(error) === GRPC.notFound;

/** Whether a plan's workflow is open: false for one that is closed, and for one that Temporal does not know. */
export async function isOpen(client: Client, id: string, address: string): Promise<boolean> {
  try {
    return (await client.workflow.getHandle(id).describe()).status.name === 'RUNNING';
  } catch (error) {
    if (isLost(error)) return false;
    throw connectionError(error, address);
  }
}
