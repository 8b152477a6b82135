import type { CommandWords } from './words';

/** To be sourced, or saved as `planwright.fish` in fish's folder of completions. */
export function fishScript(commands: readonly CommandWords[]): string {
  const valued = commands.flatMap((one) =>
    one.options.filter(({ takesValue }) => takesValue).flatMap(({ flags }) => flags),
  );
  const paths = commands.map(({ path }) => path).filter((path) => path !== '');
  const lines = commands.flatMap((one) => [
    ...one.next.map(({ word, about }) => `${at(one.path)} -f -a ${quote(word)} -d ${quote(about)}`),
    ...one.options.map((option) => optionLine(one.path, option)),
    ...(one.takesPlan ? [`${at(one.path)} -f -a '(__planwright_plans)'`] : []),
  ]);
  return `# Completion of planwright for fish. Use: planwright completion fish | source
# The command that the words before the cursor name: its path, as "plan show".
function __planwright_path
    set -l valued ${[...new Set(valued)].join(' ')}
    set -l known ${paths.map(quote).join(' ')}
    set -l path ''
    set -l previous ''
    for word in (commandline -opc)[2..-1]
        if contains -- "$previous" $valued
            set previous ''
            continue
        end
        set previous $word
        string match -q -- '-*' $word; and continue
        set -l longer (string trim -- "$path $word")
        contains -- "$longer" $known; or break
        set path $longer
    end
    echo $path
end
function __planwright_at
    test "$(__planwright_path)" = "$argv[1]"
end
# Only names of plain characters: a name is data of a workspace, perhaps a stranger's.
function __planwright_plans
    echo latest
    planwright --quiet plan list --json 2>/dev/null </dev/null | sed -n -E 's/^    "(id|name)": "([A-Za-z0-9][A-Za-z0-9._-]*)",?$/\\2/p'
end
${lines.join('\n')}
`;
}

const at = (path: string): string => `complete -c planwright -n ${quote(`__planwright_at ${quote(path)}`)}`;

function optionLine(path: string, { flags, about, takesValue }: CommandWords['options'][number]): string {
  const named = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  // Global options are offered after every command.
  const where = path === '' ? 'complete -c planwright' : at(path);
  return `${where} ${named.join(' ')}${takesValue ? ' -r' : ''} -d ${quote(about)}`;
}

/** In single quotes fish reads only \\\\ and \\'. */
function quote(word: string): string {
  return `'${word.replace(/[\\']/g, (one) => `\\${one}`)}'`;
}
