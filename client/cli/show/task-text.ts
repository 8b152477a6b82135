import { staleTasks } from '../../../plan/selection';
import type { PlanView } from '../../../plan/view';
import { tokensOf } from '../../events';
import { failureText } from './failure-text';
import { fileLines } from './file-list';
import { numberOf } from './plan-text';
import type { Style } from './style';
import { safe } from './style';

/** One task with everything that is known of it: `plan show --task`. */
export function taskText(view: PlanView, id: string, style: Style): string {
  const node = view.graph.nodes.find((candidate) => candidate.id === id);
  const task = view.tasks[id];
  if (!node) return '';
  const rows: [string, string][] = [
    [
      'Skill',
      safe(node.tool) + (task?.skill ? ` ${safe(task.skill.toolVersion)} (${safe(task.skill.toolSource)})` : ''),
    ],
    ['Status', task ? task.status.replace('_', ' ') : 'pending'],
    ['Depends on', node.deps.map((dep) => `Task ${numberOf(view, dep)}`).join(', ') || 'nothing'],
    ['Input', safe(JSON.stringify(node.input))],
  ];
  if (task?.reason && task.reason !== task.error?.message) rows.push(['Reason', safe(task.reason)]);
  if (task && task.attempts > 0) rows.push(['Generations', String(task.attempts)]);
  if (task && tokensOf(task) > 0) rows.push(['Tokens', String(tokensOf(task))]);
  if (task?.modelReturned) rows.push(['Model', safe(task.modelReturned)]);
  if (staleTasks(view).includes(id)) rows.push(['Stale', 'a task that it depends on was made anew since']);
  for (const { revision, instruction, by } of task?.revisions ?? []) {
    rows.push([`Revision ${revision}`, `${safe(instruction)} (${safe(by)})`]);
  }
  const number = String(numberOf(view, id));
  const title = id === number ? `Task ${number}` : `Task ${number} (${safe(id)})`;
  const lines = [`${style.strong(title)} · ${safe(node.description)}`];
  lines.push(...rows.map(([name, value]) => `  ${style.dim(name.padEnd(12))}${value}`));
  if (task?.error) {
    const { first, rest } = failureText(task.error);
    lines.push(`  ${style.bad('✗')} ${safe(task.error.type)}: ${first}`, ...rest.map((line) => `    ${line}`));
  }
  if (task && task.files.length > 0) lines.push('', ...fileLines(task.files, style).map((line) => `  ${line}`));
  for (const check of task?.verification ?? []) {
    const reason = check.reason ? `: ${safe(check.reason)}` : '';
    lines.push(`  ${safe(check.path)} ${safe(check.verifier)} ${safe(check.version)}: ${check.verdict}${reason}`);
    for (const { severity, message, line } of check.findings) {
      lines.push(`    ${severity}${line ? ` line ${line}` : ''}: ${safe(message)}`);
    }
  }
  for (const { decision, by, path, reason, at } of task?.decisions ?? []) {
    const what = path === null ? '' : ` ${safe(path)}`;
    lines.push(`  ${safe(decision)}${what} by ${safe(by)} at ${safe(at)}${reason ? `: ${safe(reason)}` : ''}`);
  }
  return `${lines.join('\n')}\n`;
}
