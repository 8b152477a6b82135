import { UsageError } from '../../../plan/errors';
import type { Command } from '../command';
import { defineCommand } from '../command';

/** A word that only begins a command, such as `history`: its help names the rest, and alone it is not enough. */
export function groupCommand(name: string, verbs: readonly string[]): Command {
  const lines = verbs.map((verb) => `planwright ${name} ${verb}`);
  return defineCommand<null>({
    args: [{ name: verbs.join('|'), about: 'what to do' }],
    examples: lines.map((line) => `${line} --help`),
    parse: ({ args: [word] }) => {
      const what = word === undefined ? `planwright ${name} needs one more word.` : `There is no "${name} ${word}".`;
      throw new UsageError(what, `There are: ${lines.join(', ')}.`);
    },
    run: () => Promise.reject(new Error('parse always throws')),
  });
}
