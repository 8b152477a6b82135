import { escapeLinesForDisplay } from '../../../plan/display';
import { CANCELLED_IN_TEMPORAL } from '../../../plan/states';
import type { PlanView, RunView } from '../../../plan/view';
import { countStatuses, tokensOf } from '../../events';
import { tasksOf } from '../outcome';
import { countLine, fileLines } from './file-list';
import { numberOf, statusWord } from './plan-text';
import type { Style } from './style';
import { plural, safe } from './style';

/** The closing report of a run: its files, what became of its tasks, and what that makes of the plan. */
export function outcomeText(view: PlanView, run: RunView | undefined, style: Style): string {
  const tasks = tasksOf(view, run);
  const files = tasks.flatMap((task) => task.files);
  const counts = countStatuses(tasks);
  const told = (['completed', 'declined', 'failed', 'skipped', 'cancelled', 'pending'] as const)
    .flatMap((status) => (counts[status] ? [`${counts[status]} ${status}`] : []))
    .join(', ');
  const tokens = tasks.reduce((sum, task) => sum + tokensOf(task), 0);
  const lines = fileLines(files, style);
  if (files.length > 0) lines.push(countLine(files), '');
  const spent = tokens > 0 ? ` · ${tokens} tokens` : '';
  const title = `${view.id} (${safe(view.name)})`;
  lines.push(
    `Plan ${style.strong(title)} is ${statusWord(view.status, style)}: ${plural(tasks.length, 'task')}, ${told}${ofAll(view, tasks.length)}${spent}.`,
  );
  if (counts.declined)
    lines.push(`${plural(counts.declined, 'task')} declined: every file of it was refused by a person.`);
  if (run?.kind === 'replay') lines.push(...replayLines(view, run, style));
  const reason = run?.reason ?? view.reason;
  if (reason && view.status !== 'completed') lines.push(`Reason: ${escapeLinesForDisplay(reason)}`);
  return `${lines.join('\n')}\n`;
}

/** Of a run that took only a part of the plan: how far the whole of it is. */
function ofAll(view: PlanView, taken: number): string {
  const all = Object.values(view.tasks);
  if (taken >= all.length) return '';
  return ` (of all ${all.length}: ${countStatuses(all).completed ?? 0} completed)`;
}

/** A run that was refused before its first task: why, and what to do. */
export function refusalLines(view: PlanView, run: RunView, style: Style): string[] {
  const why = escapeLinesForDisplay(run.reason ?? 'No reason was given.').split('\n');
  return [
    `${style.bad('✗')} Run ${run.number} of ${view.id} was refused; nothing ran.`,
    ...why.map((line) => `  ${line}`),
  ];
}

/** How far a replay came to the same bytes, and to the same model. */
function replayLines(view: PlanView, run: RunView, style: Style): string[] {
  const models = (run.comparison ?? []).filter(({ what }) => what === 'model as returned');
  const named = models.map(({ expected, actual, matches }) =>
    matches
      ? `${style.good('✓')} model as returned: ${safe(expected)}`
      : `${style.bad('✗')} model as returned: expected ${safe(expected)}, actual ${safe(actual)}`,
  );
  const differences = run.differences ?? [];
  if (differences.length === 0) {
    return run.status === 'completed' ? [...named, `${style.good('✓')} Every byte is the recorded one.`] : named;
  }
  const sha = (digest: string | null): string => digest?.slice(0, 12) ?? 'none';
  const files = differences.map(
    ({ task, path, recorded, now }) =>
      `  Task ${numberOf(view, task)} ${safe(path)}: recorded ${sha(recorded)}, now ${sha(now)}`,
  );
  return [...named, `${style.bad('✗')} The replay differs from the record:`, ...files];
}

/**
 * What to type next, by how the plan stands.
 * @param but the command that was typed: what was just shown is no next step
 */
export function nextCommands(view: PlanView, but?: 'plan show' | 'explain'): string[] {
  const shown = `planwright ${but} ${view.id}`;
  const commands = commandsFor(view).filter((command) => command !== shown);
  if (commands.length > 0) return commands;
  const first = Object.values(view.tasks).sort((a, b) => a.number - b.number)[0];
  return first ? [`planwright plan show ${view.id} --task ${first.number}`] : ['planwright plan "<goal>"'];
}

function commandsFor(view: PlanView): string[] {
  const { id } = view;
  switch (view.status) {
    case 'ready':
    case 'rolled_back':
    case 'cleaned':
      return [`planwright apply ${id} --dry-run`, `planwright apply ${id}`, `planwright explain ${id}`];
    case 'failed':
    case 'partial':
      if (view.graph.nodes.length === 0) return ['planwright plan "<goal>"'];
      return [`planwright plan show ${id}`, `planwright apply ${id} --resume --retry`];
    case 'cancelled':
      if (view.reason === CANCELLED_IN_TEMPORAL) return ['planwright plan "<goal>"'];
      return [view.graph.nodes.length === 0 ? 'planwright plan "<goal>"' : `planwright apply ${id} --resume`];
    case 'paused':
      return [`planwright unpause ${id}`, `planwright approvals ${id}`];
    case 'waiting':
      return [`planwright approvals ${id}`, `planwright apply ${id}`];
    case 'planning':
    case 'running':
      return [`planwright watch ${id}`];
    default:
      return [`planwright plan show ${id}`, ...declinedAgain(view), ...takenBack(view)];
  }
}

/** A declined task is settled; only asking for it by number runs it again. */
function declinedAgain({ id, tasks }: PlanView): string[] {
  const declined = Object.values(tasks).find(({ status }) => status === 'declined');
  return declined ? [`planwright apply ${id} --task ${declined.number}`] : [];
}

/** A completed plan can be taken back where it wrote anything. */
function takenBack({ id, status, tasks }: PlanView): string[] {
  const wrote = Object.values(tasks).some(({ files }) =>
    files.some(({ state, action }) => state === 'written' && action !== 'unchanged'),
  );
  return status === 'completed' && wrote ? [`planwright rollback ${id}`] : [];
}
