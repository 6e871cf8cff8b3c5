import { type CommandNode, nodesOf } from "./command-tree.ts";
import { offer, quoted, valued, valueRows, WordLists, wordList } from "./shell-words.ts";

/** Completion for bash 3.2 and later, as `complete -F` takes it. */
export function bashCompletion(tree: CommandNode): string {
  const lists = new WordLists();
  const nodes = nodesOf(tree);
  const facts = nodes.map(({ path, commands, options, values }) => {
    const parts = [
      ...(commands.length === 0 ? [] : [`subs=${quoted(wordList(commands.map(({ name }) => name)))}`]),
      `opts=${quoted(wordList(options.flatMap(({ names }) => names)))}`,
      ...(valued(options).length === 0 ? [] : [`valued=${quoted(` ${wordList(valued(options))} `)}`]),
      ...(offer(values, lists) === "" ? [] : [`args=${quoted(offer(values, lists))}`]),
    ];
    return `  ${quoted(path)}) ${parts.join(" ")} ;;`;
  });
  const rows = valueRows(nodes, lists)
    .filter(([, what]) => what !== "")
    .map(([keys, what]) => `  ${keys.map(quoted).join("|")}) kind=${quoted(what)} ;;`);
  return `# bash completion of moecast; written by moecast completion bash
${lists
  .entries()
  .map(([name, words]) => `${name}=${quoted(words)}`)
  .join("\n")}

# What may follow a command: sets subs, opts, valued and args.
_moecast_facts() {
  subs= opts= valued= args=
  case "$1" in
${facts.join("\n")}
  esac
}

# What may stand behind an option of a command: sets kind.
_moecast_kind() {
  kind=
  case "$1" in
${rows.join("\n")}
  esac
}

_moecast_files() {
  local name extension isOffered
  compopt -o filenames 2>/dev/null
  while IFS= read -r name; do
    isOffered=
    [ $# -eq 0 ] || [ -d "$name" ] && isOffered=1
    for extension in "$@"; do [[ "$name" == *".$extension" ]] && isOffered=1; done
    [ -n "$isOffered" ] && COMPREPLY+=("$name")
  done < <(compgen -f -- "$cur")
}

_moecast_offer() {
  local kind="$1" list name
  case "$kind" in
  words\\ *)
    list="\${kind#words }"
    COMPREPLY=($(compgen -W "\${!list}" -- "$cur"))
    [[ "\${COMPREPLY[0]}" == *= ]] && compopt -o nospace 2>/dev/null
    ;;
  files*) _moecast_files \${kind#files} ;;
  folders)
    compopt -o filenames 2>/dev/null
    while IFS= read -r name; do COMPREPLY+=("$name"); done < <(compgen -d -- "$cur")
    ;;
  esac
}

_moecast() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" path= subs opts valued args kind word i open= dashes=
  COMPREPLY=()
  _moecast_facts ''
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    if [ "$word" = = ]; then continue; fi
    if [ -n "$open" ]; then open=; continue; fi
    case "$word" in
    --) dashes=1 ;;
    -*) [[ "$valued" == *" $word "* ]] && open="$word" ;;
    *)
      if [[ " $subs " == *" $word "* ]]; then
        path="\${path:+$path }$word"
        _moecast_facts "$path"
      else subs=; fi
      ;;
    esac
  done
  # --option=value comes as three words.
  if [ "$cur" = = ] && [ -n "$open" ]; then cur=; fi
  if [ -n "$open" ]; then
    _moecast_kind "$path|$open"
    _moecast_offer "$kind"
  elif [[ "$cur" == -* ]] && [ -z "$dashes" ]; then
    COMPREPLY=($(compgen -W "$opts" -- "$cur"))
  else
    [ -n "$subs" ] && COMPREPLY=($(compgen -W "$subs" -- "$cur"))
    [ \${#COMPREPLY[@]} -eq 0 ] && _moecast_offer "$args"
  fi
}

complete -F _moecast moecast
`;
}
