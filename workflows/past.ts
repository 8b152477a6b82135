/**
 * The execution before this one: its history is kept as an object before Temporal forgets it. A history cannot hold its own
 * export, so each execution keeps that of the one before it. The plan goes on meanwhile, and goes on without it.
 */
import { CancellationScope, condition, workflowInfo } from '@temporalio/workflow';
import { BY_WORKFLOW } from '../plan/facts';
import { taskErrorOf } from './calls';
import type { PlanContext } from './context';
import { said } from './facts';

/** How long an execution that is over otherwise waits for it, at most. */
const LAST_WAIT = '30s';

export class Past {
  /** Null: nothing is being kept. */
  private underWay: CancellationScope | null = null;

  constructor(private readonly context: PlanContext) {}

  /** Begins to keep it; nothing where this execution is the first. */
  keep(): void {
    const execution = workflowInfo().continuedFromExecutionRunId;
    if (!execution) return;
    const scope = new CancellationScope();
    this.underWay = scope;
    void scope.run(() => this.exportOnce(execution));
  }

  /** Before this execution ends: what is not done by then is given up, and that is on record. */
  async settle(): Promise<void> {
    if (this.underWay === null) return;
    if (!(await condition(() => this.underWay === null, LAST_WAIT))) this.underWay.cancel();
    await condition(() => this.underWay === null);
  }

  private async exportOnce(execution: string): Promise<void> {
    const step = { id: 'export-history', summary: 'keep the history of the execution before' };
    try {
      await this.context.call('exportHistory', step, { plan: this.context.state.view.id, execution });
    } catch (error) {
      this.context.record('history.unexported', BY_WORKFLOW, { execution, reason: said(reasonOf(error)) });
    }
    this.underWay = null;
    // The log follows changes: without one it would tell of this only with the next.
    this.context.changed();
  }
}

function reasonOf(error: unknown): string {
  try {
    return taskErrorOf(error).message;
  } catch {
    return 'it took too long, and the execution ended';
  }
}
