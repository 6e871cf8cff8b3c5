// Writes every generated file of the repository: `npm run generate`. With the word `outputs` it also runs the commands
// whose output the pages show and brings those excerpts up to date.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { screenFrames, withScreens } from "./capture-screens.ts";
import { blocksOf, commandsOf, docPages, moecastArguments, readPage, refreshed, splitWords } from "./doc-blocks.ts";
import { DocWorkspace } from "./doc-workspace.ts";
import { generatedFiles, withDefinitions } from "./generated-files.ts";

const root = join(import.meta.dirname, "..");

function write(path: string, text: string): void {
  const file = join(root, path);
  const changed = !existsSync(file) || readFileSync(file, "utf8") !== text;
  if (changed) writeFileSync(file, text);
  process.stdout.write(`${changed ? "written  " : "unchanged"} ${path}\n`);
}

async function withOutputs(text: string): Promise<string> {
  const excerpts = blocksOf(text).filter(({ language, label }) => language === "text" && label !== "");
  if (excerpts.length === 0) return text;
  const lines = text.split("\n");
  const workspace = new DocWorkspace(root, text);
  try {
    // In order: a command may read what an earlier one wrote.
    for (const { words, needsData } of commandsOf(text)) {
      const args = moecastArguments(words);
      const mine = excerpts.filter(({ label }) => splitWords(label).join(" ") === words.join(" "));
      if (args === null || needsData || (words[0] === "npm" && mine.length === 0)) continue;
      const { lines: output } = await workspace.run(args);
      for (const { first, end, lines: old } of mine) lines.splice(first, end - first, ...refreshed(old, output));
    }
  } finally {
    workspace.remove();
  }
  return lines.join("\n");
}

for (const [path, textOf] of Object.entries(generatedFiles)) write(path, textOf());
write("README.md", withDefinitions(readPage(root, "README.md")));
write("docs/tui.md", withScreens(readPage(root, "docs/tui.md"), await screenFrames()));
if (process.argv.includes("outputs"))
  for (const page of docPages(root)) write(page, await withOutputs(readPage(root, page)));
