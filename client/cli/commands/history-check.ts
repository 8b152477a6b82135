import { IntegrityError, UnreachableError } from '../../../plan/errors';
import type { PlanHistories } from '../../histories';
import type { PlanClient } from '../../types';
import { absolute, desk, HISTORY_OPTION, historyFiles, PLAN_ARG, planOfLog } from '../audit';
import { defineCommand } from '../command';
import type { Context } from '../context';
import { EXIT } from '../exit-codes';

export const command = defineCommand<{ plan?: string; files: string[] }>({
  about:
    "Replays a plan's event history on the workflow code of this installation: deterministic, or where not (exit 3). What Temporal has\n" +
    'forgotten is taken from what the workspace keeps, or from files; where that lacks a part, the rest is checked and the exit code is 4.',
  args: [PLAN_ARG],
  options: [HISTORY_OPTION],
  examples: ['planwright history check', 'planwright history check latest --json'],
  parse: (raw) => ({ plan: raw.args[0], files: historyFiles(raw) }),
  async run(context, { plan, files }) {
    const { show, io } = context;
    const client = await context.client({ readOnly: true, orDisk: true });
    const id = await planOfLog(context, client, plan);
    const { executions, missing } = await historiesOf(context, client, id, files);
    const replayed = await io.rooms.replay(id, executions, io.env);
    const broken = replayed.filter(({ fault }) => fault !== null);
    const events = replayed.reduce((sum, one) => sum + one.events, 0);
    const deterministic = broken.length === 0;
    show.document({ plan: id, deterministic, executions: replayed, missing }, (style) =>
      [
        ...broken.map(({ run, fault }) => style.bad(`✗ execution ${run}: ${fault}`)),
        ...(deterministic
          ? [`${id} is deterministic: ${replayed.length} execution(s), ${events} events replayed.`]
          : []),
        ...(missing === null
          ? []
          : [`Execution ${missing} and those before it are no longer in Temporal, and were not kept.`]),
      ].join('\n'),
    );
    if (!deterministic) return EXIT.integrity;
    return missing === null ? EXIT.done : EXIT.unreachable;
  },
});

/**
 * @throws UnreachableError where Temporal knows nothing of the plan, or cannot be asked, and nothing was kept
 * @throws IntegrityError where a kept history was changed
 */
async function historiesOf(
  context: Context,
  client: PlanClient,
  id: string,
  files: readonly string[],
): Promise<PlanHistories> {
  const { withKept } = require('../../audit/kept-histories') as typeof import('../../audit/kept-histories');
  const asked = await client.histories(id).catch((error: unknown) => {
    if (error instanceof UnreachableError) return error;
    throw error;
  });
  if (!(asked instanceof UnreachableError) && asked.missing === null) return asked;
  const { histories: kept, changed } = await (await desk(context)).kept(id, absolute(context, files));
  const [fault] = changed;
  if (fault) throw new IntegrityError(`${fault.what} is not what was kept: ${fault.actual}`);
  if (!(asked instanceof UnreachableError)) return withKept(asked, kept);
  if (kept.length === 0) throw asked;
  context.show.note(`${asked.message} The history that was kept is checked.`);
  return withKept(null, kept);
}
