import { DetachedError, FailedError, RefusedError } from '../../plan/errors';
import type { PlanView } from '../../plan/view';
import type { PlanClient } from '../types';
import type { Context } from './context';
import { follow } from './follow';
import { safe } from './show/style';

/**
 * Takes a plan up that Temporal does not know any more, where the person asked to resume it; says what is not carried.
 *
 * @param view the plan as its file has it
 * @returns the plan as its new workflow has it
 * @throws RefusedError without `--resume`, DetachedError where the person left, FailedError where the file's graph breaks a rule by now
 */
export async function takeUp(
  context: Context,
  client: PlanClient,
  view: PlanView,
  resume: boolean | undefined,
): Promise<PlanView> {
  const { show, io } = context;
  const { id } = view;
  if (!resume) {
    throw new RefusedError(
      `Temporal does not know plan ${id}: its database is another one, or the plan was deleted there. ` +
        'What is left is the plan file, the object store, and the files on disk.',
      `Take it up from them with \`planwright apply ${id} --resume\`, or make a new plan.`,
    );
  }
  show.note(`Temporal does not know plan ${id}: taking it up from its plan file.`);
  const { kept, broken } = await client.takeUp(id, io.user());
  for (const { task, why } of broken)
    show.note(`Task ${view.tasks[task]?.number ?? safe(task)} begins again: ${safe(why)}`);
  const by = io.user();
  const ending = await follow({
    ...{ client, id, io, show, by, before: view, atGate: 'stay' },
    settled: ({ status }) => status !== 'planning',
  });
  if (ending.kind !== 'settled') {
    const by = ending.kind === 'detached' ? ending.by : null;
    throw new DetachedError(
      `Plan ${id} was left while it was taken up; it goes on by itself.`,
      by === 'SIGTERM' ? 143 : by === 'SIGINT' ? 130 : 8,
      `Once it is ready: \`planwright apply ${id} --resume\`.`,
    );
  }
  const { failure, tasks } = ending.view;
  if (failure)
    throw new FailedError(
      `Plan ${id} cannot be taken up: ${safe(failure.message)}`,
      `Its plan file is kept as ${kept}.`,
    );
  const before = Object.values(view.tasks).filter(({ status }) => status === 'completed').length;
  const now = Object.values(tasks).filter(({ status }) => status === 'completed').length;
  for (const { number, status, reason } of Object.values(tasks)) {
    if (status === 'pending' && reason) show.note(`Task ${number} runs again: ${safe(reason)}`);
  }
  const carried =
    before === 0
      ? 'No task had completed.'
      : `${now} of ${before} completed tasks stay completed: their files on disk are the recorded ones.`;
  show.note(`${carried} Decisions are not carried over. The old plan file is kept as ${safe(kept)}.`);
  return ending.view;
}
