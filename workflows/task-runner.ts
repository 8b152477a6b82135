/**
 * One task from generation to file. The task's status is the step to take next, so that a run goes on from
 * carried state as it does from the middle.
 */
import { condition, isCancellation, workflowInfo } from '@temporalio/workflow';
import { isSettledTask } from '../plan/states';
import type { ArtifactFile, Risk, TaskNode, Usage, VerifyResult, WriteResult } from '../plan/types';
import type { FileView, RunView, TaskError } from '../plan/view';
import { call, callToTheEnd, leftBy, type Step, taskErrorOf } from './calls';
import type { PlanContext } from './context';
import { overlayOf, referencesOf, usableArtifact } from './inputs';
import { forgetAttempt, noteAttempt, noteWritten } from './ledger';
import { askAnew, CONTENT_ERRORS, shelve } from './prepare';
import { againAsRecorded, compareWithRecord, keepRecordedBases, onRecordedBases } from './replay';
import type { Made, RunState } from './state';

const REPAIRS = 2;
const CONFLICTS_UNDER_YES = 2;
const LEVEL: { [risk in Risk]: number } = { LOW: 0, MEDIUM: 1, HIGH: 2 };

/** Limits how many tasks generate at once; a task that waits for a person holds no place. */
export interface Places {
  take(): Promise<void>;
  give(): void;
}

export class TaskRunner {
  constructor(
    private readonly context: PlanContext,
    private readonly node: TaskNode,
    private readonly run: RunState,
    private readonly runView: RunView,
    private readonly places: Places,
  ) {}

  private get task() {
    return this.context.task(this.node.id);
  }

  private get own() {
    return this.context.internals(this.node.id);
  }

  /** Carries the task out until it is settled, or until the context drains. Throws only on cancellation. */
  async carryOut(): Promise<void> {
    const previewed = (): boolean => this.runView.previews?.[this.node.id] !== undefined;
    while (!this.context.draining && !isSettledTask(this.task.status) && !previewed()) {
      if (this.task.status === 'awaiting_approval') await this.awaitDecisions();
      else await this.work();
    }
  }

  private async work(): Promise<void> {
    await this.places.take();
    try {
      if (this.context.draining) return;
      if (this.task.status === 'pending' || this.task.status === 'generating') await this.generate();
      if (!this.context.draining && this.task.status === 'verifying') await this.verify();
      if (!this.context.draining && this.task.status === 'writing') await this.write();
    } finally {
      this.places.give();
    }
  }

  private step(name: string): Step {
    const { generation } = this.own;
    // A generation can be verified or written more than once in a run, after a base changed: conflicts tell them apart.
    const id = [name, this.node.id, `g${generation}`, `r${this.run.number}`, `c${this.own.conflicts}`].join('-');
    return { id, summary: `${name} task ${this.task.number} (${this.node.tool})` };
  }

  private async generate(): Promise<void> {
    const { own, node, run, context } = this;
    const { recorded, replay } = run.request;
    const startedAt = this.task.startedAt ?? context.at();
    if (recorded) {
      onRecordedBases(context, run, node.id);
      context.update(node.id, { status: 'verifying', startedAt });
      return;
    }
    if (!replay && usableArtifact(context, run, node.id)) {
      context.update(node.id, { status: 'verifying', startedAt, attempts: own.generation });
      return;
    }
    if (own.kept || replay) askAnew(own);
    if (own.generation === 0) own.generation = 1;
    context.update(node.id, { status: 'generating', startedAt, attempts: own.generation, error: null, reason: null });
    try {
      const step = { ...this.step('generate'), timeoutMs: run.timeoutMs, taskQueue: context.state.plan.llmQueue };
      const made: Made = {
        at: context.at(),
        generation: own.generation,
        seed: own.generation,
        workspace: context.state.snapshot?.digest ?? '',
        overlay: overlayOf(context, node.id, this.runView.kind === 'dry-run'),
        feedback: own.feedback,
        instruction: own.instruction,
        settings: run.settings,
      };
      const { at: _asked, generation, seed, ...question } = replay ? againAsRecorded(own, made) : made;
      const result = await call('generate', step, {
        plan: context.state.view.id,
        task: node,
        refs: referencesOf(context, node),
        generation,
        timeoutMs: run.timeoutMs,
        ...question,
        ...(replay ? { seed } : {}),
      });
      // An answer found on record was paid for too, by an attempt that died before it could say so.
      if (!result.fromRecord || own.counted !== own.generation) this.count(result.usage);
      own.counted = own.generation;
      if (replay) compareWithRecord(context, this.runView, node.id, result);
      shelve(context, node.id);
      own.made = { ...(replay && own.made ? own.made : made), at: context.at(), generation };
      const { skill, modelReturned, output, raw } = result;
      const files = result.files.map(proposed);
      context.update(node.id, { status: 'verifying', skill, modelReturned, output, raw, files });
      if (replay) onRecordedBases(context, run, node.id);
    } catch (error) {
      const left = leftBy(error);
      if (left) {
        this.count(left.usage);
        this.task.raw = left.raw;
      }
      this.fail(taskErrorOf(error));
    }
  }

