import { defineCommand } from '../command';
import { EXIT } from '../exit-codes';
import { dateOf } from '../show/history-text';
import { listText } from '../show/list-text';
import { safe } from '../show/style';

export const command = defineCommand<null>({
  about: 'Every plan of the workspace with its status, date and goal. Works without Temporal, from the plan files.',
  examples: ['planwright history list', 'planwright history list --json'],
  parse: () => null,
  async run(context) {
    const { io, show } = context;
    const client = await context.client({ readOnly: true, orDisk: true });
    const plans = await client.list();
    if (client.away) show.note(safe(client.away));
    const layout = { root: context.layout().root, now: io.now(), made: dateOf };
    show.document(plans, (style) => listText(plans, style, layout));
    const [latest] = plans;
    show.next([latest ? `planwright history show ${latest.id}` : 'planwright plan "<goal>"']);
    return EXIT.done;
  },
});
