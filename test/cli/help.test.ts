import type { Command } from "commander";
import { afterEach, describe, expect, test } from "vitest";
import { buildProgram } from "../../src/cli/program.ts";
import { displayWidth } from "../../src/report/display-width.ts";
import { exportFormats } from "../../src/report/export-formats.ts";
import { moecast } from "./in-process.ts";

const { columns } = process.stdout;
afterEach(() => {
  process.stdout.columns = columns;
});

/** Words of every command, the program itself among them. */
const commandsBelow = (command: Command, words: readonly string[]): (readonly string[])[] => [
  words,
  ...command.commands.flatMap((sub) => commandsBelow(sub, [...words, sub.name()])),
];
const commands = commandsBelow(await buildProgram(() => {}), []);

describe.each([50, 60, 80, 100, 160])("help on a terminal of %i columns", (width) => {
  test("has no wider line and no broken word", async () => {
    process.stdout.columns = 1000;
    const words = new Set<string>();
    for (const command of commands)
      for (const word of (await moecast([...command, "--help"])).out.split(/\s+/)) words.add(word);
    process.stdout.columns = width;
    for (const command of commands) {
      const { out, code } = await moecast([...command, "--help"]);
      expect(code).toBe(0);
      for (const line of out.split("\n")) expect(displayWidth(line), line).toBeLessThanOrEqual(width);
      for (const word of out.split(/\s+/)) expect(words.has(word) || word === "\\", word).toBe(true);
    }
  });
});

test("every option and argument of every command says what it is for", async () => {
  const all = (command: Command): Command[] => [command, ...command.commands.flatMap(all)];
  for (const command of all(await buildProgram(() => {}))) {
    expect(command.description(), command.name()).not.toBe("");
    for (const option of command.options) expect(option.description, `${command.name()} ${option.flags}`).not.toBe("");
    for (const argument of command.registeredArguments)
      expect(argument.description, `${command.name()} ${argument.name()}`).not.toBe("");
  }
});

test("examples go on behind a backslash, with an option and its value on one line", async () => {
  process.stdout.columns = 60;
  const { out } = await moecast(["run", "--help"]);
  expect(out).toContain(
    "  moecast run cluster.yaml --set policy.offload.slots=32 \\\n      --threshold 'ttft: p(99)<800ms'\n",
  );
  expect(out.split("\n").filter((line) => /--[a-z-]+ \\$/.test(line))).toEqual([]);
});

test("run lists every format of --export with what it holds", async () => {
  process.stdout.columns = 100;
  const { out } = await moecast(["run", "--help"]);
  const listed = out.split("Formats of --export:\n")[1]!.split("\n\n")[0]!;
  const pairs = listed.split("\n").map((line) => /^ {2}(\S+) +(\S.*)$/.exec(line)!.slice(1));
  expect(Object.fromEntries(pairs)).toEqual(exportFormats);
});
