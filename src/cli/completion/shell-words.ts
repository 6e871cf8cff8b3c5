import { holds } from "../../core/errors.ts";
import type { CommandNode, OptionNode, Values } from "./command-tree.ts";

/** Text in single quotes, as sh, bash and zsh take it: nothing inside means anything. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** Words of a list that a shell splits at blanks. What a shell could read otherwise never becomes part of a script. */
export function wordList(words: readonly string[]): string {
  for (const word of words)
    holds(/^[\w.:=@%+,/-]+$/.test(word), "completion-words", () => `a word that a shell would read otherwise: ${word}`);
  return words.join(" ");
}

/** Lists of words that several options share, by name of a shell variable: each stands in a script once. */
export class WordLists {
  readonly #names = new Map<string, string>();

  /** Name of the variable of a list. */
  name(words: readonly string[]): string {
    const text = wordList(words);
    const known = this.#names.get(text) ?? `_moecast_words_${this.#names.size}`;
    this.#names.set(text, known);
    return known;
  }

  /** The variables and their lists. */
  entries(): [name: string, words: string][] {
    return [...this.#names].map(([words, name]) => [name, words]);
  }
}

/** Names of the options that a value follows. */
export const valued = (options: readonly OptionNode[]): string[] =>
  options.flatMap(({ names, values }) => (values === null ? [] : names));

/** Words by which a script knows what to offer: `words NAME`, `files EXTENSIONS`, `folders`, or nothing. */
export function offer(values: Values, lists: WordLists): string {
  switch (values.kind) {
    case "none":
      return "";
    case "folders":
      return "folders";
    case "files":
      return `files ${values.extensions.join(" ")}`.trim();
    case "words":
      return `words ${lists.name(values.words)}`;
  }
}

/** Options with a value, each with its command: the key of a script's table and what is offered. */
export const valueRows = (nodes: readonly CommandNode[], lists: WordLists): [keys: string[], offer: string][] =>
  nodes.flatMap(({ path, options }) =>
    options.flatMap(({ names, values }): [string[], string][] =>
      values === null ? [] : [[names.map((name) => `${path}|${name}`), offer(values, lists)]],
    ),
  );
