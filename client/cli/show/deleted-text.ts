import type { PlanView } from '../../../plan/view';
import { safe } from './style';

export interface Deleted {
  id: string;
  files: string[];
}

/** Paths that a plan wrote and has not taken back. */
export function filesOnDisk(view: PlanView): string[] {
  const files = Object.values(view.tasks).flatMap((task) => task.files);
  const written = files.filter(({ state, action }) => state === 'written' && action !== 'unchanged');
  return [...new Set(written.map(({ path }) => path))].sort();
}

export function deletedText(plans: readonly Deleted[]): string {
  return plans
    .map(({ id, files }) => {
      const stay = files.length > 0 ? ` The files that it wrote stay: ${files.map(safe).join(', ')}.` : '';
      return `Plan ${id} is deleted.${stay}\n`;
    })
    .join('');
}
