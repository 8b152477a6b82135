/**
 * Queries and updates of plan workflows on the wire: survives restarts of what is on the other side, and puts failures
 * into words.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Client,
  type WorkflowExecutionDescription,
  WorkflowNotFoundError,
  WorkflowUpdateStage,
} from '@temporalio/client';
import { FailedError, RefusedError, UnreachableError } from '../plan/errors';
import { type Mask, maskSecrets, maskTexts } from '../plan/mask';
import type { PlanQuestion } from '../plan/pages';
import type { PlanView } from '../plan/view';
import { taskQueueOf, type WorkspaceLayout } from '../store/layout';
import { connectionError, isPassing, workflowRefusal } from './failures';
import { isLost } from './open';

const QUERY_DEADLINE_MS = 2_000;
const MESSAGE_PATIENCE_MS = 10_000;
const FOREIGN = 'it belongs to another directory, from which this one was copied or moved: nothing of it runs here.';
export const LOST = 'Temporal does not know this plan: its database is another one, or the plan was deleted there.';

export interface TemporalLink {
  client: Client;
  address: string;
  /** True where no worker of this workspace runs: a query would only wait for one, and nothing has moved on since the file was written. */
  asleep?: boolean;
  /** Hides secrets in what goes out; unless told, what looks like one. */
  mask?: Mask;
  /** Starts again what died; called when the other side does not answer. */
  revive(): Promise<void>;
  close(): Promise<void>;
}

export class PlanWire {
  constructor(
    private readonly layout: WorkspaceLayout,
    /** Null: Temporal is away. */
    private readonly link: TemporalLink | null,
    private readonly away: string,
  ) {}

  async query(id: string, since?: number): Promise<PlanView | null> {
    const { client } = this.connected();
    const handle = client.workflow.getHandle(id);
    return client.withDeadline(Date.now() + QUERY_DEADLINE_MS, () =>
      handle.query<PlanView | null, [PlanQuestion]>('plan', { whole: true, ...(since === undefined ? {} : { since }) }),
    );
  }

  /** Why a plan could not be asked, in words that say what became of it. */
  async explain(id: string, error: unknown): Promise<string> {
    // A message to a closed workflow is "not found" as well.
    const closed = await this.closedNote(id);
    if (closed) return closed;
    if (isLost(error)) return LOST;
    return 'the worker of this workspace did not answer; this is the last state that was written.';
  }

  /** Set where the workflow is no longer open: then nothing of the plan runs, whatever its state says. */
  async closedNote(id: string): Promise<string | null> {
    const description = await this.describe(id);
    if (this.isForeign(description)) return FOREIGN;
    switch (description?.status.name) {
      case 'TERMINATED':
        return 'its workflow was terminated in Temporal: nothing of it runs, and it cannot be resumed. Files it wrote stay. Make a new plan.';
      case 'CANCELLED':
        return 'its workflow was cancelled in Temporal: nothing of it runs, and it cannot be resumed. Files it wrote stay. Make a new plan.';
      case 'COMPLETED':
        return 'it was deleted. Files it wrote stay.';
      case 'FAILED':
      case 'TIMED_OUT':
        return `its workflow ended as ${description.status.name} in Temporal; \`temporal workflow show -w ${id}\` tells why.`;
      default:
        return null;
    }
  }

  private async describe(id: string): Promise<WorkflowExecutionDescription | null> {
    const { client } = this.connected();
    // Without a deadline the SDK tries for half a minute to reach a server that is gone.
    return client
      .withDeadline(Date.now() + QUERY_DEADLINE_MS, () => client.workflow.getHandle(id).describe())
      .catch(() => null);
  }

  /** Tokens that are being written, by task; empty where that cannot be told now. */
  async live(id: string): Promise<{ [task: string]: number }> {
    const { client } = this.connected();
    const { liveTokens } = await import('./live-tokens');
    return client.withDeadline(Date.now() + QUERY_DEADLINE_MS, () => liveTokens(client, id)).catch(() => ({}));
  }

  /** True for a plan whose file came here with a copied `.planwright/`: a message to it would change files elsewhere. */
  private isForeign(description: WorkflowExecutionDescription | null): boolean {
    return description !== null && description.taskQueue !== taskQueueOf(this.layout.id);
  }

  async refuseClosed(id: string): Promise<void> {
    const closed = await this.closedNote(id);
    if (closed) throw new FailedError(`Plan ${id}: ${closed}`);
  }

  /** Terminated, lost or merely restarting? The last is mended here and the caller asks again. */
  async afterFailedQuery(id: string, error: unknown, failures: number): Promise<void> {
    const { address } = this.connected();
    if (error instanceof WorkflowNotFoundError) throw new FailedError(`Plan ${id}: ${await this.explain(id, error)}`);
    if (failures > 20) throw connectionError(error, address);
    // First, because it takes no time where all is well, and where nothing runs there is nobody to ask.
    await this.link?.revive();
    await this.refuseClosed(id);
    await sleep(Math.min(100 * 2 ** failures, 2_000));
  }

  /** Sends an update, again with the same id while what fails is only a restart or a race with continue-as-new. */
  async update<T>(id: string, name: string, payload: unknown, updateId: string): Promise<T> {
    const { client, address, revive } = this.connected();
    const safe = this.masked(payload);
    if (this.isForeign(await this.describe(id))) {
      throw new RefusedError(`Plan ${id}: ${FOREIGN}`, 'Make a plan for this workspace: planwright plan "<goal>"');
    }
    const until = Date.now() + MESSAGE_PATIENCE_MS;
    for (;;) {
      try {
        const handle = await client.withDeadline(Date.now() + MESSAGE_PATIENCE_MS, () =>
          client.workflow.getHandle(id).startUpdate(name, {
            args: [safe],
            updateId,
            waitForStage: WorkflowUpdateStage.ACCEPTED,
          }),
        );
        return (await handle.result()) as T;
      } catch (error) {
        const refusal = workflowRefusal(error);
        if (refusal) throw refusal;
        const closed = await this.closedNote(id);
        if (closed) throw new RefusedError(`Plan ${id}: ${closed}`, 'Make a new plan: planwright plan "<goal>"');
        if (error instanceof WorkflowNotFoundError)
          throw new FailedError(`Plan ${id}: ${await this.explain(id, error)}`);
        if (!isPassing(error) || Date.now() > until) throw connectionError(error, address);
        await revive();
        await sleep(200);
      }
    }
  }

  /** What Temporal is given stays there for weeks: people's words go out without secrets. */
  masked<T>(payload: T): T {
    // What is signed was masked before, and would not hold any more.
    const isSigned = typeof payload === 'object' && payload !== null && 'signed' in payload && payload.signed;
    return isSigned ? payload : maskTexts(payload, this.link?.mask ?? maskSecrets);
  }

  connected(): TemporalLink {
    if (this.link) return this.link;
    throw new UnreachableError(`Temporal is not running: ${this.away}`, 'Start it with `planwright up`.');
  }
}
