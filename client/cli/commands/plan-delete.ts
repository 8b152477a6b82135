import { defineCommand, nonEmpty } from '../command';
import { EXIT } from '../exit-codes';
import { deletedText, filesOnDisk } from '../show/deleted-text';

export const command = defineCommand<{ plan: string; as?: string }>({
  about:
    'Deletes a plan: ends its workflow and removes its plan file and its recorded calls. Files that it wrote stay, and can no\n' +
    'longer be rolled back; do that first where you want it.',
  args: [{ name: 'plan', about: 'id, unique prefix, name or "latest"', required: true }],
  options: [{ flags: '--as <who>', about: 'who deletes (your user name)' }],
  examples: ['planwright plan delete plan-1a2b3c4d'],
  parse: (raw) => ({ plan: raw.args[0] ?? '', as: nonEmpty(raw, 'as') }),
  async run(context, { plan, as }) {
    const { io, show } = context;
    const client = await context.client();
    const id = await client.resolve(plan);
    const { view } = await client.show(id);
    await client.delete(id, as ?? io.user());
    const files = filesOnDisk(view);
    show.document({ deleted: [id], files }, () => deletedText([{ id, files }]));
    show.next(['planwright plan list']);
    return EXIT.done;
  },
});
