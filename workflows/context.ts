import { uuid4 } from '@temporalio/workflow';
import type { PlanActivities } from '../activities/types';
import { type Actor, type AuditEvent, BY_WORKFLOW } from '../plan/facts';
import type { LogHead } from '../plan/steps';
import type { JsonObject, RunStart, RunStartFacts } from '../plan/types';
import type { GateView, TaskView } from '../plan/view';
import { call, callToTheEnd, type Step } from './calls';
import { FactLog, said } from './facts';
import { close } from './rulings';
import type { PlanState, TaskInternals } from './state';

/** What is shared by everything that carries out one plan: its state, and the two things that change it from outside. */
export class PlanContext {
  /** Set to let calls in flight come back and start nothing more, before continue-as-new. */
  draining = false;
  /** Generations under way: each is a call that the budget does not show yet. */
  callsInFlight = 0;
  private snapshotsStarted: number;
  private snapshotReads = 0;
  private readonly facts = new FactLog();

  constructor(
    readonly state: PlanState,
    /** Called after every change of the view: tells the projection, Temporal's search attributes and details. */
    private readonly onChange: () => void,
    /** ISO time of the current workflow task. */
    private readonly now: () => string,
  ) {
    this.snapshotsStarted = state.snapshot?.number ?? 0;
  }

  /** ISO time of the current workflow task. */
  at(): string {
    return this.now();
  }

  task(id: string): TaskView {
    const task = this.state.view.tasks[id];
    if (!task) throw new Error(`no task ${id}`);
    return task;
  }

  internals(id: string): TaskInternals {
    const internals = this.state.internals[id];
    if (!internals) throw new Error(`no task ${id}`);
    return internals;
  }

  update(id: string, change: Partial<TaskView>): void {
    Object.assign(this.task(id), change);
    this.changed();
  }

  changed(): void {
    this.state.view.updatedAt = this.at();
    this.state.view.changes += 1;
    this.onChange();
  }

  /**
   * Puts a fact into the plan's history, for the audit log: in order, and before the command that follows from it.
   * Free text in `data` goes through `said` first; contents never stand there. Shapes: audit/events.ts.
   */
  record(event: AuditEvent, actor: Actor, data: JsonObject): void {
    this.facts.record(event, actor, data);
  }

  /** Before this execution ends: a fact that is still only noted would be lost with it. */
  flushFacts(): void {
    this.facts.flush();
  }

  /** The audit log's end, as a write was told of it: it only grows. */
  noteLog(head: LogHead | undefined): void {
    if (head && head.size > (this.state.view.audit?.size ?? 0)) this.state.view.audit = head;
  }

  /** Calls an activity, as `call` does; the facts that led to it stand before it in the history. */
  call<Name extends keyof PlanActivities>(
    name: Name,
    step: Step,
    request: Parameters<PlanActivities[Name]>[0],
  ): Promise<Awaited<ReturnType<PlanActivities[Name]>>> {
    this.facts.flush();
    return call(name, step, request);
  }

  /** As `call`, but a cancel waits until it is done: for what changes files. */
  callToTheEnd<Name extends keyof PlanActivities>(
    name: Name,
    step: Step,
    request: Parameters<PlanActivities[Name]>[0],
    begun = false,
  ): Promise<Awaited<ReturnType<PlanActivities[Name]>>> {
    this.facts.flush();
    return callToTheEnd(name, step, request, begun);
  }

  /** Opens a gate; its id is unguessable and belongs to this plan alone. */
  openGate(gate: Omit<GateView, 'gate' | 'since' | 'outcome'>): GateView {
    const opened: GateView = {
      ...gate,
      gate: `gate-${uuid4().replaceAll('-', '').slice(0, 16)}`,
      since: this.at(),
      outcome: null,
    };
    this.state.view.gates.push(opened);
    const { kind, task, path, digest, risk, sha256, preSha256 } = opened;
    this.record('gate.opened', BY_WORKFLOW, {
      gate: opened.gate,
      kind,
      task,
      path,
      digest,
      risk,
      sha256,
      preSha256,
      run: this.state.run?.number ?? null,
    });
    this.changed();
    return opened;
  }

  /** Closes what is open of one task (or of the run, for null) because the question no longer stands. */
  withdrawGates(task: string | null, reason: string): void {
    for (const gate of this.state.view.gates.filter((open) => task === null || open.task === task)) {
      close(this.state, gate, { decision: 'void', by: 'planwright', reason, at: this.at() });
      const { kind, path } = gate;
      const why = { gate: gate.gate, kind, task: gate.task, path, reason: said(reason) };
      this.record('gate.withdrawn', BY_WORKFLOW, why);
    }
  }

  /**
   * Reads the workspace anew: policy, facts, existing files. `number` is that of the read's *start*, so that a file
   * written while it ran is still laid over it.
   * @returns what a run asked for as it begins
   */
  async readWorkspace(extraPaths: string[], label: string, start?: RunStart): Promise<RunStartFacts | null> {
    this.snapshotsStarted += 1;
    const number = this.snapshotsStarted;
    this.snapshotReads += 1;
    const step = { id: `read-${label}-${this.snapshotReads}`, summary: 'read the workspace' };
    const request = { plan: this.state.view.id, extraPaths, ...(start ? { start } : {}) };
    const read = await this.call('readWorkspace', step, request);
    if (number < (this.state.snapshot?.number ?? 0)) return null;
    this.state.snapshot = { digest: read.digest, number };
    // A run keeps to the policy that it began with.
    if (start || !this.state.run) this.state.policy = read.policy;
    this.state.view.context.gitHead = read.gitHead;
    return read.start ?? null;
  }

  /** Number to remember with a file written now: snapshots that started later contain it. */
  get currentSnapshot(): number {
    return this.snapshotsStarted;
  }
}
