import { defineCommand } from '../command';
import { EXIT } from '../exit-codes';
import { safe, short } from '../show/style';

export const command = defineCommand<null>({
  about:
    "The built-in skills, the workspace's (.planwright/skills) and your own (skills/ beside your config.yaml). A name belongs to the first that has it; what is not used is listed with the reason.",
  examples: ['planwright skills list', 'planwright skills list --json'],
  parse: () => null,
  async run({ io, show, layout }) {
    const { skills, faults } = await io.rooms.skills({ layout: layout(), env: io.env });
    const all = [...skills.values()].map(({ name, version, risk, type, source, description, triggers, digest }) => {
      return { name, version, risk, type, source, description, triggers, digest };
    });
    show.document({ skills: all, faults }, (style) => {
      const width = Math.max(...all.map(({ name }) => name.length));
      const lines = all.map(({ name, risk, type, source, description }) => {
        const from = type === 'built-in' ? '' : style.dim(` (${safe(source)})`);
        return `${style.strong(safe(name).padEnd(width))}  ${style.risk(risk)}${' '.repeat(8 - risk.length)}${short(description, 100)}${from}`;
      });
      const unused = faults.map(({ source, why }) => `${style.bad('✗')} ${safe(source)} is not used: ${safe(why)}`);
      return `${[...lines, ...unused].join('\n')}\n`;
    });
    show.next(['planwright skills show <name>']);
    return EXIT.done;
  },
});
