import { defineCommand } from '../command';
import { EXIT } from '../exit-codes';

export const command = defineCommand<{ plan?: string }>({
  about:
    "Replays a plan's event history on the workflow code of this installation: deterministic, or where not (exit 3). What Temporal has forgotten is taken from what the workspace keeps; where that lacks a part, the rest is checked and the exit code is 4.",
  args: [{ name: 'plan', about: 'id, unique prefix, name or "latest"; the active plan unless given' }],
  examples: ['planwright history check', 'planwright history check latest --json'],
  parse: ({ args: [plan] }) => ({ plan }),
  async run(context, { plan }) {
    const { show, io } = context;
    const client = await context.client({ readOnly: true });
    const id = await client.resolve(plan);
    const { withKept } = require('../../audit/history-objects') as typeof import('../../audit/history-objects');
    const { executions, missing } = await withKept(context.layout(), id, () => client.histories(id));
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
