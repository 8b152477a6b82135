import { defineCommand, nonEmpty } from '../command';
import { EXIT } from '../exit-codes';
import { nextCommands } from '../show/outcome-text';
import { safe } from '../show/style';

export const command = defineCommand<{ plan?: string; reason?: string; as?: string }>({
  about:
    'Stops the run of a plan, whatever it does: planning, running, waiting for people, paused or frozen. Calls of the model ' +
    'are aborted; a write that is under way is finished and recorded; open gates are withdrawn. Files that were written ' +
    'stay; `planwright apply --resume` goes on.',
  args: [{ name: 'plan', about: 'id, unique prefix, name or "latest"; the active plan unless given' }],
  options: [
    { flags: '--reason <text>', about: 'why; kept with the plan' },
    { flags: '--as <who>', about: 'who cancels (your user name)' },
  ],
  examples: ['planwright cancel', 'planwright cancel plan-1a2b3c4d --reason "wrong branch"'],
  parse: (raw) => ({ plan: raw.args[0], reason: nonEmpty(raw, 'reason'), as: nonEmpty(raw, 'as') }),
  async run(context, { plan, reason, as }) {
    const { io, show } = context;
    const client = await context.client();
    const id = await client.resolve(plan);
    const by = as ?? io.user();
    await client.cancel(id, by, reason ?? null);
    show.document(
      { plan: id, cancelled: true, by, reason: reason ?? null },
      () => `Plan ${id} is cancelled by ${safe(by)}.\n`,
    );
    const { view } = await client.show(id);
    show.next([`planwright plan show ${id}`, ...nextCommands(view)]);
    return EXIT.done;
  },
});
