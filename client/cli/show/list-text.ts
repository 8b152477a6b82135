import type { PlanListing } from '../../types';
import type { Style } from './style';
import { elapsed, plural, safe, short, table } from './style';

/** Plans as a table, with the notes about them: `plan list` and `history list`. `made` writes a time for people. */
export function listText(
  plans: readonly PlanListing[],
  style: Style,
  { root, now, made }: { root: string; now: number; made(at: string): string },
): string {
  if (plans.length === 0) return `There are no plans in this workspace yet: ${safe(root)}\n`;
  const rows = plans.map((plan) => [
    plan.active ? '*' : '',
    plan.id,
    short(plan.name, 30),
    plan.status.replace('_', ' '),
    `${plan.tasks.completed}/${plan.tasks.total}`,
    waits(plan, now),
    made(plan.createdAt),
    short(plan.goal, 40),
  ]);
  const notes = plans.flatMap(({ id, note }) => (note ? [`${style.warn('Note')} ${id}: ${safe(note)}\n`] : []));
  return table(['', 'PLAN', 'NAME', 'STATUS', 'DONE', 'WAITING', 'MADE', 'GOAL'], rows) + notes.join('');
}

/** What a plan waits for, and since when. */
function waits({ waiting, paused, blocked, frozen }: PlanListing, now: number): string {
  const since = (at: string): string => elapsed(now - Date.parse(at));
  const words = [];
  if (paused) words.push(`paused by ${safe(paused.by)} since ${since(paused.at)}`);
  if (waiting) words.push(`waiting for ${plural(waiting.approvals, 'approval')} since ${since(waiting.since)}`);
  if (blocked) words.push(`waiting for the audit log since ${since(blocked.since)}`);
  if (frozen) words.push(`frozen until ${frozen.until}`);
  return words.join('; ');
}
