import { defineCommand } from '../command';
import { safe } from '../show/style';

export const command = defineCommand<null>({
  about: "Runs this workspace's worker in the foreground until Ctrl-C. Its log is on stdout, one JSON object a line.",
  examples: ['planwright worker', 'planwright worker --address temporal.example:7233 --namespace platform'],
  parse: () => null,
  async run(context) {
    const { io, show, globals } = context;
    const { address, namespace, profile } = globals;
    const note = (line: string): void => show.note(safe(line));
    return io.rooms.worker({ layout: context.layout(), env: io.env, flags: { address, namespace, profile }, note });
  },
});
