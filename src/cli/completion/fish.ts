import { type CommandNode, nodesOf, type OptionNode, type Values } from "./command-tree.ts";
import { valued, WordLists, wordList } from "./shell-words.ts";

/** Text in single quotes, as fish takes it: a backslash and a quote are escaped. */
const quoted = (text: string): string => `'${text.replaceAll(/[\\']/g, "\\$&")}'`;

/** What is offered as a value, as options of `complete`. */
function offered(values: Values, lists: WordLists): string {
  switch (values.kind) {
    case "none":
      return " -x";
    case "words":
      return ` -xa "$${lists.name(values.words)}"`;
    case "folders":
      return " -xa '(__fish_complete_directories)'";
    case "files":
      return values.extensions.length === 0
        ? " -rF"
        : ` -kxa '(${values.extensions.map((extension) => `__fish_complete_suffix .${extension}`).join("; ")})'`;
  }
}

function optionLine(path: string, { names, about, values }: OptionNode, lists: WordLists): string {
  const flags = names.map((name) => (name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`)).join(" ");
  return `__moecast_add ${quoted(path)} ${flags}${values === null ? "" : offered(values, lists)} -d ${quoted(about)}`;
}

/** Completion for fish 3 and later. */
export function fishCompletion(tree: CommandNode): string {
  const lists = new WordLists();
  const nodes = nodesOf(tree);
  const lines = nodes.flatMap(({ path, commands, options, values }) => [
    ...commands.map(({ name, about }) => `__moecast_add ${quoted(path)} -xa ${quoted(name)} -d ${quoted(about)}`),
    ...(values.kind === "none" ? [] : [`__moecast_add ${quoted(path)}${offered(values, lists)}`]),
    ...options.map((option) => optionLine(path, option, lists)),
  ]);
  const subs = nodes
    .filter(({ commands }) => commands.length > 0)
    .map(({ path, commands }) => `    case ${quoted(path)}\n      echo ${wordList(commands.map(({ name }) => name))}`);
  const taking = nodes
    .filter(({ options }) => valued(options).length > 0)
    .map(({ path, options }) => `    case ${quoted(path)}\n      echo ${wordList(valued(options))}`);
  return `# fish completion of moecast; written by moecast completion fish
${lists
  .entries()
  .map(([name, words]) => `set -g ${name} ${words}`)
  .join("\n")}

# Commands below a command.
function __moecast_subs
  switch "$argv[1]"
${subs.join("\n")}
  end
end

# Options of a command that a value follows.
function __moecast_valued
  switch "$argv[1]"
${taking.join("\n")}
  end
end

# The command whose words stand before the cursor, such as: trace import
function __moecast_path
  set -l path ''
  set -l open 0
  set -l words (commandline -opc)
  for word in $words[2..-1]
    if test $open = 1
      set open 0
      continue
    end
    if string match -q -- '-*' $word
      if contains -- $word (string split ' ' -- (__moecast_valued "$path"))
        set open 1
      end
    else if contains -- $word (string split ' ' -- (__moecast_subs "$path"))
      set path (string trim -- "$path $word")
    end
  end
  echo $path
end

function __moecast_at
  set -l path (__moecast_path)
  test "$path" = "$argv[1]"
end

function __moecast_add
  complete -c moecast -n "__moecast_at '$argv[1]'" $argv[2..-1]
end

complete -c moecast -e
complete -c moecast -f
${lines.join("\n")}
`;
}
