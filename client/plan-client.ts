/**
 * `PlanClient` over the Temporal client. Everything that decides is in the workflow; this turns calls into messages, and
 * plan-wire.ts carries them.
 */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { escapeForDisplay } from '../plan/display';
import { FailedError, IntegrityError, PlanwrightError, UnreachableError, UsageError } from '../plan/errors';
import type { CarriedFacts, CarriedPlan } from '../plan/export';
import { isSettledPlan } from '../plan/states';
import type { UndoKind } from '../plan/steps';
import type {
  ApplyAnswer,
  ApplyRequest,
  Decide,
  DecideAnswer,
  PauseAnswer,
  PauseRequest,
  PlanView,
  UndoAnswer,
  UndoMessage,
} from '../plan/view';
import { replaceFile } from '../store/durable';
import { taskQueueOf, type WorkspaceLayout } from '../store/layout';
import { ObjectStore } from '../store/objects';
import { PLAN_ID, planFileIds, readPlanFile, removePlanFiles } from '../store/plan-file';
import { connectionError, ownError } from './failures';
import type { PlanHistories } from './histories';
import { gatesOf, listingOf } from './listing';
import { isLost, isOpen } from './open';
import { LOST, PlanWire, type TemporalLink } from './plan-wire';
import { type Beginning, type StartedPlan, startPlan } from './start-plan';
import { salvage } from './take-up';
import type { CreatePlan, OpenGate, PlanClient, PlanListing, PlanPast, Shown, TakenUp } from './types';
import { packageVersion } from './version';

const NO_WORKER = 'no worker of this workspace runs; this is the last state that was written.';
const POLL_MS = { least: 60, most: 400, growth: 1.3 } as const;

/** For one call of the model, of a plan whose own limit is not known here. */
const TIMEOUT_MS = 60_000;

/** A query that reads a whole state may take a while. */
const ANSWER_MS = 10_000;

/** How often is asked how far the answers of models are. */
const LIVE_MS = 1_000;

/** True where a model is asked at this moment. */
function isWriting({ provider, status, tasks }: PlanView): boolean {
  if (provider === 'template') return false;
  return status === 'planning' || Object.values(tasks).some((task) => task.status === 'generating');
}

const newId = (): string => `plan-${randomBytes(4).toString('hex')}`;

export class TemporalPlanClient implements PlanClient {
  private readonly objects: ObjectStore;
  private readonly wire: PlanWire;

  constructor(
    private readonly layout: WorkspaceLayout,
    /** Null: Temporal is away, and only what lies on disk can be shown. */
    private readonly link: TemporalLink | null,
    readonly away: string,
  ) {
    this.objects = new ObjectStore(layout.objects);
    this.wire = new PlanWire(layout, link, away);
  }

  async create(plan: CreatePlan): Promise<string> {
    const id = newId();
    const { name, goal, by, settings, timeoutMs, graph = null } = plan;
    await this.start({ id, name, goal, by, settings, timeoutMs, graph });
    return id;
  }

  private async start(plan: Omit<StartedPlan, 'workspace' | 'planwrightVersion'>, from: Beginning = {}): Promise<void> {
    const { client, address } = this.wire.connected();
    const started = { ...plan, workspace: this.layout.id, planwrightVersion: packageVersion() };
    await startPlan(client, this.wire.masked(started), this.wire.masked(from)).catch((error: unknown) => {
      throw connectionError(error, address);
    });
  }

  async carried(id: string): Promise<CarriedFacts> {
    return this.ask<CarriedFacts>(id, 'carried');
  }

  async import(carried: CarriedPlan, name: string, by: string): Promise<string> {
    const id = newId();
    const { goal, settings } = carried;
    await this.start({ id, name, goal, by, settings, timeoutMs: TIMEOUT_MS, graph: null }, { imported: carried });
    return id;
  }

  async references(): Promise<Set<string>> {
    const digests = new Set<string>();
    for (const id of await this.planIds()) {
      const { open, lost } = await this.show(id);
      if (open && !lost) for (const digest of await this.ask<string[]>(id, 'references')) digests.add(digest);
    }
    return digests;
  }

  /** @throws UnreachableError where the plan's workflow gives no answer */
  private async ask<T>(id: string, query: 'carried' | 'references'): Promise<T> {
    const { client, address } = this.wire.connected();
    return client
      .withDeadline(Date.now() + ANSWER_MS, () => client.workflow.getHandle(id).query<T>(query))
      .catch((error: unknown) => {
        throw connectionError(error, address);
      });
  }

  async takeUp(id: string, by: string): Promise<TakenUp> {
    this.wire.connected();
    const { lost, kept, broken } = await salvage(this.layout, this.objects, id);
    const { name, goal, settings } = lost;
    await this.start({ id, name, goal, by, settings, timeoutMs: TIMEOUT_MS, graph: null }, { lost });
    return { kept: relative(this.layout.root, kept), broken };
  }

