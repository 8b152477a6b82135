/**
 * Keeps `.planwright/plans/<id>.json` in step with the workflows: told by the workflow's sink that something
 * changed, it asks the Query `plan` and rewrites the file, at most once a second for each plan.
 */
import type { Client } from '@temporalio/client';
import type { PlanQuestion } from '../plan/pages';
import type { PlanView } from '../plan/view';
import type { WorkspaceLayout } from '../store/layout';
import { removePlanFiles, writePlanFile } from '../store/plan-file';

const INTERVAL_MS = 1_000;
const RETRY_MS = 2_000;
const QUERY_MS = 5_000;

export interface ProjectorLog {
  warn(fields: object, message: string): void;
}

interface Follow {
  dirty: boolean;
  running: boolean;
  last: number;
  timer: NodeJS.Timeout | null;
}

export class Projector {
  private readonly plans = new Map<string, Follow>();
  /** Plans that it knows of: whether somebody or something still waits for this worker. */
  private readonly active = new Map<string, boolean>();
  private closed = false;
  private pending = Promise.resolve();
  lastChange = Date.now();

  constructor(
    private readonly layout: WorkspaceLayout,
    private readonly client: () => Client,
    private readonly log: ProjectorLog,
    /** Told of every view that it read. */
    private readonly seen: (view: PlanView) => void = () => undefined,
  ) {}

  /** Something about a plan changed; the file follows within a second or so. */
  changed(id: string): void {
    if (this.closed) return;
    this.lastChange = Date.now();
    const follow = this.plans.get(id) ?? { dirty: false, running: false, last: 0, timer: null };
    this.plans.set(id, follow);
    follow.dirty = true;
    this.arm(id, follow, Math.max(0, follow.last + INTERVAL_MS - Date.now()));
  }

  /** True while a plan that it knows of is being made, runs or waits, or has notifications that are not delivered yet. */
  busy(): boolean {
    return [...this.active.values()].includes(true);
  }

  /**
   * Writes at once what is still to be written, while the worker can be asked.
   * @param limitMs after this the next worker does it when it starts
   */
  async flush(limitMs: number): Promise<void> {
    const writing = [...this.plans]
      .filter(([, follow]) => follow.dirty && !follow.running)
      .map(([id, follow]) => this.write(id, follow));
    await Promise.race([
      Promise.all([this.pending, ...writing]),
      new Promise((resolve) => setTimeout(resolve, limitMs).unref()),
    ]);
  }

  /** Stops; what was not written yet is written by the next worker when it starts. */
  async close(): Promise<void> {
    this.closed = true;
    for (const follow of this.plans.values()) if (follow.timer) clearTimeout(follow.timer);
    await this.pending;
  }

  private arm(id: string, follow: Follow, delay: number): void {
    if (follow.timer || follow.running || this.closed) return;
    follow.timer = setTimeout(() => {
      follow.timer = null;
      const writing = this.write(id, follow);
      this.pending = Promise.all([this.pending, writing]).then(() => undefined);
    }, delay);
  }

  private async write(id: string, follow: Follow): Promise<void> {
    follow.running = true;
    follow.dirty = false;
    follow.last = Date.now();
    let wait = INTERVAL_MS;
    try {
      const client = this.client();
      const view = await client.withDeadline(Date.now() + QUERY_MS, () =>
        client.workflow.getHandle(id).query<PlanView | null, [PlanQuestion]>('plan', { whole: true }),
      );
      if (view) {
        this.active.set(id, isActive(view));
        this.seen(view);
        // A deleted plan has no file; one that was on its way when it was deleted must not come back.
        if (view.status === 'archived') await removePlanFiles(this.layout, id);
        else await writePlanFile(this.layout, view);
      }
    } catch (error) {
      this.log.warn({ plan: id, error: String(error) }, 'plan file was not written; trying again');
      follow.dirty = true;
      wait = RETRY_MS;
    }
    follow.running = false;
    if (follow.dirty) this.arm(id, follow, wait);
  }
}

function isActive({ status, notifications }: PlanView): boolean {
  return ['planning', 'running', 'waiting', 'paused'].includes(status) || (notifications?.waiting ?? 0) > 0;
}
