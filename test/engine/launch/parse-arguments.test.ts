import { expect, test } from "vitest";
import { type ArgumentList, argumentsOf, programNames } from "../../../src/engine/launch/argument-list.ts";
import { parseArguments } from "../../../src/engine/launch/parse-arguments.ts";

const list: ArgumentList = {
  id: "example",
  program: ["example"],
  positionals: 1,
  sources: [{ of: "names", project: "a/b", file: "c", commit: "0".repeat(40) }],
  flags: {
    "--count": { also: ["-c"], takes: "integer" },
    "--share": { takes: "number" },
    "--mode": { takes: "text", choices: ["fast", "slow"] },
    "--config": { takes: "json" },
    "--cache": { takes: "negatable" },
    "--quiet": { takes: "switch" },
    "--rule": { takes: "text", repeats: true },
  },
};
const problems = (...words: string[]) => parseArguments(words, list).problems;

test("a line that the program takes is read by the first name of each flag", () => {
  const words = [
    "model",
    "-c",
    "3",
    "--share=0.5",
    "--mode",
    "fast",
    "--no-cache",
    "--quiet",
    "--rule",
    "a",
    "--rule",
    "b",
  ];
  const { positionals, values, problems: found } = parseArguments(words, list);
  expect(found).toEqual([]);
  expect(positionals).toEqual(["model"]);
  expect(Object.fromEntries(values)).toEqual({
    "--count": ["3"],
    "--share": ["0.5"],
    "--mode": ["fast"],
    "--cache": [false],
    "--quiet": [true],
    "--rule": ["a", "b"],
  });
});

test("what it would object to is named", () => {
  expect(problems("model", "--unknown")).toEqual(["unknown flag --unknown"]);
  expect(problems("model", "--count")).toEqual(["no value behind --count"]);
  expect(problems("model", "--count", "many")).toEqual(["--count: many is no integer"]);
  expect(problems("model", "--share", "half")).toEqual(["--share: half is no number"]);
  expect(problems("model", "--config", "{")).toEqual(["--config: { is no json"]);
  expect(problems("model", "--mode", "slower")).toEqual(["--mode: slower is none of fast, slow"]);
  expect(problems("model", "--count", "1", "-c", "2")).toEqual(["--count twice"]);
  expect(problems("model", "--quiet=yes")).toEqual(["a value behind --quiet"]);
  expect(problems("model", "--no-quiet")).toEqual(["unknown flag --no-quiet"]);
  expect(problems()).toEqual(["1 words without a flag expected, found 0"]);
});

test.each(programNames)("%s: no name stands for two flags, and every fact has its source", (name) => {
  const { flags, sources } = argumentsOf(name);
  const names = Object.entries(flags).flatMap(([first, { also = [] }]) => [first, ...also]);
  expect(new Set(names).size).toBe(names.length);
  expect(sources.length).toBeGreaterThan(0);
});
