import type { OptionSpec, Raw } from '../command';
import { nonEmpty } from '../command';
import type { Context } from '../context';
import { EXIT } from '../exit-codes';
import { safe } from '../show/style';

/** What `pause` and `unpause` have in common. */
export interface Hold {
  plan?: string;
  reason?: string;
  as?: string;
}

export const HOLD_OPTIONS: OptionSpec[] = [
  { flags: '--reason <text>', about: 'why; kept with the plan' },
  { flags: '--as <who>', about: 'who says so (your user name)' },
];

export const parseHold = (raw: Raw): Hold => ({
  plan: raw.args[0],
  reason: nonEmpty(raw, 'reason'),
  as: nonEmpty(raw, 'as'),
});

/** @returns the exit code */
export async function pauseOrUnpause(context: Context, hold: Hold, verb: 'pause' | 'unpause'): Promise<number> {
  const { io, show } = context;
  const client = await context.client();
  const id = await client.resolve(hold.plan);
  const answer = await client[verb](id, { by: hold.as ?? io.user(), reason: hold.reason ?? null });
  show.document({ plan: id, ...answer }, () => {
    const by = safe(answer.by);
    if (verb === 'unpause') return `Plan ${id} goes on, by ${by}.\n`;
    if (!answer.changed) return `Plan ${id} is paused already, by ${by} since ${answer.at}.\n`;
    const rest =
      answer.finishing.length === 0 ? '' : ` First it finishes a step of task ${answer.finishing.join(', ')}.`;
    return `Plan ${id} is paused by ${by}.${rest}\n`;
  });
  show.next(verb === 'pause' ? [`planwright unpause ${id}`] : [`planwright watch ${id}`]);
  return EXIT.done;
}
