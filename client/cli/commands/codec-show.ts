import { defineCommand } from '../command';
import { EXIT } from '../exit-codes';

export const command = defineCommand<null>({
  about: 'Shows whether payloads are encrypted, and by which keys: their ids and fingerprints, never the keys.',
  examples: ['planwright codec show', 'planwright codec show --json'],
  parse: () => null,
  async run(context) {
    const { io, show } = context;
    const keys = io.rooms.codecKeys.inForce(io.env, context.layout());
    show.document({ encrypts: keys.length > 0, keys }, () =>
      keys.length === 0
        ? 'Payloads are not encrypted: no keys are configured.\n'
        : keys.map(({ id, fingerprint }, at) => `${id}  ${fingerprint}  ${at === 0 ? 'seals' : 'opens'}\n`).join(''),
    );
    if (keys.length === 0) show.next(['planwright codec new-key ~/.config/planwright/codec-keys']);
    return EXIT.done;
  },
});
