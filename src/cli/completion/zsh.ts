import { type CommandNode, nodesOf, type OptionNode } from "./command-tree.ts";
import { offer, quoted, valued, valueRows, WordLists, wordList } from "./shell-words.ts";

/** `name:about` as _describe takes it. */
const described = (name: string, about: string): string => quoted(`${name.replaceAll(":", "\\:")}:${about}`);

const optionWords = (options: readonly OptionNode[]): string =>
  options.flatMap(({ names, about }) => names.map((name) => described(name, about))).join(" ");

/** Completion for zsh 5, a file `_moecast` on the function path, or sourced after compinit. */
export function zshCompletion(tree: CommandNode): string {
  const lists = new WordLists();
  const nodes = nodesOf(tree);
  const facts = nodes.map(({ path, commands, options, values }) => {
    const parts = [
      ...(commands.length === 0
        ? []
        : [`subs=(${commands.map(({ name, about }) => described(name, about)).join(" ")})`]),
      `opts=(${optionWords(options)})`,
      ...(valued(options).length === 0 ? [] : [`valued=(${wordList(valued(options))})`]),
      ...(offer(values, lists) === "" ? [] : [`args=${quoted(offer(values, lists))}`]),
    ];
    return `  ${quoted(path)}) ${parts.join(" ")} ;;`;
  });
  const rows = valueRows(nodes, lists)
    .filter(([, what]) => what !== "")
    .map(([keys, what]) => `  ${keys.map(quoted).join("|")}) kind=${quoted(what)} ;;`);
  return `#compdef moecast
# zsh completion of moecast; written by moecast completion zsh

_moecast_list() {
  case "$1" in
${lists
  .entries()
  .map(([name, words]) => `  ${name}) reply=(${words}) ;;`)
  .join("\n")}
  esac
}

# What may follow a command: sets subs, opts, valued and args.
_moecast_facts() {
  subs=() opts=() valued=() args=
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

_moecast_offer() {
  local kind="$1"
  local -a reply extensions
  case "$kind" in
  words\\ *)
    _moecast_list "\${kind#words }"
    if [[ "\${reply[1]}" == *= ]]; then compadd -S '' -- $reply; else compadd -- $reply; fi
    ;;
  files)  _files ;;
  files\\ *)
    extensions=(\${=kind#files })
    _files -g "*.(\${(j:|:)extensions})"
    ;;
  folders) _files -/ ;;
  esac
}

_moecast() {
  local pathOf= args kind word open= dashes= i
  local -a subs opts valued
  _moecast_facts ''
  for ((i = 2; i < CURRENT; i++)); do
    word="\${words[i]}"
    if [[ -n "$open" ]]; then open=; continue; fi
    case "$word" in
    --) dashes=1 ;;
    -*) (( \${valued[(Ie)$word]} )) && open="$word" ;;
    *)
      if [[ -n "\${subs[(r)$word:*]}" ]]; then
        pathOf="\${pathOf:+$pathOf }$word"
        _moecast_facts "$pathOf"
      else subs=(); fi
      ;;
    esac
  done
  if [[ -z "$open" && -z "$dashes" && "\${words[CURRENT]}" == --*=* ]]; then
    open="\${words[CURRENT]%%=*}"
    compset -P '*='
  fi
  if [[ -n "$open" ]]; then
    _moecast_kind "$pathOf|$open"
    _moecast_offer "$kind"
  elif [[ "\${words[CURRENT]}" == -* && -z "$dashes" ]]; then
    _describe -o option opts
  else
    (( \${#subs} )) && _describe command subs
    [[ -n "$args" ]] && _moecast_offer "$args"
  fi
}

if [[ "\${funcstack[1]}" == _moecast ]]; then _moecast "$@"; else compdef _moecast moecast; fi
`;
}
