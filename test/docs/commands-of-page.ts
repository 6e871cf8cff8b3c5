import { expect } from "vitest";
import { blocksOf, commandsOf, missingLine, moecastArguments, splitWords } from "../../scripts/doc-blocks.ts";
import { DocWorkspace, type Outcome } from "../../scripts/doc-workspace.ts";
import { moecast } from "../cli/in-process.ts";

/** Runs of bundled scenarios, which read and write no other file: pages share their outcome. */
const shared = new Map<string, Promise<Outcome>>();

function outcomeOf(workspace: DocWorkspace, words: readonly string[]): Promise<Outcome> {
  const own = words.some((word) => /^(-o|--output|--export|--baseline|--param)$/.test(word));
  if (own || words[0] !== "run" || words[1]?.startsWith("scenarios/") !== true) return inProcess(workspace, words);
  const key = words.join("\n");
  const known = shared.get(key) ?? inProcess(workspace, words);
  shared.set(key, known);
  return known;
}

async function inProcess({ folder }: DocWorkspace, words: readonly string[]): Promise<Outcome> {
  const { code, out, err } = await moecast(words, { cwd: folder });
  return { code: code ?? -1, lines: [...out.split("\n"), ...err.split("\n")] };
}

/** Runs the moecast commands of a page: they end with the announced exit code, and the outputs shown are theirs. */
export async function expectCommandsOf(root: string, text: string): Promise<void> {
  const excerpts = blocksOf(text).filter(({ language, label }) => language === "text" && label !== "");
  const unclaimed = new Set(excerpts.map(({ label }) => splitWords(label).join(" ")));
  const workspace = new DocWorkspace(root, text);
  try {
    for (const { words, exitCode, needsData, line } of commandsOf(text)) {
      const args = moecastArguments(words);
      const key = words.join(" ");
      const mine = excerpts.filter(({ label }) => splitWords(label).join(" ") === key);
      // npm start is a run of the quickstart: done only where its output is shown.
      if (args === null || needsData || (words[0] === "npm" && mine.length === 0)) continue;
      const { code, lines } = await outcomeOf(workspace, args);
      expect(code, `line ${line}: ${key}\n${lines.join("\n")}`).toBe(exitCode);
      for (const excerpt of mine)
        expect(missingLine(excerpt.lines, lines), `line ${excerpt.first}: run npm run generate -- outputs`).toBeNull();
      unclaimed.delete(key);
    }
    expect([...unclaimed], "outputs of commands that the page does not show").toEqual([]);
  } finally {
    workspace.remove();
  }
}
