import type { CommandWords } from './words';

/**
 * The part that bash and zsh share: functions that print candidates, one a line. Only words of our own registry and plan
 * names of plain characters reach the shell: a name is data of a workspace, perhaps a stranger's, and is never evaluated.
 */
function shared(commands: readonly CommandWords[]): string {
  const next = commands.filter((one) => one.next.length > 0);
  const options = commands.filter((one) => one.options.length > 0);
  const valued = commands.flatMap((one) =>
    one.options.filter(({ takesValue }) => takesValue).flatMap(({ flags }) => flags),
  );
  const plans = commands.filter(({ takesPlan }) => takesPlan).map(({ path }) => `'${path}'`);
  return `_planwright_next() {
  case "$1" in
${next.map((one) => `    '${one.path}') printf '%s\\n' ${one.next.map(({ word }) => word).join(' ')} ;;`).join('\n')}
    *) ;;
  esac
}
_planwright_options() {
  case "$1" in
${options.map((one) => `    '${one.path}') printf '%s\\n' ${one.options.flatMap(({ flags }) => flags).join(' ')} ;;`).join('\n')}
    *) ;;
  esac
}
_planwright_takes_value() {
  case "$1" in
    ${[...new Set(valued)].join('|')}) return 0 ;;
    *) return 1 ;;
  esac
}
_planwright_takes_plan() {
  case "$1" in
    ${plans.join('|')}) return 0 ;;
    *) return 1 ;;
  esac
}
_planwright_plans() {
  printf 'latest\\n'
  planwright -C "$1" --quiet plan list --json 2>/dev/null </dev/null |
    sed -n -E 's/^    "(id|name)": "([A-Za-z0-9][A-Za-z0-9._-]*)",?$/\\2/p'
}
# $1: the word under the cursor; then the words before it, without the program's name.
_planwright_candidates() {
  local cur="$1" at='' dir=. prev='' args=0 word
  shift
  for word in "$@"; do
    if _planwright_takes_value "$prev"; then
      if [ "$prev" = -C ]; then dir="$word"; fi
      prev=''
      continue
    fi
    prev="$word"
    case "$word" in
      -*) continue ;;
      *) ;;
    esac
    if [ "$args" = 0 ] && _planwright_next "$at" | grep -q -x -F -e "$word"; then
      at="\${at:+$at }$word"
    else
      args=1
    fi
  done
  if _planwright_takes_value "$prev"; then return 0; fi
  case "$cur" in
    -*)
      _planwright_options "$at"
      if [ -n "$at" ]; then _planwright_options ''; fi
      return 0
      ;;
    *) ;;
  esac
  if [ "$args" = 1 ]; then return 0; fi
  _planwright_next "$at"
  if _planwright_takes_plan "$at"; then _planwright_plans "$dir"; fi
}
`;
}

/** To be sourced, or put where bash-completion looks. */
export function bashScript(commands: readonly CommandWords[]): string {
  return `# Completion of planwright for bash. Use: source <(planwright completion bash)
${shared(commands)}
_planwright() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" line
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ "$line" == "$cur"* ]]; then COMPREPLY+=("$line"); fi
  done < <(_planwright_candidates "$cur" "\${COMP_WORDS[@]:1:COMP_CWORD-1}")
}
complete -o default -F _planwright planwright
`;
}

/** To be sourced, or saved as `_planwright` in a folder of $fpath. */
export function zshScript(commands: readonly CommandWords[]): string {
  return `#compdef planwright
# Completion of planwright for zsh. Use: source <(planwright completion zsh)
${shared(commands)}
_planwright() {
  local -a found before
  before=("\${(@)words[2,CURRENT-1]}")
  found=("\${(@f)$(_planwright_candidates "\${words[CURRENT]}" "\${before[@]}")}")
  found=("\${(@)found:#}")
  if (( \${#found} )); then compadd -a found; else _files; fi
}
if [ "\${funcstack[1]}" = _planwright ]; then
  _planwright "$@"
else
  compdef _planwright planwright
fi
`;
}
