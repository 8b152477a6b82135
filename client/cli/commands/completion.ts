import { escapeForDisplay } from '../../../plan/display';
import { UsageError } from '../../../plan/errors';
import { defineCommand } from '../command';
import { fishScript } from '../completion/fish';
import { bashScript, zshScript } from '../completion/posix';
import type { CommandWords } from '../completion/words';
import { commandWords } from '../completion/words';
import { EXIT } from '../exit-codes';
import { REGISTRY } from '../registry';

const SCRIPTS: { readonly [shell: string]: (commands: readonly CommandWords[]) => string } = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};
const SHELLS = Object.keys(SCRIPTS);

export const command = defineCommand<{ shell: string }>({
  about: 'Prints a script that completes commands, options and the plans of the workspace at the time.',
  args: [{ name: 'shell', about: SHELLS.join(', '), required: true, values: SHELLS }],
  examples: [
    'source <(planwright completion bash)',
    'source <(planwright completion zsh)',
    'planwright completion fish | source',
  ],
  parse: ({ args: [shell = ''] }) => {
    if (SHELLS.includes(shell)) return { shell };
    const what = `There is no completion for "${escapeForDisplay(shell)}".`;
    throw new UsageError(what, `There is one for ${SHELLS.join(', ')}.`);
  },
  async run({ show }, { shell }) {
    const script = SCRIPTS[shell]?.(commandWords(REGISTRY)) ?? '';
    show.document({ shell, script }, () => script);
    return EXIT.done;
  },
});
