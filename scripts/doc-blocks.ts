import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A fenced block of a Markdown page. */
export interface DocBlock {
  readonly language: string;
  /** What follows the language on the opening fence. */
  readonly label: string;
  /** Lines of the page (from 0) between the fences: [first, end). */
  readonly first: number;
  readonly end: number;
  readonly lines: readonly string[];
}

/** A command of an `sh` block. */
export interface DocCommand {
  readonly line: number;
  readonly words: readonly string[];
  /** Exit code its comment announces (`# exit 99`), else 0. */
  readonly exitCode: number;
  /** Whether its comment says that the reader has to bring a file (`# your data`). */
  readonly needsData: boolean;
}

/** The Markdown pages of the repository whose blocks are commands and their output. */
export function docPages(root: string): string[] {
  const docs = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md"));
  const top = readdirSync(root).filter((name) => name.endsWith(".md"));
  return [...top, ...docs.map((name) => `docs/${name}`)].sort();
}

export const readPage = (root: string, page: string): string => readFileSync(join(root, page), "utf8");

export function blocksOf(text: string): DocBlock[] {
  const lines = text.split("\n");
  const blocks: DocBlock[] = [];
  for (let i = 0; i < lines.length; i++) {
    const fence = /^```(\S+) ?(.*)$/.exec(lines[i] ?? "");
    if (fence === null) continue;
    const first = i + 1;
    let end = first;
    while (end < lines.length && lines[end] !== "```") end++;
    blocks.push({ language: fence[1] ?? "", label: fence[2] ?? "", first, end, lines: lines.slice(first, end) });
    i = end;
  }
  return blocks;
}

/** Commands of the `sh` blocks of a page, one per line; a comment may follow after `#`. */
export function commandsOf(text: string): DocCommand[] {
  return blocksOf(text)
    .filter((block) => block.language === "sh")
    .flatMap((block) =>
      block.lines.flatMap((source, i): DocCommand[] => {
        const [, code = "", comment = ""] = /^(.*?)(?:(?:^|\s+)#(.*))?$/.exec(source) ?? [];
        if (code.trim() === "") return [];
        const exit = /\bexit (\d+)\b/.exec(comment);
        return [
          {
            line: block.first + i + 1,
            words: splitWords(code),
            exitCode: exit === null ? 0 : Number(exit[1]),
            needsData: comment.includes("your data"),
          },
        ];
      }),
    );
}

/** Words of a shell line with single and double quotes; no other shell syntax is used in the pages. */
export function splitWords(line: string): string[] {
  return [...line.matchAll(/(?:[^\s"']|"[^"]*"|'[^']*')+/g)].map(([word]) => word.replaceAll(/["']/g, ""));
}

/** Arguments for moecast if a line calls it, under any of its names; else null. */
export function moecastArguments(words: readonly string[]): readonly string[] | null {
  if (words[0] === "moecast") return words.slice(1);
  if (words[0] === "npx" && words[1] === "moecast") return words.slice(2);
  if (words[0] === "node" && words[1] === "dist/cli/main.js") return words.slice(2);
  if (words[0] === "npm" && words[1] === "start") return ["run", words[2] ?? "scenarios/quickstart.yaml"];
  return null;
}

/** Whether a line of a pasted output stands for any number of lines. */
export const isEllipsis = (line: string): boolean => line.trim() === "...";

/** A line without what the widths of other rows decide. */
const unaligned = (line: string): string => line.trim().replaceAll(/ +/g, " ");

/** First line of an excerpt that does not occur in the output after the lines before it; null if all do. */
export function missingLine(excerpt: readonly string[], output: readonly string[]): string | null {
  const lines = output.map(unaligned);
  let from = 0;
  for (const line of excerpt) {
    if (isEllipsis(line)) continue;
    const at = lines.indexOf(unaligned(line), from);
    if (at < 0) return line;
    from = at + 1;
  }
  return null;
}

/** What a line of a report begins with, up to its first digit: by it a line is found again when its numbers change. */
const stem = (line: string): string => unaligned(/^[^0-9]*/.exec(line)?.[0] ?? "");

/** An excerpt with the numbers of a new output; lines that are gone stay as they were. */
export function refreshed(excerpt: readonly string[], output: readonly string[]): string[] {
  let from = 0;
  return excerpt.map((line) => {
    if (isEllipsis(line)) return line;
    const like = (same: (now: string) => boolean) => output.findIndex((now, i) => i >= from && now !== "" && same(now));
    const exact = like((now) => unaligned(now) === unaligned(line));
    // A line that begins with a number continues the one before it.
    const next =
      stem(line) === "" ? (stem(output[from] ?? "") === "" ? from : -1) : like((now) => stem(now) === stem(line));
    const at = exact >= 0 ? exact : next;
    if (at < 0) return line;
    from = at + 1;
    return output[at] ?? line;
  });
}
