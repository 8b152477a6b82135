/**
 * One task from generation to file. The task's status is the step to take next, so that a run goes on from
 * carried state as it does from the middle.
 */

import { frozenAt } from '../plan/rules/freeze';
import { mayDemand } from '../plan/rules/match';
import { isSettledTask } from '../plan/states';
import type { VerifyResult, WriteResult } from '../plan/steps';
import type { TaskNode } from '../plan/types';
import type { RunView, TaskError } from '../plan/view';
import { Drained } from './audit-wait';
import { mayCall, overBudget } from './budget';
import { taskErrorOf } from './calls';
import type { PlanContext } from './context';
import { rulesOf } from './gatekeeping';
import { asksNext, generate } from './generation';
import { notPaused, thawed } from './holding';
import { overlayOf } from './inputs';
import type { RunState } from './state';
import { awaitDecisions, openGates } from './task-gates';
import { TaskWork } from './task-work';
import { passTool } from './tool-gate';
import { afterWrite, noted, write } from './writing';

const REPAIRS = 2;
const BUDGET_REACHED: TaskError = {
  type: 'BudgetReached',
  message: 'The budget is used up, and nobody raised it.',
  advice: 'Raise it in .planwright/policy.yaml or with --max-tokens, then run `planwright apply --resume --retry`.',
};

/** Limits how many tasks generate at once; a task that waits for a person holds no place. */
export interface Places {
  take(): Promise<void>;
  give(): void;
}

export class TaskRunner extends TaskWork {
  constructor(
    context: PlanContext,
    node: TaskNode,
    run: RunState,
    runView: RunView,
    private readonly places: Places,
  ) {
    super(context, node, run, runView);
  }

  /** Carries the task out until it is settled, or until the context drains. Throws only on cancellation. */
  async carryOut(): Promise<void> {
    const previewed = (): boolean => this.runView.previews?.[this.node.id] !== undefined;
    while (!this.context.draining && !isSettledTask(this.task.status) && !previewed()) {
      if (!(await notPaused(this.context, this.node.id))) return;
      if (this.task.status === 'awaiting_approval') await awaitDecisions(this);
      else if (await this.mayGoOn()) await this.work();
    }
  }

  /** Whatever makes it wait before its next step makes it wait here, where it holds no place. */
  private async mayGoOn(): Promise<boolean> {
    const { context, node } = this;
    if (['pending', 'generating'].includes(this.task.status) && !passTool(this)) return false;
    if (asksNext(this)) {
      const leave = await mayCall(this);
      if (leave === 'stopped') this.fail(BUDGET_REACHED);
      if (leave !== 'spend') return false;
    }
    return !this.writesNext() || thawed(context, node.id);
  }

  private async work(): Promise<void> {
    await this.places.take();
    try {
      if (this.rests()) return;
      if (this.task.status === 'pending' || this.task.status === 'generating') {
        const done = await generate(this);
        if (done) await this.orFail(() => this.afterVerify(done.verified, done.written));
      }
      if ((!this.rests() || this.begun) && this.task.status === 'verifying') await this.verify();
      if (!this.rests() && this.task.status === 'writing') await write(this);
    } finally {
      this.places.give();
    }
  }

  /** True where the next step is not for now: it waits again, outside. */
  private rests(): boolean {
    const { context } = this;
    if (context.draining || context.state.view.paused) return true;
    if (asksNext(this) && overBudget(this)) return true;
    return this.writesNext() && frozenAt(rulesOf(context).freeze, context.at()) !== null;
  }

  private writesNext(): boolean {
    const { status } = this.task;
    return status === 'writing' || (status === 'verifying' && this.writesUnasked());
  }

  /** True where nobody is asked between verification and write, but for a file that turns out too risky. */
  private writesUnasked(): boolean {
    const { context, node, run, task } = this;
    if (!run.request.yes || run.request.dryRun) return false;
    const rules = rulesOf(context);
    return !task.files.some(({ path }) => mayDemand(rules, node.tool, path));
  }

