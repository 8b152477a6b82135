import { UsageError } from '../../../plan/errors';
import { defineCommand } from '../command';
import { EXIT } from '../exit-codes';
import { plural, safe } from '../show/style';

export const command = defineCommand<string | undefined>({
  about:
    'Checks your own skills: front matter, schemas, scope against the policy, and whether the templates render. Exits 2 for faults.',
  args: [{ name: 'name', about: 'one skill; all of your own unless given' }],
  examples: ['planwright skills validate', 'planwright skills validate backup-script'],
  parse: ({ args: [name] }) => name,
  async run({ io, show, layout }, name) {
    const { skills, faults } = await io.rooms.skills({ layout: layout(), env: io.env });
    const all = [...skills.values()].filter((skill) =>
      name === undefined ? skill.type === 'custom' : skill.name === name,
    );
    const broken = faults.filter(({ source }) => name === undefined || source.endsWith(`/${name}`));
    if (name !== undefined && all.length + broken.length === 0) {
      throw new UsageError(
        `There is no skill "${name}".`,
        'Your own are in .planwright/skills: planwright skills list',
      );
    }
    const tried = all.flatMap((skill) => io.rooms.trySkill(skill).map((why) => ({ source: skill.source, why })));
    const found = [...broken, ...tried];
    show.document({ ok: found.length === 0, skills: all.map((skill) => skill.name), faults: found }, (style) => {
      if (found.length > 0)
        return found.map(({ source, why }) => `${style.bad('✗')} ${safe(source)}: ${safe(why)}\n`).join('');
      return `${style.good('✓')} ${plural(all.length, 'skill')} without faults.\n`;
    });
    show.next(found.length === 0 ? ['planwright plan "<goal>"'] : ['planwright skills list']);
    return found.length === 0 ? EXIT.done : EXIT.usage;
  },
});
