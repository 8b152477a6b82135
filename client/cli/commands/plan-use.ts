import { defineCommand } from '../command';
import { EXIT } from '../exit-codes';

export const command = defineCommand<{ plan: string }>({
  about: 'Makes a plan the active one: what commands mean that name none.',
  args: [{ name: 'plan', about: 'id, unique prefix, name or "latest"', required: true }],
  examples: ['planwright plan use plan-1a2b3c4d', 'planwright plan use latest'],
  parse: (raw) => ({ plan: raw.args[0] ?? '' }),
  async run(context, { plan }) {
    const client = await context.client({ readOnly: true });
    const id = await client.resolve(plan);
    await client.use(id);
    context.show.document({ active: id }, () => `The active plan is ${id}.\n`);
    context.show.next(['planwright plan show', 'planwright apply']);
    return EXIT.done;
  },
});
