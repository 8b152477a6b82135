import type { PlanListing } from '../../types';
import type { Style } from './style';
import { elapsed, safe, short, table } from './style';

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
    plan.waiting ? `${plan.waiting.gates} for ${elapsed(now - Date.parse(plan.waiting.since))}` : '',
    made(plan.createdAt),
    short(plan.goal, 40),
  ]);
  const notes = plans.flatMap(({ id, note }) => (note ? [`${style.warn('Note')} ${id}: ${safe(note)}\n`] : []));
  return table(['', 'PLAN', 'NAME', 'STATUS', 'DONE', 'WAITING', 'MADE', 'GOAL'], rows) + notes.join('');
}
