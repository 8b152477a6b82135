/** The part of a policy that says who decides on what, until when, how much a plan may spend, and when nothing is written. */
import type { Risk } from '../types';

/** The kinds of gate that a rule can be about. */
export type RuledGate = 'file' | 'tool' | 'risk' | 'stuck' | 'budget';

/** How long after a gate opened something happens, in milliseconds; null: never. */
export interface Deadlines {
  remindMs: number | null;
  escalateMs: number | null;
  /** Who is asked besides once it escalated. */
  escalateTo: string[];
  expireMs: number | null;
}

/** One rule: what it is about, and what it asks for. The first rule that matches holds, and no other. */
export interface Rule {
  name: string;
  gates: RuledGate[];
  /** Names of skills; null: any. */
  tools: string[] | null;
  /** Glob patterns; null: any path. For file gates alone. */
  paths: string[] | null;
  /** This risk or a higher one; null: any. */
  risk: Risk | null;
  /** Approvals by different people; 0: no person is demanded, as if there were no rule. */
  approvals: number;
  /** Who may decide; null: anyone. */
  by: string[] | null;
  /** True where the person who asked for the run may not approve. */
  excludeRequester: boolean;
  /** Null: those of the policy. */
  deadlines: Deadlines | null;
}

/** Null: no limit. */
export interface Limit {
  tokens: number | null;
  calls: number | null;
}

export interface Budgets {
  plan: Limit;
  task: Limit;
}

/** A time in which nothing is written: once, or every week. Times are UTC. */
export interface FreezeWindow {
  name: string;
  /** ISO times, or null for one that comes every week. */
  once: { from: string; until: string } | null;
  /** Minutes since Monday 00:00; `until` before `from` goes over the end of the week. */
  weekly: { from: number; until: number } | null;
  /** What becomes of a run that would begin in it. One that is under way waits before it writes. */
  run: 'refuse' | 'wait';
}

export interface PolicyRules {
  rules: Rule[];
  deadlines: Deadlines;
  budgets: Budgets;
  freeze: FreezeWindow[];
}

export const NO_DEADLINES: Deadlines = { remindMs: null, escalateMs: null, escalateTo: [], expireMs: null };

/** What holds where a policy has none of this. */
export const NO_RULES: PolicyRules = {
  rules: [],
  deadlines: NO_DEADLINES,
  budgets: { plan: { tokens: null, calls: null }, task: { tokens: null, calls: null } },
  freeze: [],
};
