/** Which rule of the policy a gate meets. Pure, so that the workflow, `policy check` and tests rule alike. */
import { matcherOf } from '../globs';
import { riskAbove } from '../risk/levels';
import type { Risk } from '../types';
import type { Deadlines, PolicyRules, Rule, RuledGate } from './types';

/** What a gate would be about. */
export interface Subject {
  gate: RuledGate;
  /** The task's skill; for a gate of the whole plan those of its tasks. */
  tools: readonly string[];
  /** Null where the gate is about no file. */
  path: string | null;
  risk: Risk;
}

/** What it takes to pass a gate. */
export interface Requirement {
  /** The rule that it meets; null: none. */
  rule: string | null;
  /** True where the rule asks for a person: then no flag passes the gate. */
  demanded: boolean;
  approvals: number;
  by: string[] | null;
  excludeRequester: boolean;
  deadlines: Deadlines;
}

/** First match wins; without one the flags of the run decide, and one person does where they ask. */
export function requirementFor(policy: PolicyRules, subject: Subject): Requirement {
  const rule = policy.rules.find((candidate) => matches(candidate, subject));
  if (!rule || rule.approvals === 0) {
    return {
      rule: rule?.name ?? null,
      demanded: false,
      approvals: 1,
      by: rule?.by ?? null,
      excludeRequester: rule?.excludeRequester ?? false,
      deadlines: rule?.deadlines ?? policy.deadlines,
    };
  }
  const { name, approvals, by, excludeRequester, deadlines } = rule;
  return { rule: name, demanded: true, approvals, by, excludeRequester, deadlines: deadlines ?? policy.deadlines };
}

const RISKS: readonly Risk[] = ['LOW', 'MEDIUM', 'HIGH'];

/** True where a file at the path could meet a rule that demands a person, by what its risk turns out to be. */
export function mayDemand(policy: PolicyRules, tool: string, path: string): boolean {
  return RISKS.some((risk) => requirementFor(policy, { gate: 'file', tools: [tool], path, risk }).demanded);
}

/** True where some file of a skill could meet such a rule, as long as nobody knows which files it makes. */
export function mayDemandOf({ rules }: PolicyRules, tool: string): boolean {
  return rules.some(
    ({ gates, tools, approvals }) => gates.includes('file') && approvals > 0 && (tools?.includes(tool) ?? true),
  );
}

function matches(rule: Rule, { gate, tools, path, risk }: Subject): boolean {
  if (!rule.gates.includes(gate)) return false;
  if (rule.tools && !tools.some((tool) => rule.tools?.includes(tool))) return false;
  if (rule.paths && (path === null || !matcherOf(rule.paths)(path))) return false;
  return rule.risk === null || !riskAbove(rule.risk, risk);
}
