import { Help } from "commander";
import { wrap } from "../report/text-table.ts";

/** Text is hard to read when wider, and help that goes to a file or a pipe has no width of its own. */
const widthMax = 100;
const widthWithoutTerminal = 80;

/** Cells in a line of help. */
export const helpWidth = (): number => Math.min(widthMax, process.stdout.columns || widthWithoutTerminal);

/** What stands below the options of a command. */
export interface HelpParts {
  /** Paragraphs. */
  readonly notes?: readonly string[];
  /** Words with what they mean, below a title. */
  readonly words?: { readonly title: string; readonly meanings: Readonly<Record<string, string>> };
  /** Exit codes with a meaning of their own in the command. */
  readonly exits?: Readonly<Record<number, string>>;
  /** Command lines without the program's name. */
  readonly examples?: readonly string[];
}

/** The parts, wrapped at words to the width that lines of help have when it is shown. */
export const helpBelow =
  ({ notes = [], exits = {}, words, examples = [] }: HelpParts) =>
  (): string =>
    [
      ...notes.flatMap((note) => ["", ...wrap(note, helpWidth())]),
      ...(words === undefined ? [] : ["", words.title, ...meaningLines(words.meanings)]),
      ...(Object.keys(exits).length === 0 ? [] : ["", "Exit codes:", ...meaningLines(exits)]),
      ...(examples.length === 0 ? [] : ["", "Examples:"]),
      ...examples.flatMap((example) => commandLines(`moecast ${example}`, helpWidth())),
    ].join("\n");

/** Words in a column, with their meanings wrapped beside it. */
function meaningLines(meanings: Readonly<Record<string, string>>): string[] {
  const column = Math.max(...Object.keys(meanings).map((word) => word.length)) + 4;
  return Object.entries(meanings).flatMap(([word, meaning]) =>
    wrap(meaning, helpWidth() - column).map((line, i) => `${(i === 0 ? `  ${word}` : "").padEnd(column)}${line}`),
  );
}

/** A command line that a shell takes as it stands: what does not fit goes on behind a backslash, options with their value. */
function commandLines(command: string, width: number): string[] {
  const words = command.match(/--?[a-z]\S* (?:[^\s'"-]|'[^']*'|"[^"]*")+[^\s]*|(?:[^\s'"]|'[^']*'|"[^"]*")+/g) ?? [];
  const lines: string[] = [];
  let line = " ";
  for (const word of words) {
    if (line.trim() !== "" && line.length + 1 + word.length + 2 > width) {
      lines.push(`${line} \\`);
      line = "     ";
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}

/** Cells that the description of an option needs beside it. */
const besideMin = 40;

/** An option with its description beside it, or below it where that would leave too little room: never unwrapped. */
export function helpItem(term: string, termWidth: number, description: string, help: Help): string {
  const room = helpWidth() - termWidth - 4;
  if (room >= besideMin || description === "")
    return Help.prototype.formatItem.call(help, term, termWidth, description, help);
  return [`  ${term}`, ...wrap(description, helpWidth() - 6).map((line) => `      ${line}`)].join("\n");
}
