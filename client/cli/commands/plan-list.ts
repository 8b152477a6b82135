import { defineCommand } from '../command';
import { EXIT } from '../exit-codes';
import { listText } from '../show/list-text';
import { elapsed } from '../show/style';

export const command = defineCommand<null>({
  about: 'All plans of the workspace, newest first. A star marks the active one.',
  examples: ['planwright plan list', 'planwright plan list --json'],
  parse: () => null,
  async run(context) {
    const { io, show } = context;
    const client = await context.client({ readOnly: true });
    const plans = await client.list();
    const made = (at: string): string => `${elapsed(io.now() - Date.parse(at))} ago`;
    show.document(plans, (style) => listText(plans, style, { root: context.layout().root, now: io.now(), made }));
    const [latest] = plans;
    const waiting = plans.some((plan) => plan.waiting);
    // Without an active plan the short form would only be refused.
    const look = plans.some((plan) => plan.active) ? 'planwright plan show' : `planwright plan show ${latest?.id}`;
    show.next([latest ? (waiting ? 'planwright approvals' : look) : 'planwright plan "<goal>"']);
    return EXIT.done;
  },
});