  private count(usage: Usage): void {
    for (const total of [this.task.usage, this.context.state.view.usage]) {
      total.promptTokens += usage.promptTokens;
      total.completionTokens += usage.completionTokens;
      total.calls += usage.calls;
    }
  }

  private artifact() {
    return this.task.files.map(({ path, sha256, bytes, preSha256, mode }) => ({
      path,
      sha256,
      bytes,
      preSha256,
      mode,
    }));
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
    };
    try {
      if (!run.request.yes || run.request.dryRun) {
        const preview = run.request.dryRun ? { preview: { keepBackup: this.own.backups } } : {};
        const verified = await call('verify', this.step('verify'), { ...about, ...preview });
        await this.afterVerify(this.withoutOverlaid(verified, about.overlay), null);
        return;
      }
      context.update(node.id, { status: 'writing' });
      const { verified, written } = await this.noted(about.files, (step) =>
        callToTheEnd('verifyAndWrite', step, { ...about, keepBackup: this.own.backups, riskPassed: run.passed }),
      );
      await this.afterVerify(verified, written);
    } catch (error) {
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
    else if (written) await this.afterWrite(written, this.task.files);
    else this.openGates();
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
      this.nextGeneration(errors);
      return;
    }
    this.fail({
      type: 'Verification',
      message: `Verification found ${errors.length} error(s):\n${errors.slice(0, 10).join('\n')}`,
      advice: 'Look at the proposed files with `planwright plan show --task`, then retry.',
    });
  }

  private nextGeneration(feedback: string[]): void {
    askAnew(this.own, feedback);
    this.context.withdrawGates(this.node.id, 'the task is generated again');
    this.context.update(this.node.id, { status: 'generating' });
  }

  /** The workspace moved on under the artifact: decisions on it are void, and it is made again on the new base. */
  private async regenerate(paths: string[]): Promise<void> {
    this.own.conflicts += 1;
    if (this.run.request.replay || (this.run.request.yes && this.own.conflicts > CONFLICTS_UNDER_YES)) {
      this.fail({
        type: 'Conflict',
        message: `${paths.join(', ')} changed on disk before it could be written.`,
        advice: 'Find out what else writes there, then run `planwright apply --resume --retry`.',
      });
      return;
    }
    await this.context.readWorkspace(paths, `task-${this.node.id}-r${this.run.number}`);
    this.nextGeneration([]);
  }

  private openGates(): void {
    const { context, node, run } = this;
    const asks = (file: FileView): boolean =>
      file.action !== 'unchanged' &&
      !this.own.approved[file.digest] &&
      !this.own.rejected[file.digest] &&
      (!run.request.yes || LEVEL[file.risk] > LEVEL[run.passed]);
    const questions = this.task.files.filter(asks);
    if (questions.length === 0) {
      context.update(node.id, { status: 'writing' });
      return;
    }
    for (const file of questions) {
      context.openGate({
        kind: 'file',
        task: node.id,
        path: file.path,
        digest: file.digest,
        risk: file.risk,
        riskReasons: [],
        diffStat: file.diffStat,
        sha256: file.sha256,
        preSha256: file.preSha256,
      });
    }
    context.update(node.id, { status: 'awaiting_approval' });
  }

  private async awaitDecisions(): Promise<void> {
    const { context, own } = this;
    const open = (): boolean => context.state.view.gates.some((gate) => gate.task === this.node.id);
    await condition(() => context.draining || own.requested.length > 0 || !open());
    if (context.draining) return;
    if (own.requested.length > 0) this.nextGeneration(own.requested.splice(0));
    else context.update(this.node.id, { status: 'writing' });
  }

  private async write(): Promise<void> {
    const { context, node, run, own } = this;
    const refused = new Set(this.task.files.filter((file) => own.rejected[file.digest]).map((file) => file.path));
    if (refused.size > 0 && this.task.files.every((file) => refused.has(file.path) || file.action === 'unchanged')) {
      this.markDeclined(refused);
      context.update(node.id, { status: 'declined', reason: 'every file was refused', completedAt: context.at() });
      return;
    }
    const accepted = this.artifact().filter((file) => !refused.has(file.path));
    try {
      const about = { plan: context.state.view.id, task: node.id, tool: node.tool };
      const allowAllPaths = run.request.allowAllPaths === true;
      const written = await this.noted(accepted, (step) =>
        callToTheEnd('writeFiles', step, { ...about, files: accepted, allowAllPaths, keepBackup: own.backups }),
      );
      this.markDeclined(refused);
      await this.afterWrite(written, this.task.files);
    } catch (error) {
      this.fail(taskErrorOf(error));
    }
  }

  private markDeclined(refused: ReadonlySet<string>): void {
    this.task.files = this.task.files.map((file) => (refused.has(file.path) ? { ...file, state: 'declined' } : file));
  }

  private async afterWrite(written: WriteResult, files: FileView[]): Promise<void> {
    noteWritten(this.context.state, this.node.id, written);
    if (written.conflicts.length > 0) {
      await this.regenerate(written.conflicts);
      return;
    }
    const { own, context } = this;
    const byPath = new Map(written.files.map((file) => [file.path, file]));
    own.writtenAfterSnapshot = context.currentSnapshot;
    own.kept = false;
    this.noteReplaced(files);
    context.update(this.node.id, {
      status: 'completed',
      completedAt: context.at(),
      files: files.map((file) => {
        const done = byPath.get(file.path);
        return done
          ? { ...file, action: done.action, backup: own.backups[file.path] ?? done.backup, state: 'written' }
          : file;
      }),
    });
    if (this.run.request.replay) keepRecordedBases(context, this.run, this.node.id);
  }

  /** Dependents that completed before are stale from now on, if the bytes are other ones than those that they saw. */
  private noteReplaced(files: readonly FileView[]): void {
    const { wrote } = this.own;
    const now = Object.fromEntries(files.map(({ path, sha256 }) => [path, sha256]));
    if (wrote) {
      const paths = new Set([...Object.keys(wrote), ...Object.keys(now)]);
      if ([...paths].some((path) => wrote[path] !== now[path])) this.task.replacedAt = this.context.at();
    }
    this.own.wrote = now;
  }

  /** Notes a write before it begins: where its outcome stays unknown, a rollback has to look at the disk. */
  private async noted<Result>(
    files: ReturnType<TaskRunner['artifact']>,
    write: (step: Step) => Promise<Result>,
  ): Promise<Result> {
    const { state } = this.context;
    const step = this.step('write');
    // The name of its journal (activities/artifact.ts).
    const name = `${workflowInfo().runId}/${step.id}`;
    noteAttempt(state, this.node.id, name, files);
    try {
      const result = await write(step);
      forgetAttempt(state, this.node.id, name);
      return result;
    } catch (error) {
      if (isCancellation(error) || taskErrorOf(error).type === 'PathRefused') forgetAttempt(state, this.node.id, name);
      throw error;
    }
  }

  private fail(error: TaskError): void {
    // Taken again as it is, it would only fail again.
    if (CONTENT_ERRORS.has(error.type)) this.own.kept = false;
    if (this.run.request.dryRun) {
      const failed = { result: 'failed' as const, reason: error.message };
      this.runView.previews = { ...this.runView.previews, [this.node.id]: failed };
    }
    this.context.withdrawGates(this.node.id, 'the task failed');
    this.context.update(this.node.id, {
      status: 'failed',
      error,
      reason: error.message,
      completedAt: this.context.at(),
    });
  }
}

function proposed(file: ArtifactFile): FileView {
  return {
    ...file,
    action: file.preSha256 === null ? 'create' : file.preSha256 === file.sha256 ? 'unchanged' : 'modify',
    backup: null,
    state: 'proposed',
    digest: '',
    diffStat: { added: 0, removed: 0 },
    risk: 'LOW',
  };
}
