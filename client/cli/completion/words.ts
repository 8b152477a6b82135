import { GLOBAL_OPTIONS } from '../globals';
import type { Entry } from '../registry';

/** What can be typed after a command. */
export interface CommandWords {
  /** Words of the command, or '' for the program itself. */
  path: string;
  /** What may follow at once: subcommands, and the values of the first argument where they are few. */
  next: { word: string; about: string }[];
  /** `flags`: as typed, dashes included. */
  options: { flags: string[]; about: string; takesValue: boolean }[];
  /** Its first argument is a plan. */
  takesPlan: boolean;
}

/** Every command of the registry as words, the program itself first. The commands are loaded for it. */
export function commandWords(registry: readonly Entry[]): CommandWords[] {
  const own = registry.map((entry): CommandWords => {
    const { args = [], options = [] } = entry.load();
    const values = (args[0]?.values ?? []).map((word) => ({ word, about: args[0]?.name ?? '' }));
    return {
      path: entry.path,
      next: [...subcommands(registry, entry.path), ...values],
      options: options.map(({ flags, about }) => optionOf(flags, about)),
      takesPlan: args[0]?.name === 'plan',
    };
  });
  const top = registry.filter(({ path }) => !path.includes(' '));
  const next = top.map(({ path, summary }) => ({ word: path, about: summary }));
  return [{ path: '', next, options: globalWords(), takesPlan: false }, ...own];
}

function subcommands(registry: readonly Entry[], path: string): CommandWords['next'] {
  return registry
    .filter((entry) => entry.path.startsWith(`${path} `))
    .map((entry) => ({ word: entry.path.slice(path.length + 1), about: entry.summary }));
}

function globalWords(): CommandWords['options'] {
  const all: readonly (readonly [string, string])[] = [
    ...GLOBAL_OPTIONS,
    ['-h, --help', 'show help'],
    ['--version', 'show the version'],
  ];
  return all.map(([flags, about]) => optionOf(flags, about));
}

function optionOf(flags: string, about: string): CommandWords['options'][number] {
  return { flags: flags.match(/(?<![\w-])--?[A-Za-z][\w-]*/g) ?? [], about, takesValue: flags.includes('<') };
}
