import type { DecisionView, PlanView, RunView } from '../../../plan/view';
import { tokensOf } from '../../events';
import { costText, type Prices } from './cost-text';
import { planText } from './plan-text';
import type { Style } from './style';
import { plural, safe, table } from './style';
import { taskText } from './task-text';

/** Everything that is kept of a plan: itself, its runs, its decisions, each task in full, its tokens. */
export function historyText(view: PlanView, style: Style, note: string | null, prices: Prices = {}): string {
  const parts = [planText(view, style, note), runsText(view, style), undosText(view, style)];
  if (view.decisions.length > 0)
    parts.push([style.strong('Decisions'), ...view.decisions.map(decisionLine), ''].join('\n'));
  parts.push(...view.graph.nodes.map(({ id }) => taskText(view, id, style)), tokensText(view, style, prices));
  return parts.filter((part) => part !== '').join('\n');
}

function runsText(view: PlanView, style: Style): string {
  if (view.runs.length === 0) return `${style.strong('Runs')}: none yet\n`;
  const rows = view.runs.map((run) => [
    String(run.number),
    run.skipVerify ? `${run.kind} --skip-verify` : run.kind,
    run.status,
    dateOf(run.startedAt),
    run.finishedAt === null ? '' : dateOf(run.finishedAt),
    safe(run.by),
    numbersOf(view, run),
    run.reason === null ? '' : safe(run.reason),
  ]);
  return `${style.strong('Runs')}\n${table(['RUN', 'KIND', 'STATUS', 'STARTED', 'FINISHED', 'BY', 'TASKS', 'REASON'], rows)}`;
}

function undosText({ undos = [] }: PlanView, style: Style): string {
  if (undos.length === 0) return '';
  const rows = undos.map((undo) => [
    String(undo.number),
    undo.kind,
    undo.status,
    dateOf(undo.startedAt),
    safe(undo.by),
    `${undo.deleted} deleted, ${undo.restored} restored${undo.left > 0 ? `, ${undo.left} left` : ''}`,
  ]);
  return `${style.strong('Taken back')}\n${table(['UNDO', 'KIND', 'STATUS', 'STARTED', 'BY', 'FILES'], rows)}`;
}

const numbersOf = (view: PlanView, { tasks }: RunView): string =>
  tasks.map((id) => view.tasks[id]?.number ?? safe(id)).join(',');

function decisionLine({ kind, decision, path, by, at, reason }: DecisionView): string {
  const what = path === null ? '' : ` ${safe(path)}`;
  return `  ${kind}: ${safe(decision)}${what} by ${safe(by)} at ${dateOf(at)}${reason ? `: ${safe(reason)}` : ''}`;
}

function tokensText(view: PlanView, style: Style, prices: Prices): string {
  const { promptTokens, completionTokens, calls, estimated } = view.usage;
  const parts = `${promptTokens} in, ${completionTokens} out, ${plural(calls, 'call')}${estimated ? ', partly estimated' : ''}`;
  return `${style.strong('Tokens')} ${tokensOf(view)} (${parts})${costText(view, prices)}\n`;
}

/** A time to the second, in UTC. What is no time is shown as it came. */
export function dateOf(at: string): string {
  const time = Date.parse(at);
  if (Number.isNaN(time)) return safe(at);
  return `${new Date(time).toISOString().slice(0, 19).replace('T', ' ')}Z`;
}
