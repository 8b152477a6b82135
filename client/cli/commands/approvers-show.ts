import { resolve } from 'node:path';
import { UsageError } from '../../../plan/errors';
import { defineCommand, nonEmpty } from '../command';
import { EXIT } from '../exit-codes';
import { policyLines } from '../policy-lines';

export const command = defineCommand<{ key: string; as?: string }>({
  about:
    'The lines that the policy needs for a private key that is there already, for example one that ssh-keygen made.',
  options: [
    { flags: '--key <file>', about: 'an Ed25519 private key, PEM or OpenSSH, mode 0600' },
    { flags: '--as <who>', about: 'who decides with it (whom the policy knows by it, or your user name)' },
  ],
  examples: ['planwright approvers show --key ~/.ssh/id_ed25519'],
  parse(raw) {
    const key = nonEmpty(raw, 'key');
    if (key === undefined) throw new UsageError('--key is missing: the file that holds the private key.');
    return { key, as: nonEmpty(raw, 'as') };
  },
  async run(context, { key, as }) {
    const { io, show } = context;
    const { publicKey } = io.rooms.signingKey(resolve(io.cwd, key), context.layout());
    const known = await io.rooms.approverOf(publicKey, context.layout());
    const name = as ?? known ?? io.user();
    show.document({ name, key: publicKey, known: known !== null }, () => policyLines(name, publicKey));
    if (known === null) show.note('The policy does not name this key yet.');
    return EXIT.done;
  },
});
