import { defineCommand } from '../command';
import { EXIT } from '../exit-codes';
import { explanation } from '../show/explanation';
import { nextCommands } from '../show/outcome-text';

export const command = defineCommand<{ plan?: string }>({
  about: 'Says in plain language what a plan will do, in which order and why, what it will ask, and how to undo it.',
  args: [{ name: 'plan', about: 'id, unique prefix, name or "latest"; the active plan unless given' }],
  examples: ['planwright explain', 'planwright explain latest'],
  parse: (raw) => ({ plan: raw.args[0] }),
  async run(context, { plan }) {
    const { show } = context;
    const client = await context.client({ readOnly: true });
    const { view } = await client.show(await client.resolve(plan));
    const paragraphs = explanation(view);
    show.document({ plan: view.id, explanation: paragraphs }, () => `${paragraphs.join('\n\n')}\n`);
    show.next(nextCommands(view, 'explain'));
    return EXIT.done;
  },
});