  async use(id: string): Promise<void> {
    await replaceFile(this.layout.active, `${id}\n`);
  }

  private async active(): Promise<string | null> {
    return readFile(this.layout.active, 'utf8').then(
      (text) => text.trim() || null,
      () => null,
    );
  }

  async resolve(reference: string | undefined): Promise<string> {
    if (reference === undefined) {
      const active = await this.active();
      if (active) return active;
      throw new UsageError(
        `No plan is active in ${escapeForDisplay(this.layout.root)}.`,
        'Make one with `planwright plan "<goal>"`, or name one: see `planwright plan list`.',
      );
    }
    if (reference.trim() === '')
      throw new UsageError('The plan was given as an empty text.', 'See `planwright plan list`.');
    const ids = await this.planIds();
    if (ids.includes(reference)) return reference;
    const byPrefix = ids.filter((id) => id.startsWith(reference) || id.startsWith(`plan-${reference}`));
    if (byPrefix.length === 1 && byPrefix[0]) return byPrefix[0];
    const views = (await Promise.all(ids.map((id) => this.known(id)))).filter((view) => view !== null);
    if (reference === 'latest') {
      const latest = views.sort((a, b) => b.createdAt.localeCompare(a.createdAt))[0];
      if (latest) return latest.id;
      throw new UsageError('There is no plan in this workspace yet.', 'Make one with `planwright plan "<goal>"`.');
    }
    const byName = views.filter((view) => view.name === reference).map((view) => view.id);
    if (byName.length === 1 && byName[0]) return byName[0];
    const several = byName.length > 1 ? byName : byPrefix;
    if (several.length > 1) {
      throw new UsageError(`"${reference}" means several plans: ${several.join(', ')}.`, 'Name one by its whole id.');
    }
    throw new UsageError(`There is no plan "${reference}" in this workspace.`, 'See `planwright plan list`.');
  }

  /** What is known of a plan with the least effort: its file, and where it has none that can be read, its workflow. */
  private async known(id: string): Promise<PlanView | null> {
    return (await this.file(id)) ?? (await this.listed(id))?.view ?? null;
  }

  /** A plan's file; one that is damaged is as good as none while Temporal can be asked, for it is only a copy. */
  private async file(id: string): Promise<PlanView | null> {
    return readPlanFile(this.layout, id).catch((error: unknown) => {
      if (error instanceof IntegrityError && this.link && !this.link.asleep) return null;
      throw error;
    });
  }

  /** Plans with a file here, and open ones that Temporal knows of and no file shows yet. */
  private async planIds(): Promise<string[]> {
    const ids = new Set(await planFileIds(this.layout));
    if (this.link) {
      const query = `TaskQueue = "${taskQueueOf(this.layout.id)}" AND ExecutionStatus = "Running"`;
      try {
        for await (const { workflowId } of this.link.client.workflow.list({ query })) {
          if (PLAN_ID.test(workflowId)) ids.add(workflowId);
        }
      } catch (error) {
        throw connectionError(error, this.link.address);
      }
    }
    return [...ids].sort();
  }

  async show(id: string): Promise<Shown> {
    if (!this.link) return this.fromFile(id, this.away, true);
    if (this.link.asleep) {
      const closed = await this.wire.closedNote(id);
      const shown = await this.fromFile(id, closed, closed === null);
      return closed || isSettledPlan(shown.view.status) ? shown : { ...shown, note: NO_WORKER };
    }
    let view: PlanView | null;
    try {
      view = await this.wire.query(id);
    } catch (error) {
      if (isLost(error)) return { ...(await this.fromFile(id, LOST, false)), lost: true };
      const own = ownError(error);
      if (own) return this.fromFile(id, own.message, false);
      const closed = await this.wire.closedNote(id);
      return this.fromFile(id, closed ?? (await this.wire.explain(id, error)), closed === null);
    }
    if (!view) throw new FailedError(`Plan ${id} gave no answer.`);
    const closed = await this.wire.closedNote(id);
    return { view, source: 'workflow', note: closed, open: closed === null };
  }

  private async fromFile(id: string, note: string | null, open: boolean): Promise<Shown> {
    const view = await readPlanFile(this.layout, id);
    if (view) return { view, source: 'plan file', note, open };
    throw new UsageError(
      `There is no plan file for ${id} yet${note ? `, and ${note}` : ', and no worker of this workspace runs.'}`,
      'See `planwright plan list`; `planwright up` starts the worker.',
    );
  }

  async list(): Promise<PlanListing[]> {
    const active = await this.active();
    const ids = await this.planIds();
    const listings = await Promise.all(ids.map(async (id) => listingOf(await this.listed(id), id === active)));
    return listings.filter((listing) => listing !== null).sort((a, b) => b.createdAt.localeCompare(a.createdAt));
  }

