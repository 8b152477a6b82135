/**
 * The plan workflow: one execution (with continue-as-new) for a plan's whole life. This file only wires
 * messages; what they mean is in rulings.ts, run-admission.ts, run-executor.ts and plan/admission.ts.
 */

import {
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  condition,
  isCancellation,
  makeContinueAsNewFunc,
  setHandler,
} from '@temporalio/workflow';
import { admitApply } from '../plan/admission';
import { BY_TEMPORAL, claimedBy } from '../plan/facts';
import { answerGates, answerPlan } from '../plan/pages';
import { CANCELLED_IN_TEMPORAL, isSettledPlan, isSettledTask } from '../plan/states';
import type { UndoKind } from '../plan/steps';
import { refuseDelete, refuseUndo, undoUnderWay } from '../plan/undo-admission';
import type {
  ApplyAnswer,
  ApplyRequest,
  CancelRequest,
  Decide,
  DecideAnswer,
  DeleteRequest,
  PauseAnswer,
  PauseRequest,
  UndoAnswer,
  UndoMessage,
} from '../plan/view';
import { answerBefore, once } from './answers';
import { workflowCancellation } from './cancellation';
import { beginCarried, carriedFacts, references } from './carry';
import { PlanContext } from './context';
import { keepDeadlines } from './deadlines';
import { said } from './facts';
import { hasWritten } from './ledger';
import { busyLimit, quietLimit } from './limits';
import * as messages from './messages';
import { Notifier } from './notifier';
import { Past } from './past';
import { pause, refusePause, unpause } from './pausing';
import { makePlan } from './planning';
import { Publisher } from './publisher';
import { asFailure, failure, refuse } from './refusals';
import { checkApply, checkBy } from './requests';
import { checkDecide, rule, ruleOnSignal } from './rulings';
import { admit } from './run-admission';
import { RunExecutor } from './run-executor';
import { type NewPlan, newState, type PlanInput, type PlanState } from './state';
import { takeUp } from './take-up';
import { beginUndo, carryOutUndo } from './undo';
import { Upgrade } from './upgrade';

const now = (): string => new Date().toISOString();

export async function planWorkflow(input: PlanInput): Promise<void> {
  const carried = input.carried;
  if (!carried && !input.plan) throw ApplicationFailure.nonRetryable('planWorkflow needs a plan', 'BadInput');
  const state = carried ? { ...carried, raised: carried.raised ?? {} } : newState(input.plan as NewPlan, now());
  await new PlanWorkflow(state, beginning(carried ? {} : input), !carried && Boolean(input.lost)).live();
}

/** How a plan gets its graph: a lost plan is taken up, a carried one goes on, any other is made. */
function beginning({ plan, lost, imported }: PlanInput): (context: PlanContext) => Promise<void> {
  if (lost) return (context) => takeUp(context, lost);
  if (imported) return (context) => beginCarried(context, imported);
  return (context) => makePlan(context, plan?.graph ?? null);
}

class PlanWorkflow {
  private readonly context: PlanContext;
  private readonly publisher: Publisher;
  private readonly notifier: Notifier;
  private readonly upgrade: Upgrade;
  private readonly past: Past;
  private executor: RunExecutor | null = null;
  private planning: CancellationScope | null = null;

  constructor(
    private readonly state: PlanState,
    private readonly begin: (context: PlanContext) => Promise<void>,
    /** Its gates and runs are those of a plan that Temporal lost: nobody is told of them again. */
    isTakenUp: boolean,
  ) {
    this.publisher = new Publisher(state);
    this.context = new PlanContext(state, () => this.changed(), now);
    this.notifier = new Notifier(this.context, () => isTakenUp && this.planning !== null);
    this.upgrade = new Upgrade(state.left);
    this.past = new Past(this.context);
    this.handle();
    this.publisher.publish();
  }

  private changed(): void {
    this.publisher.publish();
    this.notifier.look();
  }

  /** All handlers are set before the first await, or messages that arrive early are lost. */
  private handle(): void {
    setHandler(messages.planQuery, (question) => answerPlan(this.state.view, question), {
      description: 'The plan as JSON (planwright.plan/1); a large one in pages: { from, count }',
    });
    setHandler(messages.gatesQuery, () => answerGates(this.state.view.gates), {
      description: 'Gates that wait for a decision',
    });
    setHandler(messages.carriedQuery, () => carriedFacts(this.state), { description: 'What an export carries' });
    setHandler(messages.referencesQuery, () => references(this.state), { description: 'Digests of its objects' });
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
    for (const [update, pauses] of [
      [messages.pauseUpdate, true],
      [messages.unpauseUpdate, false],
    ] as const) {
      setHandler(update, (request) => this.pause(request, pauses), {
        description: pauses ? 'Lets nothing more of the run begin: { by, reason }' : 'Lets it go on: { by }',
        validator: (request) => {
          asFailure((): void => checkBy(pauses ? 'pause' : 'unpause', request));
          refuse(refusePause(this.state.view, this.state.run !== null, pauses));
        },
      });
    }
    setHandler(messages.upgradeSignal, () => this.upgrade.ask(), {
      description: 'Moves the plan to the release of the worker that is in force, at the next quiet point',
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
      this.past.keep();
      if (this.state.view.status === 'planning') await this.plan(root);
      for (;;) {
        await condition(
          () => root.requested() || this.state.run !== null || this.undoing() || this.deleted() || this.atLimit(),
        );
        if (root.requested() || this.deleted()) break;
        if (this.state.run) await this.carryOutRun(root);
        if (this.state.view.undo && this.undoing()) await carryOutUndo(this.context, this.state.view.undo);
        if (root.requested() || this.deleted()) break;
        if (this.state.run || this.atLimit()) await this.continueAsNew(root);
      }
      if (!this.deleted()) this.closeForTemporal();
      await this.notifier.end();
      await this.past.settle();
      await condition(allHandlersFinished);
      this.context.flushFacts();
    });
    if (this.deleted()) return;
    // Only a cancelled root gets here: this rethrows its cancellation, so the workflow closes as Canceled.
    await condition(() => false);
  }

