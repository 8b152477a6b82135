/** How others see the plan without asking it: its file, Temporal's search attributes and the workflow's details. */
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { proxySinks, type Sinks, setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import { isMoving } from '../plan/states';
import { details } from './details';
import type { PlanState } from './state';

/** Told outside the history, to the worker that carries the plan out. */
export interface ProjectionSinks extends Sinks {
  /** The plan's file should be written anew. */
  projection: { changed(plan: string): void };
  /** A run was cancelled: what has not begun to write must not. A heartbeat would tell it half a second later. */
  runs: { stopped(plan: string, run: number): void };
}

const PLAN_STATE = defineSearchAttributeKey('PlanState', SearchAttributeType.KEYWORD);
const PLAN_RISK = defineSearchAttributeKey('PlanRisk', SearchAttributeType.KEYWORD);
const PLAN_WAITING = defineSearchAttributeKey('PlanWaitingSince', SearchAttributeType.DATETIME);

const { projection, runs } = proxySinks<ProjectionSinks>();

export const tellStopped = (plan: string, run: number): void => runs.stopped(plan, run);

export class Publisher {
  private published = { state: '', waiting: '' };
  private telling = false;

  constructor(private readonly state: PlanState) {}

  publish(): void {
    const { view, plan } = this.state;
    if (this.state.run) view.status = view.paused ? 'paused' : this.onlyWaits() ? 'waiting' : 'running';
    this.tellLater();
    const waiting = view.gates[0]?.since ?? '';
    if (!plan.searchAttributes || (this.published.state === view.status && this.published.waiting === waiting)) return;
    this.published = { state: view.status, waiting };
    upsertSearchAttributes([
      { key: PLAN_STATE, value: view.status },
      { key: PLAN_RISK, value: view.risk },
      { key: PLAN_WAITING, value: waiting === '' ? null : new Date(waiting) },
    ]);
  }

  /** Once for all changes of the moment: a hundred tasks that come back together make one table, not hundreds. */
  private tellLater(): void {
    if (this.telling) return;
    this.telling = true;
    void Promise.resolve().then(() => {
      this.telling = false;
      setCurrentDetails(details(this.state.view));
      projection.changed(this.state.view.id);
    });
  }

  /** True where a run waits for nothing but people, the end of a freeze window, or an audit log that can be written. */
  private onlyWaits(): boolean {
    const { view } = this.state;
    if (view.gates.length === 0 && !view.frozen && !view.blocked) return false;
    const blocked = new Set(view.blocked?.tasks);
    return !Object.entries(view.tasks).some(([id, task]) => isMoving(task) && !blocked.has(id));
  }
}
