import { styleText } from "node:util";
import { printable } from "../core/printable.ts";
import { plainStyle, type TextStyle } from "../report/text-table.ts";

/** Goes back to the start of the line and empties it. */
export const clearLine = "\r\u001b[K";

const style = (name: Parameters<typeof styleText>[0]) => (text: string) =>
  styleText(name, text, { validateStream: false });

const colours: TextStyle = {
  bold: style("bold"),
  dim: style("dim"),
  good: style("green"),
  bad: style("red"),
  warn: style("yellow"),
};

/** Environment variables that say whether a program may use colour. */
export interface ColourEnvironment {
  readonly FORCE_COLOR?: string | undefined;
  readonly NO_COLOR?: string | undefined;
  readonly TERM?: string | undefined;
}

/**
 * How text is marked up: `--no-color` decides, then FORCE_COLOR (0 and false mean no), then NO_COLOR, then whether there
 * is a terminal that is not dumb. The order of the variables is that of Node.
 */
export function styleFor(allowed: boolean, terminal: boolean, environment: ColourEnvironment): TextStyle {
  const { FORCE_COLOR: forced, NO_COLOR: refused, TERM: term } = environment;
  const wanted = forced ? forced !== "0" && forced !== "false" : !refused && terminal && term !== "dumb";
  return allowed && wanted ? colours : plainStyle;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the sequences that `colours` writes
const ownMarks = /(\u001b\[(?:1|2|22|31|32|33|39)m)/;

/** Text as a terminal may be given it: nothing unsafe but the marks of our own style, where it is in use. */
export function terminalText(text: string, used: TextStyle): string {
  if (used === plainStyle) return printable(text);
  return text
    .split(ownMarks)
    .map((part, i) => (i % 2 === 1 ? part : printable(part)))
    .join("");
}

/** The same for messages, which carry no style; one may begin by emptying its line. */
export function messageText(text: string): string {
  return text.startsWith(clearLine) ? clearLine + printable(text.slice(clearLine.length)) : printable(text);
}
