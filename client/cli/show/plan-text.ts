import { staleTasks } from '../../../plan/selection';
import type { PlanView, TaskView } from '../../../plan/view';
import { costText, type Prices } from './cost-text';
import { failureText, firstLine } from './failure-text';
import type { Style } from './style';
import { safe } from './style';

/** A plan in the terminal form of docs/contract.md: the tasks as a list, then the risk with its reasons. */
export function planText(view: PlanView, style: Style, note: string | null = null, prices: Prices = {}): string {
  const lines = [
    `${style.strong(`Plan ${view.id}`)} · ${safe(view.name)} · ${statusWord(view.status, style)}`,
    `${style.dim('Goal')}      ${safe(view.goal)}`,
    `${style.dim('Provider')}  ${providerText(view)}${costText(view, prices)}`,
  ];
  if (view.failure) {
    const { first, rest } = failureText(view.failure);
    lines.push(`${style.bad('✗')} The plan could not be made: ${first}`, ...rest.map((line) => `  ${line}`));
  }
  if (view.reason) lines.push(`${style.dim('Reason')}    ${safe(view.reason)}`);
  if (note) lines.push(style.warn(`Note: ${safe(note)}`));
  if (view.graph.nodes.length > 0)
    lines.push('', ...view.graph.nodes.flatMap((node) => taskLines(view, node.id, style)));
  if (view.graph.nodes.length > 0) lines.push('', ...riskLines(view, style));
  if (view.notes && view.notes.length > 0)
    lines.push('', ...view.notes.map((text) => style.warn(`Note: ${safe(text)}`)));
  return `${lines.join('\n')}\n`;
}

export function providerText({
  provider,
  model,
  temperature,
}: Pick<PlanView, 'provider' | 'model' | 'temperature'>): string {
  if (provider === 'template') return 'template (built-in rules and templates, no model)';
  return `${safe(provider)} · ${safe(model)} · temperature ${temperature}`;
}

function taskLines(view: PlanView, id: string, style: Style): string[] {
  const node = view.graph.nodes.find((candidate) => candidate.id === id);
  if (!node) return [];
  const number = numberOf(view, id);
  const state = taskState(view.tasks[id], style);
  const stale = staleTasks(view).includes(id)
    ? style.warn(' (stale: a task that it depends on was made anew since)')
    : '';
  const lines = [`${number}. ${safe(node.description)}${state}${stale}`, `   → ${style.accent(safe(node.tool))}`];
  const deps = node.deps.map((dep) => numberOf(view, dep)).sort((a, b) => a - b);
  if (deps.length > 0) lines.push(`   → depends on ${deps.map((dep) => `Task ${dep}`).join(', ')}`);
  return lines;
}

/** A task's number for people; where the view has no state for it, its place in the graph. */
export function numberOf(view: PlanView, id: string): number {
  return view.tasks[id]?.number ?? view.graph.nodes.findIndex((node) => node.id === id) + 1;
}

function taskState(task: TaskView | undefined, style: Style): string {
  if (!task || task.status === 'pending') return '';
  const mark = { completed: style.good('✓'), failed: style.bad('✗') }[task.status as 'completed' | 'failed'];
  const why = task.status === 'failed' ? task.error?.message : task.reason;
  return ` · ${mark ? `${mark} ` : ''}${task.status.replace('_', ' ')}${why ? ` (${firstLine(why).replace(/:$/, '')})` : ''}`;
}

export function statusWord(status: PlanView['status'], style: Style): string {
  const word = status.replace('_', ' ');
  if (status === 'completed') return style.good(word);
  if (status === 'failed' || status === 'partial') return style.bad(word);
  return status === 'waiting' || status === 'paused' || status === 'cancelled' ? style.warn(word) : style.accent(word);
}

function riskLines(view: Pick<PlanView, 'risk' | 'riskReasons'>, style: Style): string[] {
  const reasons = view.riskReasons.map(
    ({ rule, level, where }) => `   ${style.risk(level)} ${safe(rule)} ${style.dim(`(${safe(where)})`)}`,
  );
  return [`Risk ${style.risk(view.risk)}`, ...reasons];
}
