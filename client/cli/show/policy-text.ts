import type { Requirement } from '../../../plan/rules/match';
import type { PlanView } from '../../../plan/view';
import type { PolicyReport } from '../policy-check';
import type { Style } from './style';
import { plural, safe } from './style';

/** What `policy check` tells a person. */
export function policyText(
  { path, digest, rules, frozen, plan, approvers, sinks }: PolicyReport,
  view: PlanView | null,
  style: Style,
) {
  const lines = [
    `${style.good('✓')} ${path} is valid: ${plural(rules.rules.length, 'rule')}, digest ${digest.slice(0, 12)}.`,
  ];
  if (frozen) lines.push(`${style.warn('◆')} Frozen now by "${safe(frozen.name)}" until ${frozen.until}.`);
  if (approvers) {
    lines.push(`  Every decision has to be signed by one of ${approvers.map(({ name }) => safe(name)).join(', ')}.`);
  }
  for (const { name, to, format, events } of sinks) {
    lines.push(`  Tells ${safe(name)} (${format}, ${safe(to)}): ${events.join(', ')}`);
  }
  if (!plan || !view) return `${lines.join('\n')}\n`;
  const recorded = view.context.policySnapshot;
  if (recorded && recorded !== digest)
    lines.push('  The plan was made under another policy; its next run takes this one.');
  lines.push('', `Plan ${view.id} (${safe(view.name)}), risk ${style.risk(view.risk)}:`);
  const high = view.risk === 'HIGH' ? 'asked once for its risk, unless --force' : 'not asked';
  lines.push(`  before it runs: ${requirement(plan.risk, high)}`);
  for (const { number, tool, before, files, possible } of plan.tasks) {
    lines.push(`  Task ${number} → ${safe(tool)}`);
    if (before.demanded) lines.push(`    before its skill runs: ${requirement(before, '')}`);
    for (const file of files) {
      lines.push(`    ${safe(file.path)} (${style.risk(file.risk)}): ${requirement(file, 'asked, unless --yes')}`);
    }
    if (files.length === 0) lines.push(`    files, once generated: ${possibly(possible)}`);
  }
  return `${lines.join('\n')}\n`;
}

function requirement({ rule, demanded, approvals, by, excludeRequester }: Requirement, otherwise: string): string {
  const named = rule === null ? 'no rule' : `rule "${safe(rule)}"`;
  if (!demanded) return `${named}: ${otherwise}`;
  const who = by === null ? 'anyone' : by.map(safe).join(', ');
  const not = excludeRequester ? ', not by who asked for the run' : '';
  return `${named}: ${plural(approvals, 'approval')} by ${who}${not}; no flag passes it`;
}

const possibly = (names: readonly string[]): string =>
  names.length === 0
    ? 'no rule: asked, unless --yes'
    : `by path and risk, the first of ${names.map((name) => `"${safe(name)}"`).join(', ')} that matches`;
