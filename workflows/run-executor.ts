/**
 * One run: a task starts the moment its last dependency is settled; a failure takes only its transitive dependents
 * with it. Kahn's algorithm (1962), with the queue fed by completions.
 */
import { CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import { cascade } from '../plan/admission';
import { claimedBy } from '../plan/facts';
import { refsIn } from '../plan/refs';
import { frozenAt } from '../plan/rules/freeze';
import { lets } from '../plan/selection';
import { isSettledTask } from '../plan/states';
import type { TaskNode } from '../plan/types';
import type { RunView } from '../plan/view';
import { digestOfQuestion, riskQuestion } from './bound';
import { taskErrorOf } from './calls';
import type { PlanContext } from './context';
import { said } from './facts';
import { ask, requirementOf, rulesOf, toolsOf } from './gatekeeping';
import { notPaused, thawed } from './holding';
import { prepareTasks } from './prepare';
import { tellStopped } from './publisher';
import { outcomeOf } from './rulings';
import { closeRun } from './run-end';
import { recordTasks } from './run-facts';
import { passedByForce, startRun } from './run-start';
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
    tellStopped(this.context.state.view.id, this.run.number);
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

  /** What has to hold before the first task; only then are the tasks set out. */
  private async admit(): Promise<boolean> {
    const { context, run } = this;
    // A run carried over from a version that set the tasks out when it was asked for.
    if (run.statusBefore === undefined) run.prepared = true;
    if (!run.admitted) {
      const refusal = (await this.start()) ?? this.frozen();
      if (refusal !== null) {
        this.refuse(refusal);
        return false;
      }
      run.admitted = true;
    }
    if (!run.prepared && !run.request.dryRun && !(await thawed(context, null))) return false;
    if (!run.request.dryRun && !(await this.passRisk())) return false;
    if (!(await notPaused(context, null))) return false;
    prepareTasks(context, run, this.view.tasks);
    return true;
  }

  private async start(): Promise<string | null> {
    try {
      return await startRun(this.context, this.run, this.view);
    } catch (error) {
      return taskErrorOf(error).message;
    }
  }

  private async passRisk(): Promise<boolean> {
    const { context, run } = this;
    const { view } = context.state;
    if (run.passed === 'HIGH' || run.riskPassed) return true;
    const tools = toolsOf(context, this.view.tasks);
    const requirement = requirementOf(context, { gate: 'risk', tools, path: null, risk: view.risk });
    if (!requirement.demanded && view.risk !== 'HIGH') return true;
    if (run.request.force && !requirement.demanded) {
      passedByForce(context, run, 'risk', 'the plan has risk HIGH');
      run.passed = 'HIGH';
      return true;
    }
    const open = view.gates.find(({ kind }) => kind === 'risk');
    const settled = outcomeOf(context.state, run.riskGate ?? '');
    if (!open && !settled) {
      const { risk, riskReasons } = view;
      const digest = digestOfQuestion(context, run, 'risk', riskQuestion(context, run, this.view));
      run.riskGate = ask(context, run, { kind: 'risk', task: null, risk, riskReasons, digest }, requirement).gate;
    }
    const gate = run.riskGate ?? open?.gate ?? '';
    const waits = (): boolean => view.gates.some((one) => one.gate === gate);
    await condition(() => context.draining || !waits());
    // Still open: it is asked for in the next execution. What was decided counts, also while draining.
    if (waits()) return false;
    const outcome = outcomeOf(context.state, gate);
    if (outcome?.decision === 'approve') {
      run.riskPassed = true;
      // `--yes` answers for files up to what was passed; a rule may have asked about less than HIGH.
      if (view.risk === 'HIGH') run.passed = 'HIGH';
      return true;
    }
    const by = outcome?.by ?? 'planwright';
    const reason = outcome?.reason ?? 'the risk was not accepted';
    context.record('plan.cancelled', claimedBy(by), { run: run.number, reason: said(reason) });
    this.cancel(by, reason);
    return false;
  }

  /** Why it may not begin now; a window that only makes it wait is no reason. */
  private frozen(): string | null {
    if (this.run.request.dryRun) return null;
    const frozen = frozenAt(rulesOf(this.context).freeze, this.context.at());
    if (frozen?.run !== 'refuse') return null;
    return (
      `.planwright/policy.yaml has a freeze window "${frozen.name}" until ${frozen.until}: no run begins in it.\n` +
      'Run it after that. A dry run writes nothing and may run now.'
    );
  }

  private refuse(reason: string): void {
    this.view.status = 'refused';
    this.view.reason = reason;
  }

  /** True where the run has nothing more to do with a task: settled, or seen to its end in a dry run. */
  private done(id: string): boolean {
    return isSettledTask(this.context.task(id).status) || this.view.previews?.[id] !== undefined;
  }

  private previewed(id: string): boolean {
    return this.view.previews?.[id]?.result === 'generated';
  }

  /** True where what a task made can be built on: it is written, or in a dry run generated. */
  private lets(id: string): boolean {
    return this.previewed(id) || lets(this.context.task(id).status, this.context.state.policy.onDecline);
  }

  private launchReady(): void {
    if (this.context.draining || this.scope.consideredCancelled) return;
    for (const id of this.members) this.launchIfReady(id);
  }

  private launchIfReady(id: string): void {
    const node = this.nodes.get(id);
    if (!node || this.launched.has(id) || this.done(id)) return;
    for (const dep of node.deps) {
      if (!this.done(dep)) return;
      if (!this.lets(dep)) {
        const { number, status } = this.context.task(dep);
        this.skipWithDependents(id, `task ${number} was ${status}`);
        return;
      }
    }
    const made = (task: string): boolean => this.context.task(task).status === 'completed' || this.previewed(task);
    const lost = refsIn(node.input, this.ids).find(({ task }) => !made(task));
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
      await new TaskRunner(this.context, node, this.run, this.view, this.places).carryOut();
    } catch (error) {
      if (isCancellation(error)) {
        this.context.update(node.id, { status: 'cancelled' });
        recordTasks(this.context, 'task.cancelled', [node.id], this.stopReason);
      } else this.broken ??= error;
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
    const unsettled = ids.filter((id) => this.members.has(id) && !this.done(id));
    const completedAt = this.context.at();
    recordTasks(this.context, 'task.skipped', unsettled, reason);
    for (const id of unsettled) {
      Object.assign(this.context.task(id), { status: 'skipped', reason, completedAt });
      if (this.run.request.dryRun) this.view.previews = { ...this.view.previews, [id]: { result: 'skipped', reason } };
    }
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
    return [...this.members].every((id) => this.done(id));
  }

  private finish(): void {
    closeRun(this.context, this.run, this.view, this.scope.consideredCancelled ? this.stopReason : null);
  }
}