  private async verify(): Promise<void> {
    const { context, node, run } = this;
    const about = {
      plan: context.state.view.id,
      task: node.id,
      tool: node.tool,
      files: this.artifact(),
      allowAllPaths: run.request.allowAllPaths === true,
      workspace: context.state.snapshot?.digest ?? '',
      overlay: overlayOf(context, node.id, this.runView.kind === 'dry-run'),
      ...(run.request.skipVerify ? { skipExternal: true } : {}),
    };
    await this.orFail(async () => {
      if (!this.writesUnasked()) {
        const preview = run.request.dryRun ? { preview: { keepBackup: this.own.backups } } : {};
        const verified = await context.call('verify', this.step('verify'), { ...about, ...preview });
        await this.afterVerify(this.withoutOverlaid(verified, about.overlay), null);
        return;
      }
      context.update(node.id, { status: 'writing' });
      const { verified, written } = await noted(this, about.files, (step) =>
        context.callToTheEnd(
          'verifyAndWrite',
          step,
          { ...about, keepBackup: this.own.backups, riskPassed: run.passed },
          this.begun,
        ),
      );
      this.begun = false;
      await this.afterVerify(verified, written);
    });
  }

  /** What an activity could not do is the task's failure. Throws only on cancellation. */
  private async orFail(body: () => Promise<void>): Promise<void> {
    try {
      await body();
    } catch (error) {
      if (error instanceof Drained) {
        // Nothing was written, and what was verified must be verified again.
        this.context.update(this.node.id, { status: 'verifying' });
        return;
      }
      this.fail(taskErrorOf(error));
    }
  }

  /** In a dry run, an ancestor's file is not on disk where the artifact replaces it; that makes it no stale base. */
  private withoutOverlaid(verified: VerifyResult, overlay: { [path: string]: string }): VerifyResult {
    if (!this.run.request.dryRun) return verified;
    const base = new Map(this.task.files.map(({ path, preSha256 }) => [path, preSha256]));
    return { ...verified, stale: verified.stale.filter((path) => overlay[path] !== base.get(path)) };
  }

  /** The end of a task in a dry run: the artifact stays for the next run, and the task waits as before. */
  private preview(): void {
    this.own.kept = true;
    this.runView.previews = {
      ...this.runView.previews,
      [this.node.id]: { result: 'generated', reason: null },
    };
    this.context.update(this.node.id, { status: 'pending' });
  }

  private async afterVerify(verified: VerifyResult, written: WriteResult | null): Promise<void> {
    const byPath = new Map(verified.files.map((file) => [file.path, file]));
    this.task.verification = verified.verification;
    this.task.files = this.task.files.map((file) => ({ ...file, ...byPath.get(file.path) }));
    if (verified.verdict === 'failed') this.repair(verified);
    else if (verified.stale.length > 0) await this.regenerate(verified.stale);
    else if (this.run.request.dryRun) this.preview();
    else if (written) await afterWrite(this, written, this.task.files);
    else openGates(this);
  }

  /** Findings go back to a model; the template provider would only say the same again. */
  private repair(verified: VerifyResult): void {
    const errors = verified.verification.flatMap((row) =>
      row.findings
        .filter((finding) => finding.severity === 'error')
        .map(
          (finding) =>
            `${row.path}${finding.line ? `:${finding.line}` : ''}: ${finding.message} (${row.verifier}: ${finding.rule})`,
        ),
    );
    const again = this.run.settings.provider !== 'template' && !this.run.request.replay;
    if (again && this.own.repairs < REPAIRS) {
      this.own.repairs += 1;
      this.nextGeneration(errors, 'verification found errors');
      return;
    }
    this.fail({
      type: 'Verification',
      message: `Verification found ${errors.length} error(s):\n${errors.slice(0, 10).join('\n')}`,
      advice: `Look at what was proposed with \`planwright plan diff --task ${this.task.number}\`, then retry.`,
    });
  }
}
