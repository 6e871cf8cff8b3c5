import { describe, test } from "vitest";
import { commandsOf, docPages, moecastArguments, readPage } from "../../scripts/doc-blocks.ts";
import type { DocWorkspace, Outcome } from "../../scripts/doc-workspace.ts";
import { expectCommandsOf } from "./commands-of-page.ts";

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
  test("its moecast commands end with the announced exit code, and its outputs are theirs", () =>
    expectCommandsOf(root, text, outcomeOf));
});
