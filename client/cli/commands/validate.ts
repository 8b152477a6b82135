import { defineCommand } from '../command';
import { EXIT } from '../exit-codes';
import { nextCommands } from '../show/outcome-text';
import { plural, safe } from '../show/style';

export const command = defineCommand<{ plan?: string }>({
  about:
    "Checks a plan's tasks again: known skills, inputs, dependencies, references, paths and the policy. Exits 2 for faults.",
  args: [{ name: 'plan', about: 'id, unique prefix, name or "latest"; the active plan unless given' }],
  examples: ['planwright validate', 'planwright validate plan-1a2b3c4d --json'],
  parse: (raw) => ({ plan: raw.args[0] }),
  async run(context, { plan }) {
    const { io, show } = context;
    const client = await context.client({ readOnly: true });
    const { view } = await client.show(await client.resolve(plan));
    const faults = await io.rooms.graphFaults(view, { layout: context.layout(), env: io.env });
    show.document({ plan: view.id, ok: faults.length === 0, faults }, (style) => {
      const title = `Plan ${view.id} (${safe(view.name)})`;
      if (faults.length === 0)
        return `${style.good('✓')} ${title} is sound: ${plural(view.graph.nodes.length, 'task')}.\n`;
      const lines = faults.map((fault) => `  ${safe(fault)}`).join('\n');
      return `${style.bad('✗')} ${title} has ${plural(faults.length, 'fault')}:\n${lines}\n`;
    });
    show.next(faults.length === 0 ? nextCommands(view) : ['planwright plan "<goal>"']);
    return faults.length === 0 ? EXIT.done : EXIT.usage;
  },
});
