import type { GateView, PlanView } from '../../../plan/view';
import { decideLine } from '../gates';
import { statText } from './file-list';
import { numberOf } from './plan-text';
import type { Style } from './style';
import { plural, safe } from './style';

/** What a gate is about, before anybody is asked: the change, its size and every reason for its risk. */
export function gateLines(view: PlanView, gate: GateView, style: Style): string[] {
  const reasons = gate.riskReasons.map(
    ({ rule, level, where }) => `    ${style.risk(level)} ${safe(rule)} ${style.dim(`(${safe(where)})`)}`,
  );
  return [
    `${style.warn('◆')} ${headline(view, gate, style)}`,
    ...ruleLines(gate),
    ...againLines(view, gate),
    ...reasons,
  ];
}

/** What it takes, who has said what, and until when. */
function ruleLines({ rule, approvals = 1, may, excludeRequester, votes = [], until }: GateView): string[] {
  const lines = [];
  if (rule || approvals > 1 || may) {
    const who = may ? may.map(safe).join(', ') : 'anyone';
    const not = excludeRequester ? ', not by who asked for the run' : '';
    const named = rule ? `rule "${safe(rule)}": ` : '';
    lines.push(`    ${named}${plural(approvals, 'approval')} by ${who}${not}`);
  }
  for (const { by, decision, at } of votes) lines.push(`    ${safe(decision)} by ${safe(by)} at ${at}`);
  if (until) lines.push(`    expires at ${until}: then it is rejected`);
  return lines;
}

/** Why a file that was approved in this run is asked about once more: the same bytes on the same base never are. */
function againLines(view: PlanView, gate: GateView): string[] {
  const begun = view.runs.at(-1)?.startedAt ?? '';
  const earlier = view.tasks[gate.task ?? '']?.decisions.findLast(
    ({ path, decision, at }) => path !== null && path === gate.path && decision === 'approve' && at >= begun,
  );
  if (!earlier) return [];
  return [`    asked again: ${safe(earlier.by)} approved it, and then the file on disk or the proposal changed`];
}

function headline(view: PlanView, gate: GateView, style: Style): string {
  const risk = `risk ${style.risk(gate.risk)}`;
  if (gate.path !== null) {
    const verb = gate.preSha256 === null ? 'create' : 'change';
    const task = gate.task === null ? '' : `Task ${numberOf(view, gate.task)} wants to `;
    return `${task}${verb} ${style.strong(safe(gate.path))}${statText(gate.diffStat, style)} · ${risk}`;
  }
  if (gate.kind === 'risk') return `Plan ${view.id} (${safe(view.name)}) needs a decision before it runs · ${risk}`;
  const task = gate.task === null ? '' : ` of task ${numberOf(view, gate.task)}`;
  const about = gate.about ? `: ${safe(gate.about)}` : '';
  return `The ${gate.kind} gate${task} needs a decision${about} · ${risk}`;
}

/** Nobody has to decide anything, and nothing goes on: the log that comes before every write cannot be written. */
export function blockedLines({ reason, since, tasks }: NonNullable<PlanView['blocked']>): string[] {
  return [
    `Nothing is written since ${since}, because the audit log cannot be: ${safe(reason)}`,
    `${plural(tasks.length, 'task')} ${tasks.length === 1 ? 'waits' : 'wait'}; it is tried again by itself, once a minute at the longest.`,
  ];
}

/** For those who cannot be asked here: what waits and the exact lines to type elsewhere. */
export function pendingLines(view: PlanView, gates: readonly GateView[], style: Style): string[] {
  const count = gates.length === 1 ? 'One decision is' : `${gates.length} decisions are`;
  const lines = gates.flatMap((gate) => [...gateLines(view, gate, style), `    ${decideLine(view.id, gate)}`]);
  return [`${count} needed before plan ${view.id} can go on. Decide with:`, ...lines];
}
