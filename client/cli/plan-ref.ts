import { UsageError } from '../../plan/errors';
import type { PlanView } from '../../plan/view';
import { safe } from './show/style';

/**
 * A task's id from what a person typed: its number, which is what people are shown, or its id.
 * @throws UsageError listing the tasks
 */
export function taskIdOf(view: PlanView, reference: string): string {
  const byNumber = Object.entries(view.tasks).find(([, task]) => String(task.number) === reference)?.[0];
  const byId = view.graph.nodes.find(({ id }) => id === reference)?.id;
  const found = byNumber ?? byId;
  if (found !== undefined) return found;
  const known = view.graph.nodes.map(
    (node) => `  ${view.tasks[node.id]?.number ?? '?'}  ${safe(node.id)}  ${safe(node.tool)}`,
  );
  throw new UsageError(
    `Plan ${view.id} has no task "${safe(reference)}".`,
    known.length > 0 ? `Its tasks are:\n${known.join('\n')}` : 'It has no tasks at all: its planning failed.',
  );
}

/** The ids of several tasks, each once. Errors as `taskIdOf`. */
export function taskIdsOf(view: PlanView, references: readonly string[]): string[] {
  return [...new Set(references.map((reference) => taskIdOf(view, reference)))];
}

/** A name for a plan that was given none: the first words of its goal, easy to type. */
export function nameFromGoal(goal: string): string {
  const words = goal
    .normalize('NFKD')
    .toLowerCase()
    .match(/[a-z0-9]+/g);
  const name = (words ?? []).slice(0, 6).join('-').slice(0, 40).replace(/-+$/, '');
  return name === '' || name === 'latest' || /^plan-[0-9a-f]*$/.test(name) ? 'untitled-plan' : name;
}

/**
 * A name as `--name` gave it.
 * @throws UsageError where it could not be typed, or would be taken for an id or "latest"
 */
export function checkName(name: string): string {
  const given = name.trim();
  const rule = 'A name has 1 to 80 visible characters, is not "latest", and does not look like an id (plan-1a2b3c4d).';
  if (given === '' || [...given].length > 80 || safe(given) !== given)
    throw new UsageError(`--name ${safe(name)} is no name.`, rule);
  if (given === 'latest' || /^plan-[0-9a-f]{1,8}$/.test(given)) {
    throw new UsageError(`"${given}" cannot be the name of a plan.`, rule);
  }
  return given;
}
