import { defineCommand } from '../command';
import { EXIT } from '../exit-codes';
import { safe } from '../show/style';

export const command = defineCommand<null>({
  about: 'Starts the embedded Temporal server and the worker of this workspace. Other commands do this by themselves.',
  examples: ['planwright up'],
  parse: () => null,
  async run(context) {
    const { io, show } = context;
    const note = (line: string): void => show.note(safe(line));
    const { address, namespace, ui, startedServer } = await io.rooms.up({
      layout: context.layout(),
      env: io.env,
      note,
    });
    show.document({ address, namespace, ui, started: startedServer }, (style) => {
      const state = startedServer ? 'was started' : 'runs already';
      const lines = [`${style.good('✓')} The embedded Temporal server ${state} at ${address}, namespace ${namespace}.`];
      if (ui) lines.push(`  Its web UI: ${ui}`);
      return `${lines.join('\n')}\n`;
    });
    show.next(['planwright plan "<goal>"', 'planwright status', 'planwright down']);
    return EXIT.done;
  },
});
