import { digestOf } from '../../plan/digest';
import { explainPlan, type PlanRuling } from '../../plan/rules/explain';
import { type Frozen, frozenAt } from '../../plan/rules/freeze';
import type { PolicyRules } from '../../plan/rules/types';
import type { PlanView } from '../../plan/view';
import { skillSet } from '../../skills/skill-set';
import type { WorkspaceLayout } from '../../store/layout';
import { checkPolicyTools, loadPolicy } from '../../store/policy';
import { policyRules } from '../../store/policy-rules';

export interface PolicyReport {
  path: string;
  /** SHA-256 (hex) of canonical JSON of the whole effective policy, as runs record it. */
  digest: string;
  rules: PolicyRules;
  frozen: Frozen | null;
  plan: PlanRuling | null;
  /** Names and keys; null: anyone may decide, unsigned. */
  approvers: { name: string; key: string }[] | null;
  /** Who is told what; `to` says where the address comes from, for it may be a secret. */
  sinks: { name: string; to: string; format: string; events: string[] }[];
}

/**
 * The policy of today, and what it asks of a plan. Heavy to load (skills, zod): only `policy check` imports it.
 *
 * @param at ISO time for which freeze windows are looked at
 * @throws UsageError for a policy that is not valid, or that names a tool which there is not
 */
export async function policyReport(
  view: PlanView | null,
  layout: WorkspaceLayout,
  env: NodeJS.ProcessEnv,
  at: string,
): Promise<PolicyReport> {
  const policy = await loadPolicy(layout);
  const { skills } = await skillSet(layout, env, policy.write.allow);
  checkPolicyTools(policy, skills.keys());
  const rules = policyRules(policy);
  return {
    path: '.planwright/policy.yaml',
    digest: digestOf(policy),
    rules,
    frozen: frozenAt(rules.freeze, at),
    plan: view && explainPlan(rules, view),
    approvers: policy.approvers?.map(({ name, key }) => ({ name, key })) ?? null,
    sinks: (policy.notify ?? []).map(({ name, url, urlEnv, urlFile, format, events }) => ({
      name,
      to: url ? hostOf(url) : urlEnv ? `variable ${urlEnv}` : `file ${urlFile}`,
      format,
      events: [...events],
    })),
  };
}

/** Of an address what is no secret in any service: a path may be one. */
function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : 'an address that is none';
}
