import { defineCommand } from '../command';
import { EXIT } from '../exit-codes';
import { safe } from '../show/style';

export const command = defineCommand<null>({
  about: 'Makes .planwright/ with its settings, policy and .gitignore. What is there already is left alone.',
  examples: ['planwright init', 'planwright -C ../service init'],
  parse: () => null,
  async run(context) {
    const { io, show, globals } = context;
    // Here, not in a parent that happens to be a workspace already.
    const layout = io.rooms.workspaceAt(globals.dir ?? io.cwd, io.cwd);
    const made = await io.rooms.initialise(layout);
    show.document({ workspace: layout.root, id: layout.id, made }, (style) => {
      if (made.length === 0) return `${safe(layout.root)} is a workspace already; nothing was changed.\n`;
      return `${made.map((path) => `${style.good('+')} ${safe(path)}`).join('\n')}\n${safe(layout.root)} is now a workspace.\n`;
    });
    show.next(['planwright plan "<goal>"', 'planwright doctor']);
    return EXIT.done;
  },
});
