import { staleTasks } from '../../../plan/selection';
import { defineCommand } from '../command';
import { EXIT } from '../exit-codes';
import { pricesInForce } from '../providers';
import { historyText } from '../show/history-text';

export const command = defineCommand<{ plan?: string }>({
  about:
    'A plan with its tasks, runs, decisions, files, verification and tokens. Works without Temporal, from the plan file, and says so.',
  args: [{ name: 'plan', about: 'id, unique prefix, name or "latest"; the active plan unless given' }],
  examples: ['planwright history show', 'planwright history show latest --json'],
  parse: ({ args: [plan] }) => ({ plan }),
  async run(context, { plan }) {
    const { show } = context;
    const client = await context.client({ readOnly: true, orDisk: true });
    const { view, source, note } = await client.show(await client.resolve(plan));
    const prices = await pricesInForce(context);
    const stale = staleTasks(view);
    // `source` and `note` tell a program what the text tells a person: who answered.
    const document = { ...view, ...(stale.length > 0 ? { stale } : {}), source, note };
    show.document(document, (style) => historyText(view, style, note, prices));
    show.next([`planwright plan diff ${view.id}`, 'planwright history list']);
    return EXIT.done;
  },
});
