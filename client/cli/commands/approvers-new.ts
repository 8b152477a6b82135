import { resolve } from 'node:path';
import { UsageError } from '../../../plan/errors';
import { defineCommand, nonEmpty } from '../command';
import { EXIT } from '../exit-codes';
import { policyLines } from '../policy-lines';
import { safe } from '../show/style';

interface Parsed {
  name: string;
  key: string;
}

export const command = defineCommand<Parsed>({
  about:
    'Makes an Ed25519 key for somebody who decides. The private half goes into a new file of mode 0600 outside every workspace; ' +
    'the public half is printed as the lines that the policy needs.',
  args: [{ name: 'name', about: 'who decides with it', required: true }],
  options: [{ flags: '--key <file>', about: 'the new file' }],
  examples: ['planwright approvers new ana --key ~/.config/planwright/ana.pem'],
  parse(raw) {
    const key = nonEmpty(raw, 'key');
    if (key === undefined) throw new UsageError('--key is missing: the file that is to hold the private key.');
    return { name: raw.args[0] ?? '', key };
  },
  async run(context, { name, key }) {
    const { io, show } = context;
    const file = resolve(io.cwd, key);
    const publicKey = await io.rooms.newSigningKey(file, context.layout());
    show.document({ name, key: publicKey, file }, () => policyLines(name, publicKey));
    show.note(`The private key is in ${safe(file)}. The lines above go into .planwright/policy.yaml.`);
    show.next([`planwright approve <plan> --key ${safe(key)}`]);
    return EXIT.done;
  },
});
