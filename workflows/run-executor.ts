/**
 * One run: a task starts the moment its last dependency is settled; a failure takes only its transitive dependents
 * with it. Kahn's algorithm (1962), with the queue fed by completions.
 */
import { CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import { cascade, forbiddenFlag, lets, settledStatus } from '../plan/admission';
import { refsIn } from '../plan/refs';
import { isSettledTask } from '../plan/states';
import type { TaskNode } from '../plan/types';
import type { RunView } from '../plan/view';
import { taskErrorOf } from './calls';
import type { PlanContext } from './context';
import type { RunState } from './state';
import { type Places, TaskRunner } from './task-runner';

export class RunExecutor {
  private readonly scope = new CancellationScope();
  private readonly members: Set<string>;
  private readonly nodes: Map<string, TaskNode>;
  /** Ids of all tasks: what a reference may name. */
  private readonly ids: ReadonlySet<string>;
  private readonly launched = new Set<string>();
  private inFlight = 0;
  private broken: unknown = null;
  private stopReason: string | null = null;

  constructor(
    private readonly context: PlanContext,
    private readonly run: RunState,
  ) {
    this.members = new Set(this.view.tasks);
    this.nodes = new Map(context.state.view.graph.nodes.map((node) => [node.id, node]));
    this.ids = new Set(this.nodes.keys());
  }

  private get view(): RunView {
    const view = this.context.state.view.runs.find((candidate) => candidate.number === this.run.number);
    if (!view) throw new Error(`no run ${this.run.number}`);
    return view;
  }

  /** Stops the run: calls of the model are aborted, a write in progress is finished and recorded. */
  cancel(by: string, reason: string | null): void {
    this.stopReason = `cancelled by ${by}${reason ? `: ${reason}` : ''}`;
    this.scope.cancel();
  }

  /** Carries the run out until it is over, or until the context drains (then `state.run` stays). */
  async execute(): Promise<void> {
    try {
      await this.scope.run(() => this.go());
    } catch (error) {
      if (!isCancellation(error)) throw error;
    }
    // Writes go on after a cancel; the run is over when they are.
    await CancellationScope.nonCancellable(() => condition(() => this.inFlight === 0));
    if (this.broken) throw this.broken;
    // A run that was told to stop does not go on in the next execution.
    if (!this.context.draining || this.scope.consideredCancelled || this.over()) this.finish();
  }

  private async go(): Promise<void> {
    if (!(await this.admit())) return;
    this.launchReady();
    await condition(() => this.inFlight === 0);
  }

  /** What has to hold before the first task: policy as it is now, and a person's word on a HIGH plan. */
  private async admit(): Promise<boolean> {
    const { context, run } = this;
    if (run.admitted) return this.passRisk();
    try {
      await context.readWorkspace([], `run-${run.number}`);
    } catch (error) {
      this.refuse(taskErrorOf(error).message);
      return false;
    }
    const forbidden = forbiddenFlag(run.request, context.state.policy);
    if (forbidden?.kind === 'refused') {
      this.refuse(forbidden.refusal.message);
      return false;
    }
    run.admitted = true;
    return this.passRisk();
  }

  private async passRisk(): Promise<boolean> {
    const { context, run } = this;
    const { view } = context.state;
    if (view.risk !== 'HIGH' || run.passed === 'HIGH') return true;
    const gate =
      view.gates.find((open) => open.kind === 'risk') ??
      context.openGate({
        kind: 'risk',
        task: null,
        path: null,
        digest: null,
        risk: 'HIGH',
        riskReasons: view.riskReasons,
        diffStat: { added: 0, removed: 0 },
        sha256: null,
        preSha256: null,
      });
    await condition(() => context.draining || !view.gates.includes(gate));
    // Still open: it is asked for in the next execution. What was decided counts, also while draining.
    if (view.gates.includes(gate)) return false;
    const outcome = context.state.decided.findLast((decided) => decided.gate === gate.gate)?.outcome;
    if (outcome?.decision === 'approve') {
      run.passed = 'HIGH';
      return true;
    }
    this.cancel(outcome?.by ?? 'planwright', outcome?.reason ?? 'the risk was not accepted');
    return false;
  }

  private refuse(reason: string): void {
    this.view.status = 'refused';
    this.view.reason = reason;
    this.context.state.view.reason = reason;
  }

  private launchReady(): void {
    if (this.context.draining || this.scope.consideredCancelled) return;
    for (const id of this.members) this.launchIfReady(id);
  }

  private launchIfReady(id: string): void {
    const node = this.nodes.get(id);
    if (!node || this.launched.has(id) || isSettledTask(this.context.task(id).status)) return;
    for (const dep of node.deps) {
      const { status } = this.context.task(dep);
      if (!isSettledTask(status)) return;
      if (!lets(status, this.context.state.policy.onDecline)) {
        this.skipWithDependents(id, `task ${this.context.task(dep).number} was ${status}`);
        return;
      }
    }
    const lost = refsIn(node.input, this.ids).find(({ task }) => this.context.task(task).status !== 'completed');
    if (lost) {
      this.skipWithDependents(
        id,
        `its input refers to task ${this.context.task(lost.task).number}, which has no output`,
      );
      return;
    }
    this.launched.add(id);
    this.inFlight += 1;
    void this.carryOut(node);
  }

  private async carryOut(node: TaskNode): Promise<void> {
    try {
      await new TaskRunner(this.context, node, this.run, this.places).carryOut();
    } catch (error) {
      if (isCancellation(error)) this.context.update(node.id, { status: 'cancelled' });
      else this.broken ??= error;
    }
    if (this.context.task(node.id).status === 'failed') {
      this.skip(cascade(this.context.state.view, node.id), `task ${this.context.task(node.id).number} failed`);
    }
    this.inFlight -= 1;
    if (!this.context.draining) this.launchDependents(node.id);
    this.context.changed();
  }

  /** Settles tasks that cannot run any more, all before anything is looked at again: a long chain must not recurse. */
  private skip(ids: string[], reason: string): void {
    const unsettled = ids.filter((id) => this.members.has(id) && !isSettledTask(this.context.task(id).status));
    const completedAt = this.context.at();
    for (const id of unsettled) Object.assign(this.context.task(id), { status: 'skipped', reason, completedAt });
    if (unsettled.length > 0) this.context.changed();
  }

  private skipWithDependents(id: string, reason: string): void {
    this.skip([id], reason);
    this.skip(cascade(this.context.state.view, id), `task ${this.context.task(id).number} was skipped`);
  }

  private readonly dependents = new Map<string, string[]>();

  private launchDependents(id: string): void {
    if (this.context.draining || this.scope.consideredCancelled) return;
    if (this.dependents.size === 0) {
      for (const node of this.nodes.values()) {
        for (const dep of node.deps) this.dependents.set(dep, [...(this.dependents.get(dep) ?? []), node.id]);
      }
    }
    for (const dependent of this.dependents.get(id) ?? []) {
      if (this.members.has(dependent)) this.launchIfReady(dependent);
    }
  }

  private used = 0;
  private readonly places: Places = {
    take: async () => {
      const limit = this.run.request.concurrency;
      const free = (): boolean => !limit || this.used < limit || this.context.draining;
      while (!free()) await condition(free);
      this.used += 1;
    },
    give: () => {
      this.used -= 1;
    },
  };

  private over(): boolean {
    return [...this.members].every((id) => isSettledTask(this.context.task(id).status));
  }

  private finish(): void {
    const { context, view: run } = this;
    const { view } = context.state;
    context.withdrawGates(null, 'the run is over');
    if (this.scope.consideredCancelled) {
      for (const id of this.members) {
        if (!isSettledTask(context.task(id).status)) context.update(id, { status: 'cancelled' });
      }
    }
    const statuses = run.tasks.map((id) => context.task(id).status);
    if (run.status === 'running') {
      // A cancel that came when only the last write was left has stopped nothing.
      if (statuses.includes('cancelled')) Object.assign(run, { status: 'cancelled', reason: this.stopReason });
      else if (!statuses.some((status) => status === 'failed' || status === 'skipped')) run.status = 'completed';
      else
        run.status = statuses.some((status) => status === 'completed' || status === 'declined') ? 'partial' : 'failed';
    }
    run.finishedAt = context.at();
    view.status = run.status === 'cancelled' ? 'cancelled' : settledStatus(view);
    view.reason = run.reason;
    context.state.run = null;
    context.changed();
  }
}