  /** For the list a plan file is enough where it is settled; what may have moved on is asked. */
  private async listed(id: string): Promise<Shown | null> {
    const view = await this.file(id);
    if (view && ['completed', 'failed', 'rolled_back', 'cleaned', 'archived'].includes(view.status)) {
      return { view, source: 'plan file', note: null, open: true };
    }
    return this.show(id).catch((error: unknown) => {
      if (error instanceof PlanwrightError) return null;
      throw error;
    });
  }

  async *follow(id: string, signal: AbortSignal): AsyncIterable<PlanView> {
    let seen: number | undefined;
    let wait: number = POLL_MS.least;
    let failures = 0;
    let latest: PlanView | null = null;
    let lookedAt = 0;
    while (!signal.aborted) {
      const asked = performance.now();
      try {
        const view = await this.wire.query(id, seen);
        failures = 0;
        if (view) {
          // What a closed workflow was in the middle of never ends; nobody may be asked about it either.
          if (seen === undefined && !isSettledPlan(view.status)) await this.wire.refuseClosed(id);
          seen = view.changes;
          latest = view;
          // A large plan takes long to answer, and its worker has tasks to do: at most a quarter of the time goes to this.
          wait = Math.min(Math.max(POLL_MS.least, 3 * (performance.now() - asked)), 0.9 * POLL_MS.most);
          yield view;
        } else if (latest && isWriting(latest) && performance.now() - lookedAt > LIVE_MS) {
          lookedAt = performance.now();
          const live = await this.wire.live(id);
          if (Object.keys(live).length > 0) yield { ...latest, live };
        } else {
          wait = Math.min(wait * POLL_MS.growth, POLL_MS.most);
        }
      } catch (error) {
        await this.wire.afterFailedQuery(id, error, failures++);
      }
      if (wait >= POLL_MS.most) await this.wire.refuseClosed(id);
      await sleep(wait, undefined, { signal }).catch(() => undefined);
    }
  }

  async apply(id: string, request: ApplyRequest): Promise<ApplyAnswer> {
    return this.wire.update<ApplyAnswer>(id, 'apply', request, `apply-${randomBytes(8).toString('hex')}`);
  }

  async decide(id: string, decision: Decide): Promise<DecideAnswer> {
    // An id of its own each time: what was refused once may be allowed later, when the gate escalated. The same decision
    // again gets the first answer by the ruling.
    return this.wire.update<DecideAnswer>(id, 'decide', decision, `decide-${randomBytes(8).toString('hex')}`);
  }

  async pause(id: string, request: PauseRequest): Promise<PauseAnswer> {
    return this.wire.update<PauseAnswer>(id, 'pause', request, `pause-${randomBytes(8).toString('hex')}`);
  }

  async unpause(id: string, request: PauseRequest): Promise<PauseAnswer> {
    return this.wire.update<PauseAnswer>(id, 'unpause', request, `unpause-${randomBytes(8).toString('hex')}`);
  }

  async cancel(id: string, by: string, reason: string | null): Promise<void> {
    await this.wire.update(id, 'cancel', { by, reason }, `cancel-${randomBytes(8).toString('hex')}`);
  }

  async undo(id: string, kind: UndoKind, message: UndoMessage): Promise<UndoAnswer> {
    return this.wire.update<UndoAnswer>(id, kind, message, `${kind}-${randomBytes(8).toString('hex')}`);
  }

  async delete(id: string, by: string): Promise<void> {
    const { client, address } = this.wire.connected();
    if (await isOpen(client, id, address))
      await this.wire.update(id, 'delete', { by }, `delete-${randomBytes(8).toString('hex')}`);
    await removePlanFiles(this.layout, id);
  }

  async gates(id?: string): Promise<OpenGate[]> {
    const ids = id === undefined ? await this.planIds() : [id];
    const shown = await Promise.all(ids.map((one) => (id === undefined ? this.listed(one) : this.show(one))));
    return shown.flatMap((one) => (one === null ? [] : gatesOf(one)));
  }

  async histories(id: string): Promise<PlanHistories> {
    const { client, address } = this.wire.connected();
    // Late, because most commands ask for none.
    const { planHistories } = require('./histories') as typeof import('./histories');
    try {
      return await planHistories(client, id);
    } catch (error) {
      if (isLost(error)) {
        throw new UnreachableError(`Temporal has no event history of plan ${id}.`, 'It may be past its retention.');
      }
      throw connectionError(error, address);
    }
  }

  async past(id: string): Promise<PlanPast | null> {
    if (!this.link) return null;
    const { planPast } = require('./histories') as typeof import('./histories');
    return planPast(this.link.client, id).catch((error: unknown) => {
      throw connectionError(error, this.wire.connected().address);
    });
  }

  object(sha256: string): Promise<Buffer> {
    return this.objects.get(sha256);
  }

  async close(): Promise<void> {
    await this.link?.close();
  }
}
