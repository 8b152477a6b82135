import { defineCommand } from '../command';
import { EXIT } from '../exit-codes';
import { safe } from '../show/style';

export const command = defineCommand<null>({
  about: 'Looks at everything that Planwright needs and says what to do about what is missing. Changes nothing.',
  examples: ['planwright doctor', 'planwright doctor --json'],
  parse: () => null,
  async run(context) {
    const { io, show } = context;
    const note = (line: string): void => show.note(safe(line));
    const checks = await io.rooms.doctor({ layout: context.layout(), env: io.env, note });
    const failed = checks.some(({ ok }) => ok === 'fail');
    show.document({ ok: !failed, checks }, (style) => {
      const marks = { ok: style.good('✓'), warn: style.warn('!'), fail: style.bad('✗') };
      return checks
        .map(({ name, ok, detail, advice }) => {
          const more = advice === undefined || ok === 'ok' ? '' : `\n    ${safe(advice)}`;
          return `${marks[ok]} ${safe(name)}: ${safe(detail)}${more}\n`;
        })
        .join('');
    });
    show.next(failed ? ['planwright doctor'] : ['planwright plan "<goal>"']);
    return failed ? EXIT.failed : EXIT.done;
  },
});
