import { defineCommand, flag } from '../command';
import { CONFIG_KEYS } from '../config-keys';
import { EXIT } from '../exit-codes';
import { safe } from '../show/style';

interface Parsed {
  key: string;
  value: string;
  user: boolean;
}

export const command = defineCommand<Parsed>({
  about: "Changes a setting in the workspace's config.yaml, or with --user in your own. Comments stay.",
  args: [
    {
      name: 'key',
      about: `one of ${CONFIG_KEYS.join(', ')} (baseUrl with --user only)`,
      required: true,
      values: CONFIG_KEYS,
    },
    { name: 'value', about: 'the new value', required: true },
  ],
  options: [{ flags: '--user', about: 'in your own config.yaml, for all workspaces' }],
  examples: ['planwright config set provider template', 'planwright config set temperature 0.1 --user'],
  parse: (raw) => ({ key: raw.args[0] ?? '', value: raw.args[1] ?? '', user: flag(raw, 'user') }),
  async run({ io, show, layout }, { key, value, user }) {
    const target = user ? { kind: 'user' as const, env: io.env } : { kind: 'workspace' as const, layout: layout() };
    const path = await io.rooms.setConfig(target, key, value, io.env);
    show.document({ key, value, path }, () => `${key} is ${safe(value)} now, in ${safe(path)}.\n`);
    show.next(['planwright config get']);
    return EXIT.done;
  },
});
