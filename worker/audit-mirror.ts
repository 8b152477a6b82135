/**
 * Keeps the audit logs of a workspace in step with the histories: before a file changes because an activity asks, and
 * after everything else because the workflow's sink tells. One reading serves all who wait for it.
 */
import type { Client } from '@temporalio/client';
import type { AuditMirror as Mirror } from '../activities/audit-first';
import type { AppendOptions } from '../audit/append';
import { temporalHistory } from '../audit/history';
import { payloadReader } from '../audit/history-events';
import { logName, type Mirrored, mirrorHistory, type Position } from '../audit/mirror';
import type { LogHead } from '../plan/steps';
import type { WorkspaceLayout } from '../store/layout';
import { endsPlan, keepLast } from './kept-history';

/** After a change that no write follows, the log follows within this. */
const DELAY_MS = 300;
const RETRY_MS = 3_000;
const MOST_RETRY_MS = 60_000;

export interface MirrorLog {
  warn(fields: object, message: string): void;
}

interface Waiter {
  /** Null: whatever is the newest. */
  run: string | null;
  activity: string | null;
  resolve(head: LogHead): void;
  reject(error: unknown): void;
}

interface Follow {
  waiting: Waiter[];
  working: Promise<void> | null;
  position: Position | null;
  timer: NodeJS.Timeout | null;
  failures: number;
  /** Milliseconds since the epoch: the first change that is not mirrored yet; null: none that we know of. */
  behindSince: number | null;
}

/** How far the logs are behind the histories, as far as this worker was told. */
export interface Behind {
  plans: number;
  /** Milliseconds that the longest has been; 0 where none is. */
  longestMs: number;
  /** Plans whose last reading failed. */
  failing: number;
}

export class AuditMirror implements Mirror {
  private readonly plans = new Map<string, Follow>();
  /** Last executions that are being kept. */
  private readonly keeping = new Set<Promise<void>>();
  private closed = false;

  constructor(
    private readonly layout: WorkspaceLayout,
    private readonly client: () => Client,
    private readonly log: MirrorLog,
    /** `state`: the user's state directory, with which the log's end is signed and witnessed at gates and ends. */
    private readonly append: AppendOptions = {},
  ) {}

  upTo(plan: string, run: string, activity: string): Promise<LogHead> {
    return this.ask(plan, run, activity);
  }

  /** Something about a plan changed; its log follows soon. */
  changed(plan: string): void {
    if (this.closed) return;
    const follow = this.follow(plan);
    follow.behindSince ??= Date.now();
    if (follow.timer || follow.failures > 0) return;
    this.arm(plan, follow, DELAY_MS);
  }

  behind(now: number): Behind {
    const late = [...this.plans.values()].filter(({ behindSince }) => behindSince !== null);
    return {
      plans: late.length,
      longestMs: Math.max(0, ...late.map(({ behindSince }) => now - (behindSince ?? now))),
      failing: [...this.plans.values()].filter(({ failures }) => failures > 0).length,
    };
  }

  /** Mirrors at once what is still to come of it. @param limitMs after this the next worker does it when it starts */
  async flush(limitMs: number): Promise<void> {
    const due = [...this.plans].filter(([, { timer }]) => timer !== null);
    for (const [plan, follow] of due) this.catchUp(plan, follow);
    const working = [...this.plans.values()].flatMap(({ working: one }) => one ?? []);
    const all = Promise.all(working).then(() => Promise.all(this.keeping));
    await Promise.race([all, new Promise((resolve) => setTimeout(resolve, limitMs).unref())]);
  }

  async close(): Promise<void> {
    this.closed = true;
    for (const { timer } of this.plans.values()) if (timer) clearTimeout(timer);
    await Promise.all([...this.plans.values()].map(({ working }) => working));
    await Promise.all(this.keeping);
  }

  private follow(plan: string): Follow {
    const known = this.plans.get(plan);
    if (known) return known;
    const follow: Follow = { waiting: [], working: null, position: null, timer: null, failures: 0, behindSince: null };
    this.plans.set(plan, follow);
    return follow;
  }

  private arm(plan: string, follow: Follow, delay: number): void {
    if (this.closed) return;
    follow.timer = setTimeout(() => this.catchUp(plan, follow), delay);
  }

  private catchUp(plan: string, follow: Follow): void {
    if (follow.timer) clearTimeout(follow.timer);
    follow.timer = null;
    this.ask(plan, null, null).then(
      () => {
        follow.failures = 0;
      },
      (error: unknown) => {
        this.log.warn({ plan, error: String(error) }, 'the audit log is behind; trying again');
        const delay = Math.min(RETRY_MS * 2 ** follow.failures, MOST_RETRY_MS);
        follow.failures += 1;
        if (!follow.timer) this.arm(plan, follow, delay);
      },
    );
  }

  private ask(plan: string, run: string | null, activity: string | null): Promise<LogHead> {
    const follow = this.follow(plan);
    return new Promise<LogHead>((resolve, reject) => {
      follow.waiting.push({ run, activity, resolve, reject });
      follow.working ??= this.work(plan, follow);
    });
  }

  /** Reads until nobody waits; a reading that began before somebody asked does not count for them. */
  private async work(plan: string, follow: Follow): Promise<void> {
    while (follow.waiting.length > 0) {
      const served = follow.waiting.splice(0);
      const since = follow.behindSince;
      follow.behindSince = null;
      try {
        const mirrored = await this.mirror(plan, follow, served);
        for (const { resolve } of served) resolve(mirrored.head);
      } catch (error) {
        follow.behindSince = since ?? follow.behindSince ?? Date.now();
        for (const { reject } of served) reject(error);
      }
    }
    // At once, before anybody else can ask: who asks later must find that nobody works.
    follow.working = null;
  }

  private async mirror(plan: string, follow: Follow, served: readonly Waiter[]): Promise<Mirrored> {
    const client = this.client();
    const run =
      served.find((waiter) => waiter.run !== null)?.run ?? (await client.workflow.getHandle(plan).describe()).runId;
    const mirrored = await mirrorHistory({
      layout: this.layout,
      plan,
      log: logName(client.options.namespace, plan),
      source: temporalHistory(client, plan),
      read: payloadReader(client.options.loadedDataConverter, {
        type: 'workflow',
        namespace: client.options.namespace,
        workflowId: plan,
      }),
      run,
      activities: served.flatMap(({ activity }) => activity ?? []),
      position: follow.position,
      append: this.append,
    });
    follow.position = mirrored.position;
    if (mirrored.appended > 0 && endsPlan(mirrored.entries)) this.keep(client, plan, run);
    return mirrored;
  }

  /** Beside everything else: nobody waits for it, and `history export --history` does the same. */
  private keep(client: Client, plan: string, run: string): void {
    const kept = keepLast(this.layout, client, plan, run)
      .catch((error: unknown) => {
        this.log.warn({ plan, error: String(error) }, 'the history of the last execution was not kept');
      })
      .finally(() => this.keeping.delete(kept));
    this.keeping.add(kept);
  }
}
