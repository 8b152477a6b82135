import { UsageError } from '../../../plan/errors';
import { defineCommand, flag } from '../command';
import type { Context } from '../context';
import { EXIT } from '../exit-codes';
import { safe } from '../show/style';

export const command = defineCommand<{ purge: boolean; yes: boolean }>({
  about: 'Stops exactly what `planwright up` started. Plans wait and go on at the next command.',
  options: [
    { flags: '--purge', about: 'delete the database too: the history of every plan is lost' },
    { flags: '--yes', about: 'with --purge: do not ask' },
  ],
  examples: ['planwright down', 'planwright down --purge', 'planwright down --purge --yes'],
  parse: (raw) => {
    const [purge, yes] = [flag(raw, 'purge'), flag(raw, 'yes')];
    if (yes && !purge) throw new UsageError('--yes goes with --purge.', 'planwright down --purge --yes');
    return { purge, yes };
  },
  async run(context, { purge, yes }) {
    const { io, show } = context;
    if (purge && !yes && !(await agreed(context))) {
      show.demand(['Nothing was stopped and nothing deleted.']);
      return EXIT.usage;
    }
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

/** Asks at a terminal; a script that says --purge has said it. */
async function agreed({ io, globals, show }: Context): Promise<boolean> {
  if (io.stdin.isTTY !== true || io.stderr.isTTY !== true || globals.json) return true;
  show.demand([
    'This deletes the database of the embedded server: what waits or runs in any workspace of yours ends, and its history is lost.',
    'Plan files, stored contents and everything that was written stay.',
  ]);
  const answer = await io.prompter.ask('Type "purge" to go on: ', new AbortController().signal);
  return answer.kind === 'line' && answer.line.trim() === 'purge';
}
