import { describe, expect, test } from "vitest";
import {
  blocksOf,
  commandsOf,
  docPages,
  missingLine,
  moecastArguments,
  readPage,
  refreshed,
  splitWords,
} from "../../scripts/doc-blocks.ts";
import { DocWorkspace, type Outcome } from "../../scripts/doc-workspace.ts";

const root = process.cwd();
const pages = docPages(root).map((page) => ({ page, text: readPage(root, page) }));
const runnable = pages.filter(({ text }) => commandsOf(text).some((command) => moecastArguments(command.words)));

/** Runs of bundled scenarios, which read and write no other file: pages share their outcome. */
const shared = new Map<string, Promise<Outcome>>();

function outcomeOf(workspace: DocWorkspace, words: readonly string[]): Promise<Outcome> {
  const own = words.some((word) => /^(-o|--output|--export|--baseline|--param)$/.test(word));
  if (own || words[0] !== "run" || words[1]?.startsWith("scenarios/") !== true) return workspace.run(words);
  const key = words.join("\n");
  const known = shared.get(key) ?? workspace.run(words);
  shared.set(key, known);
  return known;
}

describe.concurrent.each(runnable)("$page", ({ text }) => {
  test("its moecast commands end with the announced exit code, and its outputs are theirs", async () => {
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
          expect(
            missingLine(excerpt.lines, lines),
            `line ${excerpt.first}: run npm run generate -- outputs`,
          ).toBeNull();
        unclaimed.delete(key);
      }
      expect([...unclaimed], "outputs of commands that the page does not show").toEqual([]);
    } finally {
      workspace.remove();
    }
  }, 120_000);
});

test("an excerpt has to occur in order, with gaps only where it shows them by their order", () => {
  const output = ["a 1", "b 2", "c 3"];
  expect(missingLine(["a 1", "...", "c 3"], output)).toBeNull();
  expect(missingLine(["c 3", "a 1"], output)).toBe("a 1");
  expect(missingLine(["b 3"], output)).toBe("b 3");
});

test("refreshing an excerpt takes new numbers and keeps its gaps", () => {
  expect(refreshed(["hits 1 of 2", "...", "rate 5"], ["title", "hits 3 of 4", "", "x", "rate 6"])).toEqual([
    "hits 3 of 4",
    "...",
    "rate 6",
  ]);
  expect(refreshed(["rate", "1 % of it"], ["x", "rate", "2 % of it"])).toEqual(["rate", "2 % of it"]);
  expect(refreshed(["gone 1"], ["x", "rate 2"])).toEqual(["gone 1"]);
});

test("words of a command keep quoted text together", () => {
  expect(splitWords(`moecast run a.yaml --set 'slo.ttft[0]=p(99)<1s' --export json="b c.json"`)).toEqual([
    "moecast",
    "run",
    "a.yaml",
    "--set",
    "slo.ttft[0]=p(99)<1s",
    "--export",
    "json=b c.json",
  ]);
});
