/**
 * The plan workflow: one execution (with continue-as-new) for a plan's whole life. This file only wires
 * messages; what they mean is in rulings.ts, run-executor.ts and plan/admission.ts.
 */

import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import {
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  condition,
  currentUpdateInfo,
  isCancellation,
  makeContinueAsNewFunc,
  proxySinks,
  type Sinks,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import { admitApply } from '../plan/admission';
import type { LostPlan } from '../plan/lost';
import { CANCELLED_IN_TEMPORAL, isSettledPlan, isSettledTask } from '../plan/states';
import type { ModelSettings, TaskGraph, UndoKind } from '../plan/types';
import { refuseDelete, refuseUndo, undoUnderWay } from '../plan/undo-admission';
import type {
  ApplyAnswer,
  ApplyRequest,
  CancelRequest,
  Decide,
  DecideAnswer,
  DeleteRequest,
  UndoAnswer,
  UndoMessage,
} from '../plan/view';
import { PlanContext } from './context';
import { details } from './details';
import { hasWritten } from './ledger';
import { busyLimit, quietLimit } from './limits';
import * as messages from './messages';
import { makePlan } from './planning';
import { asFailure, failure, refuse } from './refusals';
import { checkApply, checkBy } from './requests';
import { checkDecide, RulingRefused, rule } from './rulings';
import { RunExecutor } from './run-executor';
import { KEPT_ANSWERS, type NewPlan, newState, type PlanInput, type PlanState } from './state';
import { takeUp } from './take-up';
import { beginUndo, carryOutUndo } from './undo';

/** Told, outside the history, that the plan's file should be written anew. */
export interface ProjectionSinks extends Sinks {
  projection: { changed(plan: string): void };
}

const PLAN_STATE = defineSearchAttributeKey('PlanState', SearchAttributeType.KEYWORD);
const PLAN_RISK = defineSearchAttributeKey('PlanRisk', SearchAttributeType.KEYWORD);
const PLAN_WAITING = defineSearchAttributeKey('PlanWaitingSince', SearchAttributeType.DATETIME);

const { projection } = proxySinks<ProjectionSinks>();
const now = (): string => new Date().toISOString();

export async function planWorkflow(input: PlanInput): Promise<void> {
  const carried = input.carried;
  if (!carried && !input.plan) throw ApplicationFailure.nonRetryable('planWorkflow needs a plan', 'BadInput');
  const state = carried ?? newState(input.plan as NewPlan, now());
  const lost = carried ? null : (input.lost ?? null);
  await new PlanWorkflow(state, carried ? null : (input.plan?.graph ?? null), lost).live();
}

class PlanWorkflow {
  private readonly context: PlanContext;
  private executor: RunExecutor | null = null;
  private planning: CancellationScope | null = null;
  private published = { state: '', waiting: '' };

  constructor(
    private readonly state: PlanState,
    private readonly given: TaskGraph | null,
    private readonly lost: LostPlan | null,
  ) {
    this.context = new PlanContext(state, () => this.publish(), now);
    this.handle();
    this.publish();
  }

  /** All handlers are set before the first await, or messages that arrive early are lost. */
  private handle(): void {
    setHandler(messages.planQuery, (since) => (since === this.state.view.changes ? null : this.state.view), {
      description: 'The plan as JSON (planwright.plan/1)',
    });
    setHandler(messages.gatesQuery, () => this.state.view.gates, { description: 'Gates that wait for a decision' });
    setHandler(messages.applyUpdate, (request) => this.apply(request), {
      description: 'Starts a run, or attaches to the one under way: { by, yes, resume, retry, task, … }',
      validator: (request) => this.validateApply(request),
    });
    setHandler(messages.decideUpdate, (decision) => this.decide(decision), {
      description: 'Decides a gate: { gate, decision, by, reason, digest }',
      validator: (decision) => asFailure((): void => checkDecide(decision)),
    });
    setHandler(messages.decideSignal, (decision) => this.decideBySignal(decision), {
      description: 'Decides a gate without waiting for the answer; same payload as the update',
    });
    setHandler(messages.cancelUpdate, (request) => this.cancel(request?.by ?? 'unknown', request?.reason ?? null), {
      description: 'Cancels the run under way: { by, reason }',
      validator: (_request: CancelRequest) => this.validateCancel(),
    });
    setHandler(messages.rollbackUpdate, (message) => this.undo('rollback', message), {
      description: 'Puts back what stood there before the plan: { by, overwriteChanged }',
      validator: (message) => this.validateUndo('rollback', message),
    });
    setHandler(messages.cleanUpdate, (message) => this.undo('clean', message), {
      description: 'Removes what the plan wrote and restores nothing: { by, overwriteChanged }',
      validator: (message) => this.validateUndo('clean', message),
    });
    setHandler(messages.deleteUpdate, (request) => this.delete(request), {
      description: 'Ends this plan; its files stay: { by }',
      validator: (request) => {
        asFailure((): void => checkBy('delete', request));
        refuse(refuseDelete(this.state.view));
      },
    });
  }

  /** Stays until the plan is deleted, the workflow itself is cancelled, or it continues as new. */
  async live(): Promise<void> {
    await CancellationScope.nonCancellable(async () => {
      const root = workflowCancellation();
      if (this.state.view.status === 'planning') await this.plan(root);
      for (;;) {
        await condition(
          () => root.requested() || this.state.run !== null || this.undoing() || this.deleted() || quietLimit(),
        );
        if (root.requested() || this.deleted()) break;
        if (this.state.run) await this.carryOutRun(root);
        if (this.state.view.undo && this.undoing()) await carryOutUndo(this.context, this.state.view.undo);
        if (root.requested() || this.deleted()) break;
        if (this.state.run || quietLimit()) await this.continueAsNew(root);
      }
      if (!this.deleted()) this.closeForTemporal();
      await condition(allHandlersFinished);
    });
    if (this.deleted()) return;
    // Only a cancelled root gets here: this rethrows its cancellation, so the workflow closes as Canceled.
    await condition(() => false);
  }

  private undoing(): boolean {
    return this.state.view.undo?.status === 'running';
  }

  private deleted(): boolean {
    return this.state.view.status === 'archived';
  }

  /** Planning can be cancelled like a run; what is left then says so. */
  private async plan(root: { requested(): boolean }): Promise<void> {
    const scope = new CancellationScope();
    this.planning = scope;
    void condition(() => root.requested() || this.planning === null).then(() => scope.cancel());
    try {
      const { lost } = this;
      await scope.run(() => (lost ? takeUp(this.context, lost) : makePlan(this.context, this.given)));
    } catch (error) {
      if (!isCancellation(error)) throw error;
      this.state.view.status = 'failed';
      this.state.view.failure = { type: 'Cancelled', message: 'Planning was cancelled.' };
      this.context.changed();
    } finally {
      this.planning = null;
    }
  }

  private async carryOutRun(root: { requested(): boolean }): Promise<void> {
    const { run } = this.state;
    if (!run) return;
    const executor = new RunExecutor(this.context, run);
    this.executor = executor;
    let over = false;
    const watch = this.watch(executor, () => over, root);
    await executor.execute();
    over = true;
    await watch;
    this.executor = null;
  }

  /** Drains the run when the history grows long, and stops it when the workflow is cancelled, draining or not. */
  private async watch(executor: RunExecutor, over: () => boolean, root: { requested(): boolean }): Promise<void> {
    const stopped = (): boolean => over() || root.requested();
    await condition(() => stopped() || busyLimit() || this.quietWait());
    if (!stopped()) this.context.draining = true;
    await condition(stopped);
    if (!over()) executor.cancel('Temporal', CANCELLED_IN_TEMPORAL);
  }

  /** In a run that only waits for people, a long history is left behind early. */
  private quietWait(): boolean {
    return this.state.view.status === 'waiting' && quietLimit();
  }

  /** Returns only where the workflow was cancelled meanwhile: a new execution would not know of it. */
  private async continueAsNew(root: { requested(): boolean }): Promise<void> {
    while (!allHandlersFinished()) await condition(allHandlersFinished);
    if (root.requested()) return;
    await makeContinueAsNewFunc<typeof planWorkflow>({ workflowTaskTimeout: '3s' })({ carried: this.state });
  }

  private validateApply(request: ApplyRequest): void {
    asFailure((): void => checkApply(request));
    if (this.answerBefore()) return;
    refuse(undoUnderWay(this.state.view));
    const admission = admitApply(this.state.view, request, this.state.policy);
    if (admission.kind === 'refused') throw failure(admission.refusal.type, admission.refusal.message);
  }

  private answerBefore(): ApplyAnswer | UndoAnswer | undefined {
    const id = currentUpdateInfo()?.id;
    return this.state.answered.find((one) => one.id === id)?.answer;
  }

  /** The answer given before to the same update, or this one, remembered. An update id is ours: it names its kind. */
  private once<Answer extends ApplyAnswer | UndoAnswer>(answer: () => Answer): Answer {
    const before = this.answerBefore();
    if (before) return before as Answer;
    const given = answer();
    const id = currentUpdateInfo()?.id;
    if (id) this.state.answered = [...this.state.answered, { id, answer: given }].slice(-KEPT_ANSWERS);
    return given;
  }

  private apply(request: ApplyRequest): ApplyAnswer {
    return this.once(() => this.admit(request));
  }

  private validateUndo(kind: UndoKind, message: UndoMessage): void {
    asFailure((): void => checkBy(kind, message));
    if (!this.answerBefore()) refuse(refuseUndo(this.state.view, kind, hasWritten(this.state)));
  }

  private undo(kind: UndoKind, message: UndoMessage): UndoAnswer {
    return this.once(() => {
      refuse(refuseUndo(this.state.view, kind, hasWritten(this.state)));
      return beginUndo(this.context, kind, message);
    });
  }

  private delete({ by }: DeleteRequest): { status: string } {
    refuse(refuseDelete(this.state.view));
    Object.assign(this.state.view, { status: 'archived', reason: `deleted by ${by}` });
    this.context.changed();
    return { status: 'archived' };
  }

  private admit(request: ApplyRequest): ApplyAnswer {
    const { state } = this;
    refuse(undoUnderWay(state.view));
    const admission = admitApply(state.view, request, state.policy);
    if (admission.kind === 'refused') throw failure(admission.refusal.type, admission.refusal.message);
    if (admission.kind === 'nothing') return { result: 'nothing', run: null, message: admission.message };
    if (admission.kind === 'attach') {
      return { result: 'attached', run: state.run?.number ?? null, message: null };
    }
    const number = (state.view.runs.at(-1)?.number ?? 0) + 1;
    state.view.runs.push({
      number,
      kind: admission.runKind,
      status: 'running',
      startedAt: now(),
      finishedAt: null,
      by: request.by,
      yes: request.yes === true,
      tasks: admission.tasks,
      reason: null,
    });
    state.run = {
      number,
      request,
      admitted: false,
      passed: 'MEDIUM',
      settings: runSettings(state, request),
      timeoutMs: request.timeoutMs ?? state.plan.timeoutMs,
      statusBefore: state.view.status,
    };
    state.view.status = 'running';
    state.view.reason = null;
    this.context.changed();
    return { result: 'started', run: number, message: null, tasks: admission.tasks };
  }

  private decide(decision: Decide): DecideAnswer {
    return asFailure(
      () => rule(this.state, decision, now()),
      () => this.context.changed(),
    );
  }

  private decideBySignal(decision: unknown): void {
    try {
      checkDecide(decision);
      rule(this.state, decision, now());
    } catch (error) {
      if (!(error instanceof RulingRefused)) throw error;
    }
    this.context.changed();
  }

  private validateCancel(): void {
    if (this.state.view.status === 'planning') return;
    if (isSettledPlan(this.state.view.status)) {
      throw failure('NotReady', `Plan ${this.state.view.id} is ${this.state.view.status}: there is nothing to cancel.`);
    }
  }

  private async cancel(by: string, reason: string | null): Promise<{ status: string }> {
    // Asked for in the very first moment: then planning has not begun yet.
    await condition(() => this.planning !== null || this.state.view.status !== 'planning');
    this.planning?.cancel();
    await condition(() => this.planning === null && (this.executor !== null || this.state.run === null));
    this.executor?.cancel(by, reason);
    await condition(() => this.state.run === null);
    return { status: this.state.view.status };
  }

  /** `temporal workflow cancel` ends the plan: what is unfinished is cancelled, and the file says why. */
  private closeForTemporal(): void {
    const { view } = this.state;
    const reason = CANCELLED_IN_TEMPORAL;
    const run = view.runs.find(({ number }) => number === this.state.run?.number);
    if (run) Object.assign(run, { status: 'cancelled', finishedAt: now(), reason });
    this.state.run = null;
    this.context.withdrawGates(null, reason);
    // What a plan has come to stays true; only what was still to come is cancelled.
    if (!isSettledPlan(view.status) || view.status === 'ready') {
      for (const task of Object.values(view.tasks)) if (!isSettledTask(task.status)) task.status = 'cancelled';
      view.status = 'cancelled';
    }
    view.reason = reason;
    this.context.changed();
  }

  private publish(): void {
    const { view, plan } = this.state;
    if (this.state.run) view.status = this.onlyWaits() ? 'waiting' : 'running';
    setCurrentDetails(details(view));
    projection.changed(view.id);
    const waiting = view.gates[0]?.since ?? '';
    if (!plan.searchAttributes || (this.published.state === view.status && this.published.waiting === waiting)) return;
    this.published = { state: view.status, waiting };
    upsertSearchAttributes([
      { key: PLAN_STATE, value: view.status },
      { key: PLAN_RISK, value: view.risk },
      { key: PLAN_WAITING, value: waiting === '' ? null : new Date(waiting) },
    ]);
  }

  /** True where a person is the only thing that a run waits for. */
  private onlyWaits(): boolean {
    const { view } = this.state;
    if (view.gates.length === 0) return false;
    return !Object.values(view.tasks).some((task) => ['generating', 'verifying', 'writing'].includes(task.status));
  }
}

/** The plan's own model unless the run names another; a replay's temperature is always 0. */
function runSettings({ plan }: PlanState, { settings, replay }: ApplyRequest): ModelSettings {
  return { ...plan.settings, ...settings, ...(replay ? { temperature: 0 } : {}) };
}

/** Watches for a cancellation of the whole workflow, as `temporal workflow cancel` asks for. */
function workflowCancellation(): { requested(): boolean } {
  let requested = false;
  const root = CancellationScope.current().parent ?? CancellationScope.current();
  root.cancelRequested.catch((error: unknown) => {
    if (!isCancellation(error)) throw error;
    requested = true;
  });
  return { requested: () => requested };
}