  /** Where nothing moves: time for a new execution. */
  private atLimit(): boolean {
    return quietLimit() || this.upgrade.wanted();
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
      await scope.run(() => this.begin(this.context));
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
    const deadlines = keepDeadlines(this.context, () => over || this.context.draining);
    await executor.execute();
    over = true;
    await Promise.all([watch, deadlines]);
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

  /** In a run that only waits for people, a long history, or an old release, is left behind early. */
  private quietWait(): boolean {
    return ['waiting', 'paused'].includes(this.state.view.status) && this.atLimit();
  }

  /** Returns only where the workflow was cancelled meanwhile: a new execution would not know of it. */
  private async continueAsNew(root: { requested(): boolean }): Promise<void> {
    await this.notifier.settle();
    await this.past.settle();
    while (!allHandlersFinished()) await condition(allHandlersFinished);
    if (root.requested()) return;
    this.context.flushFacts();
    const { left: _, ...carried } = this.state;
    const left = this.upgrade.leaving();
    const next = makeContinueAsNewFunc<typeof planWorkflow>({ workflowTaskTimeout: '3s', ...this.upgrade.options() });
    await next({ carried: left === undefined ? carried : { ...carried, left } });
  }

  private validateApply(request: ApplyRequest): void {
    asFailure((): void => checkApply(request));
    if (answerBefore(this.state)) return;
    refuse(undoUnderWay(this.state.view));
    const admission = admitApply(this.state.view, request, this.state.policy);
    if (admission.kind === 'refused') throw failure(admission.refusal.type, admission.refusal.message);
  }

  private apply(request: ApplyRequest): ApplyAnswer {
    return once(this.state, () => admit(this.context, request));
  }

  private validateUndo(kind: UndoKind, message: UndoMessage): void {
    asFailure((): void => checkBy(kind, message));
    if (!answerBefore(this.state)) refuse(refuseUndo(this.state.view, kind, hasWritten(this.state)));
  }

  private undo(kind: UndoKind, message: UndoMessage): UndoAnswer {
    return once(this.state, () => {
      refuse(refuseUndo(this.state.view, kind, hasWritten(this.state)));
      return beginUndo(this.context, kind, message);
    });
  }

  private pause(request: PauseRequest, pauses: boolean): PauseAnswer {
    refuse(refusePause(this.state.view, this.state.run !== null, pauses));
    return pauses ? pause(this.context, request) : unpause(this.context, request);
  }

  private delete({ by }: DeleteRequest): { status: string } {
    refuse(refuseDelete(this.state.view));
    Object.assign(this.state.view, { status: 'archived', reason: `deleted by ${by}` });
    this.context.record('plan.deleted', claimedBy(by), {});
    this.context.changed();
    return { status: 'archived' };
  }

  private decide(decision: Decide): DecideAnswer {
    return asFailure(
      () => rule(this.context, decision, 'update'),
      () => this.context.changed(),
    );
  }

  private decideBySignal(decision: unknown): void {
    ruleOnSignal(this.context, decision);
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
    if (this.planning) {
      this.recordCancel(by, reason);
      this.planning.cancel();
    }
    await condition(() => this.planning === null && (this.executor !== null || this.state.run === null));
    if (this.executor) this.recordCancel(by, reason);
    this.executor?.cancel(by, reason);
    await condition(() => this.state.run === null);
    return { status: this.state.view.status };
  }

  private recordCancel(by: string, reason: string | null): void {
    const run = this.state.run?.number ?? null;
    this.context.record('plan.cancelled', claimedBy(by), { run, reason: said(reason) });
  }

  /** `temporal workflow cancel` ends the plan: what is unfinished is cancelled, and the file says why. */
  private closeForTemporal(): void {
    const { view } = this.state;
    const reason = CANCELLED_IN_TEMPORAL;
    this.context.record('plan.cancelled', BY_TEMPORAL, { run: this.state.run?.number ?? null, reason });
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
}
