import { defineCommand, flag } from '../command';
import { EXIT } from '../exit-codes';
import { safe } from '../show/style';

export const command = defineCommand<{ purge: boolean }>({
  about: 'Stops exactly what `planwright up` started. Plans wait and go on at the next command.',
  options: [{ flags: '--purge', about: 'delete the database too: the history of every plan is lost' }],
  examples: ['planwright down', 'planwright down --purge'],
  parse: (raw) => ({ purge: flag(raw, 'purge') }),
  async run(context, { purge }) {
    const { io, show } = context;
    const stopped = await io.rooms.down({ env: io.env, purge, note: (line) => show.note(safe(line)) });
    show.document({ stopped, purged: purge }, (style) =>
      stopped
        .map(
          ({ name, pid, killed }) => `${style.good('✓')} ${name} (pid ${pid}) ${killed ? 'was killed' : 'stopped'}\n`,
        )
        .join(''),
    );
    if (stopped.length > 0 && !purge) show.note('Plans that were under way wait, and go on at the next command.');
    show.next(['planwright up']);
    return EXIT.done;
  },
});
