import { resolve } from 'node:path';
import { defineCommand } from '../command';
import { EXIT } from '../exit-codes';
import { safe } from '../show/style';

export const command = defineCommand<{ file: string }>({
  about:
    'Makes a key that encrypts what Temporal stores, in a file of mode 0600 outside every workspace. Where the file exists the key\n' +
    'is added: it opens from now on, and `planwright codec use-key` has it seal. See docs/encryption.md.',
  args: [{ name: 'file', about: 'the file of keys', required: true }],
  examples: ['planwright codec new-key ~/.config/planwright/codec-keys'],
  parse: (raw) => ({ file: raw.args[0] ?? '' }),
  async run(context, { file }) {
    const { io, show } = context;
    const path = resolve(io.cwd, file);
    const { id, fingerprint, count } = await io.rooms.codecKeys.add(path, context.layout());
    show.document({ id, fingerprint, file: path, keys: count }, () => `${id} (${fingerprint}) is in ${safe(path)}.\n`);
    if (count > 1) show.note('It opens, and seals nothing yet: give the file to every worker and user first.');
    show.next(
      count > 1
        ? [`planwright codec use-key ${safe(file)} ${id}`]
        : [`export PLANWRIGHT_CODEC_KEY_FILE=${safe(path)}`, 'planwright codec show'],
    );
    return EXIT.done;
  },
});
