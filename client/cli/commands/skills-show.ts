import { UsageError } from '../../../plan/errors';
import type { Json } from '../../../plan/types';
import { defineCommand } from '../command';
import { EXIT } from '../exit-codes';
import { safe } from '../show/style';

export const command = defineCommand<string>({
  about:
    'One skill: what it is for, the keys of its input and output, the paths that it may write, its checks and its digest.',
  args: [{ name: 'name', about: 'name of the skill', required: true }],
  examples: ['planwright skills show kubernetes', 'planwright skills show kubernetes --json'],
  parse: ({ args: [name] }) => name ?? '',
  async run({ io, show, layout }, name) {
    const { skills } = await io.rooms.skills({ layout: layout(), env: io.env });
    const skill = skills.get(name);
    if (!skill) throw new UsageError(`There is no skill "${name}".`, `There are: ${[...skills.keys()].join(', ')}.`);
    const { templates, partials: _partials, ...data } = skill;
    show.document({ ...data, templates: templates.map(({ path, existing }) => ({ path, existing })) }, (style) => {
      const row = (title: string, values: readonly string[]): string =>
        values.length === 0 ? '' : `${style.strong(title.padEnd(12))}${values.map(safe).join(', ')}\n`;
      const keys = described(skill.inputSchema).map(([key, about]) => `  ${safe(key)}: ${safe(about)}\n`);
      return [
        `${style.strong(safe(skill.name))} ${safe(skill.version)} (${safe(skill.source)}), risk ${style.risk(skill.risk)}\n`,
        `${safe(skill.description)}\n\n`,
        keys.length > 0 ? `${style.strong('input')}\n${keys.join('')}` : '',
        row('output', [...described(skill.outputSchema).map(([key]) => key), 'summary', 'files']),
        row('may write', skill.scope),
        row('checked by', skill.verifiers),
        row('goal words', skill.triggers),
        row('digest', [skill.digest]),
      ].join('');
    });
    show.next(['planwright plan "<goal>"']);
    return EXIT.done;
  },
});

/** Keys of a JSON Schema with what it says of them. */
function described(schema: { [key: string]: Json }): [key: string, about: string][] {
  const { properties } = schema;
  if (properties === null || typeof properties !== 'object' || Array.isArray(properties)) return [];
  return Object.entries(properties).map(([key, value]) => {
    const about = value !== null && typeof value === 'object' && !Array.isArray(value) ? value.description : '';
    return [key, typeof about === 'string' ? about : ''];
  });
}
