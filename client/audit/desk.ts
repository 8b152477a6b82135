/** What can be done with a plan's audit log beside writing it: all that the `history` commands need, of one workspace. */

import type { LogId } from '../../audit/append';
import { checkData } from '../../audit/events';
import { allEntries } from '../../audit/history';
import { logName } from '../../audit/mirror';
import { type Proof, proveEntry } from '../../audit/prove';
import { declareBreak, type Repaired, type RepairOptions, repairFromHistory } from '../../audit/repair';
import { claimedBy } from '../../plan/facts';
import type { WorkspaceLayout } from '../../store/layout';
import type { PlanClient, PlanPast } from '../types';
import { type AllKept, allKept } from './history-objects';
import { readHistoryFile } from './kept-histories';
import { findPast, type Past } from './past';
import { type ReadLog, readLog } from './read-log';
import { type Verified, type VerifyOptions, verifyPlan } from './verify-plan';

export interface DeskOptions {
  layout: WorkspaceLayout;
  /** The user's state directory: key and witness. */
  state: string;
  /** Of the server that is meant, whether it answers or not: the name of a log begins with it. */
  namespace: string;
}

export class AuditDesk {
  constructor(private readonly options: DeskOptions) {}

  private id(plan: string): LogId {
    return { plan, log: logName(this.options.namespace, plan) };
  }

  /** The entries up to the first that does not hold. */
  read(plan: string): Promise<ReadLog> {
    return readLog(this.options.layout, this.id(plan));
  }

  /** @throws UsageError for a history file that is none */
  async verify(
    plan: string,
    client: PlanClient,
    options: Omit<VerifyOptions, 'kept' | 'changed'> & Files,
  ): Promise<Verified> {
    const { histories: kept, changed } = await this.kept(plan, options.files);
    return verifyPlan({ ...this.options, id: this.id(plan), client }, { ...options, kept, changed });
  }

  /** The plan's whole past; null where some of it cannot be had, and then a log cannot be made from it. */
  async past(plan: string, client: PlanClient | null, { files }: Files): Promise<Past | null> {
    const temporal: PlanPast | null = (await client?.past(plan)) ?? null;
    const past = await findPast(temporal, (await this.kept(plan, files)).histories);
    return past?.startsAt === null && !past.mayEnd ? past : null;
  }

  /** Errors as `repairFromHistory` and `declareBreak`. @param past null declares a break */
  repair(plan: string, past: Past | null, { by, now, supersede }: Repairer): Promise<Repaired> {
    const { layout, state } = this.options;
    const at = new Date(now).toISOString();
    const options: RepairOptions = { actor: claimedBy(by), at, state, supersede, checkData };
    if (past === null) return declareBreak(layout, this.id(plan), options);
    return repairFromHistory(layout, this.id(plan), allEntries(past.source, past.read, past.executions), options);
  }

  /** Errors as `proveEntry`. */
  prove(plan: string, seq: number): Promise<Proof> {
    const { layout, state } = this.options;
    return proveEntry(layout, this.id(plan), seq, state);
  }

  /** Kept histories of the plan; errors as `readHistoryFile`. @param files empty: those that the workspace keeps */
  async kept(plan: string, files: readonly string[]): Promise<AllKept> {
    if (files.length === 0) return allKept(this.options.layout, plan);
    const each = await Promise.all(files.map((file) => readHistoryFile(file, plan)));
    return { histories: each.flat(), changed: [] };
  }
}

interface Files {
  /** Exported histories, absolute paths; empty: those that are kept in the workspace. */
  files: readonly string[];
}

interface Repairer {
  by: string;
  /** Milliseconds since the epoch. */
  now: number;
  supersede: boolean;
}
