import { oneLine } from "../../core/printable.ts";
import { escapedMarkdown, markdownTable } from "../markdown-text.ts";

/** Characters of a text that is shown in a table. */
const shortMax = 120;

/** Shown as nothing; between a mark and what follows it, the two are no reference. */
const nothing = "&#8203;";

/**
 * Where the hosts begin to see something in shown text, whatever escapes and entities it was written with: mentions, references
 * by number, name or digest, keys of an issue tracker, addresses, emoji.
 */
const references = new RegExp(
  [
    String.raw`(?<=[@#!$%~^&])(?=[\p{L}\p{N}_"[])`,
    String.raw`(?<=\b(?:[A-Z][A-Z0-9_]{1,9}|[Gg][Hh])-)(?=\d)`,
    // Seven digits of a digest are a commit.
    String.raw`(?<=\b(?:[0-9a-fA-F]{6})+)(?=[0-9a-fA-F])`,
    String.raw`(?<=[wW]{3})(?=\.)`,
    String.raw`(?<=:)(?=\/\/|[\w+-]+:)`,
  ].join("|"),
  "u",
);

/**
 * Text from outside that neither notifies nor links nor formats anything in a comment, cut to so many characters. It stands
 * within a line, behind something else: text at the beginning of a line can be a command to GitLab.
 */
export function inertText(text: string, max = shortMax): string {
  return cutText(text, max).split(references).map(escapedMarkdown).join(nothing);
}

/** A text as one printable line of so many characters at most. */
export function cutText(text: string, max: number): string {
  // What is left of 10 kB need not be looked at.
  const characters = Array.from(oneLine(text.slice(0, max * 8)));
  return characters.length <= max ? characters.join("") : `${characters.slice(0, max - 3).join("")}...`;
}

/** The name of a scenario among other words. */
export const shortName = (name: string): string => cutText(name, 60);

/** A table of text from anywhere, its rows and cells below a limit. */
export function inertTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  { rowsMax, cellMax = shortMax }: { readonly rowsMax: number; readonly cellMax?: number },
): string[] {
  const left = rows.length - rowsMax;
  const table = markdownTable(header, rows.slice(0, rowsMax), (cell) => inertText(cell, cellMax));
  return left > 0 ? [...table, `and ${left} more`, ""] : table;
}
