import { describe, test } from "vitest";
import { commandsOf, docPages, moecastArguments, readPage } from "../../scripts/doc-blocks.ts";
import { expectCommandsOf } from "./commands-of-page.ts";

const root = process.cwd();
const pages = docPages(root).map((page) => ({ page, text: readPage(root, page) }));
const runnable = pages.filter(({ text }) => commandsOf(text).some((command) => moecastArguments(command.words)));

describe.each(runnable)("$page", ({ text }) => {
  test("its moecast commands end with the announced exit code, and its outputs are theirs", () =>
    expectCommandsOf(root, text));
});
