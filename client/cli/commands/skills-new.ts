import { defineCommand, flag } from '../command';
import { EXIT } from '../exit-codes';
import { safe } from '../show/style';

interface Parsed {
  name: string;
  user: boolean;
}

export const command = defineCommand<Parsed>({
  about: "Makes a folder with a SKILL.md and a template to begin with. A built-in skill's name cannot be taken.",
  args: [{ name: 'name', about: 'lower-case letters, digits and hyphens', required: true }],
  options: [{ flags: '--user', about: 'for all your workspaces, beside your config.yaml' }],
  examples: ['planwright skills new backup-script', 'planwright skills new backup-script --user'],
  parse: (raw) => ({ name: raw.args[0] ?? '', user: flag(raw, 'user') }),
  async run({ io, show, layout }, { name, user }) {
    const files = await io.rooms.newSkill({ layout: layout(), env: io.env, name, user });
    show.document(
      { skill: name, files },
      (style) => `${files.map((file) => `${style.good('+')} ${safe(file)}\n`).join('')}`,
    );
    show.next([`planwright skills validate ${name}`]);
    return EXIT.done;
  },
});
