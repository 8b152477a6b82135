/** What the steps of one task share: where it stands, and the three ways from one step to another that is not the next. */
import type { ArtifactFile, TaskNode } from '../plan/types';
import type { RunView, TaskError, TaskView } from '../plan/view';
import type { Step } from './calls';
import type { PlanContext } from './context';
import { said } from './facts';
import { askAnew, CONTENT_ERRORS } from './prepare';
import { recordTask, recordTasks } from './run-facts';
import type { RunState, TaskInternals } from './state';
import { waitStuck } from './stuck';

const CONFLICTS_UNDER_YES = 2;

export class TaskWork {
  /** True where a step began to write and could not finish: it is finished before anything else, also after a cancel. */
  begun = false;

  constructor(
    readonly context: PlanContext,
    readonly node: TaskNode,
    readonly run: RunState,
    readonly runView: RunView,
  ) {}

  get task(): TaskView {
    return this.context.task(this.node.id);
  }

  get own(): TaskInternals {
    return this.context.internals(this.node.id);
  }

  step(name: string): Step {
    const { generation } = this.own;
    // A generation can be verified or written more than once in a run, after a base changed: conflicts tell them apart.
    const id = [name, this.node.id, `g${generation}`, `r${this.run.number}`, `c${this.own.conflicts}`];
    // Taken up again at a stuck gate, a step is another one than that which failed.
    if (this.own.retries) id.push(`t${this.own.retries}`);
    // Within one generation a model was asked before, and what it said could not be used.
    const { asked } = this.own;
    if (asked?.generation === generation) id.push(`a${asked.times}`);
    return { id: id.join('-'), summary: `${name} task ${this.task.number} (${this.node.tool})` };
  }

  artifact(): ArtifactFile[] {
    return this.task.files.map(({ path, sha256, bytes, preSha256, mode }) => ({
      path,
      sha256,
      bytes,
      preSha256,
      mode,
    }));
  }

  nextGeneration(feedback: string[], reason: string): void {
    recordTasks(this.context, 'task.retried', [this.node.id], reason);
    askAnew(this.own, feedback);
    this.context.withdrawGates(this.node.id, 'the task is generated again');
    this.context.update(this.node.id, { status: 'generating' });
  }

  /** The workspace moved on under the artifact: decisions on it are void, and it is made again on the new base. */
  async regenerate(paths: string[]): Promise<void> {
    this.own.conflicts += 1;
    if (
      this.run.request.replay ||
      (this.run.request.yes && this.own.conflicts > CONFLICTS_UNDER_YES * (1 + (this.own.retries ?? 0)))
    ) {
      this.fail({
        type: 'Conflict',
        message: `${paths.join(', ')} changed on disk before it could be written.`,
        advice: 'Find out what else writes there, then run `planwright apply --resume --retry`.',
      });
      return;
    }
    await this.context.readWorkspace(paths, `task-${this.node.id}-r${this.run.number}`);
    this.nextGeneration([], `${paths.join(', ')} changed on disk`);
  }

  /** The task failed for good: it waits for a person where the run does, and is `failed` otherwise. */
  fail(error: TaskError): void {
    this.context.withdrawGates(this.node.id, 'the task failed');
    if (!waitStuck(this, error)) this.settleFailed(error);
  }

  settleFailed(error: TaskError): void {
    // Taken again as it is, it would only fail again.
    if (CONTENT_ERRORS.has(error.type)) this.own.kept = false;
    if (this.run.request.dryRun) {
      const failed = { result: 'failed' as const, reason: error.message };
      this.runView.previews = { ...this.runView.previews, [this.node.id]: failed };
    }
    this.context.update(this.node.id, {
      status: 'failed',
      held: null,
      error,
      reason: error.message,
      completedAt: this.context.at(),
    });
    recordTask(this.context, 'task.failed', this.node.id, { type: said(error.type), message: said(error.message) });
  }
}
