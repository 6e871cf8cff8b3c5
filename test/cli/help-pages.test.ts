import { existsSync } from "node:fs";
import type { Command } from "commander";
import { expect, test } from "vitest";
import { splitWords } from "../../scripts/doc-blocks.ts";
import { buildProgram } from "../../src/cli/program.ts";
import { schemas } from "../../src/cli/schema.ts";
import { schemaNames } from "../../src/cli/schema-command.ts";
import { moecast } from "./in-process.ts";

/** Every command below another, with its words. */
const below = (command: Command, words: readonly string[]): [words: readonly string[], command: Command][] => [
  [words, command],
  ...command.commands.flatMap((sub) => below(sub, [...words, sub.name()])),
];
const program = await buildProgram(() => {});
const commands = below(program, []);

/** Command lines under "Examples:", those that go on behind a backslash joined. */
function examplesIn(help: string): string[] {
  const [, text = ""] = help.split("\nExamples:\n");
  return text
    .replaceAll(/ \\\n\s+/g, " ")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

const pages = await Promise.all(
  commands.map(async ([words, command]) => {
    const { out } = await moecast([...words, "--help"]);
    return { name: words.join(" ") || "moecast", words, command, out, examples: examplesIn(out) };
  }),
);

/** A program that parses and does nothing. */
async function inert(): Promise<Command> {
  const parsed = await buildProgram(() => {});
  for (const [, command] of below(parsed, [])) {
    command.configureOutput({ writeOut: () => {}, writeErr: () => {} });
    if (command.commands.length === 0 || command.registeredArguments.length > 0) command.action(() => {});
  }
  return parsed;
}

test.each(pages)(
  "$name has examples of its own that it can read, and files they name exist",
  async ({ words, examples }) => {
    expect(examples.length).toBeGreaterThan(0);
    for (const example of examples) {
      const all = splitWords(example.replace(/ > \S+$/, ""));
      expect(all[0]).toBe("moecast");
      expect(all.slice(1, 1 + words.length), example).toEqual(words);
      const given = all.slice(1);
      if (!given.includes("--help")) await (await inert()).parseAsync(given, { from: "user" });
      for (const word of given.filter((one) => /^(scenarios|docs|schema)\//.test(one)))
        expect(existsSync(word), word).toBe(true);
    }
  },
);

test.each(pages)("the parts of the help of $name come in one order", ({ out, command }) => {
  const parts = ["Usage:", "\nArguments:", "\nOptions:", "\nCommands:", "\nExit codes:", "\nExamples:"];
  const places = parts.map((part) => out.indexOf(part)).filter((at) => at >= 0);
  expect(places).toEqual([...places].sort((a, b) => a - b));
  if (command.commands.length > 0) expect(out).toContain("\nCommands:");
});

test("every option with a value says what it is without it: a default, or that it may be repeated or is needed", () => {
  const silent = commands.flatMap(([words, command]) =>
    command.options
      .filter((option) => option.required || option.optional)
      .filter((option) => !option.mandatory && option.defaultValue === undefined)
      .filter(({ description }) => !/default|repeatable/.test(description))
      .map(({ long }) => `${words.join(" ")} ${long}`),
  );
  expect(silent).toEqual([]);
});

test("values stand in brackets", () => {
  for (const [, command] of commands)
    for (const { flags } of command.options) expect(flags).toMatch(/^(-\w, )?--[a-z-]+( <[^<>]+>| \[[^[\]]+\])?$/);
});

test("the words of schema are those of its table", () => {
  expect(schemaNames).toEqual(Object.keys(schemas));
});

/** Slips of the finger: a letter left out, doubled, swapped with the next. */
const slips = (name: string): string[] => {
  const at = Math.floor(name.length / 2);
  return [
    name.slice(0, at) + name.slice(at + 1),
    name.slice(0, at) + name[at] + name.slice(at),
    name.slice(0, at - 1) + name[at] + name[at - 1] + name.slice(at + 1),
  ];
};

test("every command and sub-command is found again from a slip of the finger", async () => {
  for (const [words, command] of commands) {
    const known = command.commands.map((sub) => sub.name());
    for (const name of known)
      for (const slip of slips(name).filter((one) => !known.includes(one))) {
        const { code, err, out } = await moecast([...words, slip]);
        expect([slip, code === 2 || code === 3, out]).toEqual([slip, true, ""]);
        expect(err, `${words.join(" ")} ${slip}`).toMatch(new RegExp(`[Dd]id you mean .*\\b${name}\\b`));
      }
  }
});

test("every option is found again from a slip of the finger, and every choice", async () => {
  for (const [words, command] of commands) {
    const needed = command.options.flatMap(({ mandatory, long }) => (mandatory ? [long ?? "", "1"] : []));
    for (const option of command.options) {
      const known = [...command.options, ...program.options].flatMap(({ long }) =>
        long === null || long === undefined ? [] : [long],
      );
      const long = option.long ?? "";
      for (const slip of slips(long.slice(2)).map((one) => `--${one}`)) {
        if (long.length < 6 || known.includes(slip)) continue;
        const { code, err } = await moecast([...words, ...needed, slip]);
        expect([slip, code]).toEqual([slip, 2]);
        expect(err, `${words.join(" ")} ${slip}`).toContain(long.slice(2));
      }
      for (const choice of option.argChoices ?? []) {
        const [slip = ""] = slips(choice);
        if (choice.length < 4 || option.argChoices?.includes(slip) === true) continue;
        const { code, err } = await moecast([...words, long, slip]);
        expect([slip, code]).toEqual([slip, 2]);
        expect(err).toContain(`Did you mean ${choice}?`);
      }
    }
  }
});
