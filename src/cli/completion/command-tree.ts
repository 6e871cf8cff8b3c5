import type { Argument, Command, Option } from "commander";

/** What may stand behind an option or as an argument. */
export type Values =
  | { readonly kind: "none" }
  | { readonly kind: "words"; readonly words: readonly string[] }
  /** Files; those with one of the extensions first, all where there are none. */
  | { readonly kind: "files"; readonly extensions: readonly string[] }
  | { readonly kind: "folders" };

/** An option as a shell offers it. */
export interface OptionNode {
  /** `--output`, and `-o` where it has one. */
  readonly names: readonly string[];
  readonly about: string;
  /** Whether a value follows; null: it is a flag. */
  readonly values: Values | null;
}

/** A command with all that may follow it. */
export interface CommandNode {
  /** Its words without the program's name: `trace import`; empty for the program itself. */
  readonly path: string;
  readonly name: string;
  readonly about: string;
  readonly options: readonly OptionNode[];
  readonly commands: readonly CommandNode[];
  /** What stands as an argument. */
  readonly values: Values;
}

/** What is known of values beside the program: words by `COMMAND OPTION`, such as `plan --system`, and by `COMMAND` for arguments. */
export type KnownValues = Readonly<Record<string, readonly string[]>>;

/** Cells of a description: what is longer is cut at a word. */
const aboutMax = 64;

/** The beginning of a description that fits beside an option. */
function brief(text: string): string {
  const [start = ""] = text.split(/[;:(]| such as |, and |, which /);
  const trimmed = start.trim().replace(/[,.]$/, "");
  return trimmed.length <= aboutMax ? trimmed : trimmed.slice(0, aboutMax).replace(/\s+\S*$/, "");
}

/** The tree of a program. */
export function commandTree(program: Command, known: KnownValues, above: readonly string[] = []): CommandNode {
  const path = above.join(" ");
  const inherited = above.length === 0 ? [] : rootOptions(program);
  const help = { names: ["--help", "-h"], about: "display help", values: null };
  return {
    path,
    name: program.name(),
    about: brief(program.description()),
    options: [...program.options.map((option) => optionNode(option, path, known)), ...inherited, help],
    commands: program.commands.map((sub) => commandTree(sub, known, [...above, sub.name()])),
    values: argumentValues(program, path, known),
  };
}

/** Options of the program that every command takes too. */
function rootOptions(command: Command): OptionNode[] {
  let root = command;
  while (root.parent !== null) root = root.parent;
  return root.options.filter((option) => option.long !== "--version").map((option) => optionNode(option, "", {}));
}

function optionNode(option: Option, path: string, known: KnownValues): OptionNode {
  const names = [option.long, option.short].filter((name) => name !== undefined && name !== null);
  const about = brief(option.description);
  if (!option.required && !option.optional) return { names, about, values: null };
  const words = option.argChoices ?? known[`${path} ${option.long ?? ""}`];
  if (words !== undefined) return { names, about, values: { kind: "words", words } };
  return {
    names,
    about,
    values: byPlaceholder(/<([^>]*)>|\[([^\]]*)\]/.exec(option.flags)?.[0] ?? "", option.description),
  };
}

/** Arguments take files of the first one's kind; variadic options in place of arguments take files too. */
function argumentValues(command: Command, path: string, known: KnownValues): Values {
  const words = known[path];
  if (words !== undefined) return { kind: "words", words };
  const arg: Argument | undefined = command.registeredArguments.at(-1);
  if (arg?.argChoices !== undefined) return { kind: "words", words: arg.argChoices };
  if (arg !== undefined) return byPlaceholder(`<${arg.name()}>`, arg.description);
  return command.options.some(({ variadic }) => variadic) ? { kind: "files", extensions: [] } : { kind: "none" };
}

/** Extensions that a description names. */
const extensionsIn = (text: string): string[] =>
  (["yaml", "json", "jsonl", "csv", "parquet", "safetensors", "html", "mjs"] as const)
    .filter((extension) => new RegExp(`\\b${extension}\\b`, "i").test(text))
    .flatMap((extension) => (extension === "yaml" ? ["yaml", "yml"] : [extension]));

function byPlaceholder(placeholder: string, description: string): Values {
  const name = placeholder.replaceAll(/[<>[\].]/g, "");
  if (/^(folder|dir)$/.test(name)) return { kind: "folders" };
  if (name === "scenario") return { kind: "files", extensions: ["yaml", "yml"] };
  if (name === "trace" || name === "other") return { kind: "files", extensions: [] };
  if (/^(file|path|result|id-or-file|model|a|b)$/.test(name))
    return { kind: "files", extensions: extensionsIn(description) };
  return { kind: "none" };
}

/** A command and all below it. */
export const nodesOf = (node: CommandNode): CommandNode[] => [node, ...node.commands.flatMap(nodesOf)];
