import { resolve } from 'node:path';
import { defineCommand } from '../command';
import { EXIT } from '../exit-codes';
import { safe } from '../show/style';

export const command = defineCommand<{ file: string; id: string }>({
  about:
    'Lets a key of a file seal what is sent from now on; the others still open. Workers read the file when they start.',
  args: [
    { name: 'file', about: 'the file of keys', required: true },
    { name: 'id', about: 'the key', required: true },
  ],
  examples: ['planwright codec use-key ~/.config/planwright/codec-keys k20261121-4f0a1b'],
  parse: (raw) => ({ file: raw.args[0] ?? '', id: raw.args[1] ?? '' }),
  async run(context, { file, id }) {
    const { io, show } = context;
    const path = resolve(io.cwd, file);
    const keys = await io.rooms.codecKeys.use(path, context.layout(), id);
    show.document({ file: path, keys }, () => `${safe(id)} seals from now on.\n`);
    show.next(['planwright codec show']);
    return EXIT.done;
  },
});
