import { describe, expect, test } from "vitest";
import { storageFormats } from "../../src/core/dtype.ts";
import { parseModel } from "../../src/scenario/parse-model.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";
import { minimal, placeOf, problemsOf } from "./example.ts";

const shape = `model:
  shape:
    name: acme
    layers: 12
    hiddenSize: 64
    vocabSize: 1000
    contextTokensMax: 4096
    attention: { kind: gqa, queryHeads: 8, kvHeads: 2 }
    feedForward:
      - { kind: dense, layers: 0-1, width: 128 }
      - { kind: moe, experts: 8, topK: 2, expertWidth: 32 }`;
const scenario = minimal.replace("model: { id: qwen3-30b-a3b }", shape);
const mla = "{ kind: mla, queryHeads: 8, kvLoraRank: 16, nopeHeadDim: 8, ropeHeadDim: 4, valueHeadDim: 8 }";

test("ten lines describe a mixture of experts", () => {
  expect(problemsOf(scenario)).toEqual([]);
  expect(parseScenario(scenario, "test.yaml").model.shape).toMatchObject({ baseFormat: "bf16", normVectors: 2 });
  expect(shape.split("\n").length).toBeLessThan(12);
});

describe("what is wrong is told at its place", () => {
  test.each<[string, string, string, string, string]>([
    ["more experts a token than experts", "topK: 2", "topK: 9", "9, expertWidth", "at most the 8 experts"],
    ["heads that do not divide", "kvHeads: 2", "kvHeads: 3", "3 }", "a divisor of the 8 query heads"],
    [
      "heads and no width",
      "queryHeads: 8, kvHeads: 2",
      "queryHeads: 7",
      "{ kind: gqa",
      "a whole number, as hiddenSize 64",
    ],
    ["a network of four matrices", "expertWidth: 32", "expertWidth: 32, matrices: 4", "4 }", "one of 2, 3"],
    ["fewer bits than any format", "layers: 12", "layers: 12\n    weightBits: { experts: 0.5 }", "0.5", "at least 1"],
    ["a word for a part", "attention: {", "attention: mla # {", "mla", "a mapping or a list"],
    ["a chunk without tokens", "kvHeads: 2", "chunked: true", "{ kind: gqa", "the tokens of a chunk"],
    ["layers that are not there", "layers: 0-1", "layers: 9-12", "9-12", "layers counted from 0"],
    ["layers backwards", "layers: 0-1", "layers: 4-1", "4-1", "layers counted from 0"],
    ["a layer twice", "layers: 0-1", "layers: '0-3, 2'", "'0-3, 2'", "layers counted from 0"],
    ["layers in no words", "layers: 0-1", "layers: first", "first", "layers counted from 0"],
    [
      "layers without a part",
      "kind: moe, experts",
      "kind: moe, layers: 4-11, experts",
      "- { kind: dense",
      "a part for layer 2",
    ],
    ["two parts for the rest", "layers: 0-1, ", "", "{ kind: moe", "its layers: one part at most"],
    ["a part without layers", "layers: 0-1", "layers: 0-11", "{ kind: moe", "layers that the other parts leave"],
    [
      "groups",
      "expertWidth: 32",
      "expertWidth: 32, router: { groups: { count: 3, kept: 1 } }",
      "3, kept",
      "a divisor of the 8",
    ],
    [
      "kept groups",
      "expertWidth: 32",
      "expertWidth: 32, router: { groups: { count: 8, kept: 1 } }",
      "1 }",
      "groups that hold at least the 2",
    ],
    [
      "two shared widths",
      "expertWidth: 32",
      "expertWidth: 32, sharedExperts: 1, sharedWidth: 9",
      "1, sharedW",
      "either sharedExperts",
    ],
    ["a wide expert", "expertWidth: 32", "expertWidth: 32, expertHidden: 65", "65", "at most hiddenSize 64"],
    ["a format", "name: acme", "formats: { experts: fp5 }\n    name: acme", "fp5", "one of fp32"],
    [
      "a name of the catalogue",
      "name: acme",
      "name: mixtral-8x7b",
      "mixtral-8x7b",
      "a name that no model of the catalogue has",
    ],
    [
      "a type",
      "name: acme",
      "modelType: mixtrel\n    name: acme",
      "mixtrel",
      "a known model type (did you mean mixtral?)",
    ],
    [
      "no indexer",
      "{ kind: gqa, queryHeads: 8, kvHeads: 2 }",
      mla.replace("}", ", indexerShared: true }"),
      "true",
      "an indexer",
    ],
  ])("%s", (_name, valid, invalid, place, expected) => {
    const text = scenario.replace(valid, invalid);
    const [first] = problemsOf(text);
    expect(first).toMatchObject({ ...placeOf(text, place), file: "test.yaml" });
    expect(first?.expected).toContain(expected);
  });

  test("unknown keys and kinds get the nearest, in a mapping and in a list alike", () => {
    const text = scenario
      .replace("kvHeads: 2", "kvHead: 2")
      .replace("kind: moe", "kind: mo")
      .replace("width: 128", "width: 128, matrixes: 2");
    expect(problemsOf(text).map(({ at, hint }) => [at, hint])).toEqual([
      ["model.shape.attention.kvHead", "did you mean kvHeads?"],
      ["model.shape.feedForward[0].matrixes", "did you mean matrices?"],
      ["model.shape.feedForward[1].kind", "did you mean moe?"],
    ]);
  });

  test("one of id, file and shape", () => {
    expect(problemsOf(scenario.replace("model:\n", "model:\n  id: qwen3-30b-a3b\n"))[0]?.expected).toBe(
      "either id, file or shape",
    );
  });

  test("neither a text nor a number is attention", () => {
    for (const value of ["gqa", "3"]) {
      const [first] = problemsOf(scenario.replace("{ kind: gqa, queryHeads: 8, kvHeads: 2 }", value));
      expect(first).toMatchObject({ at: "model.shape.attention" });
    }
  });
});

test("every storage format is one of a shape", () => {
  for (const format of Object.keys(storageFormats))
    expect(problemsOf(scenario.replace("name: acme", `baseFormat: ${format}\n    name: acme`))).toEqual([]);
});

describe("the model of a file", () => {
  test("is read from a scenario and from a file with nothing else", () => {
    expect(parseModel(shape, "model.yaml").model).toEqual(parseModel(scenario, "test.yaml").model);
    expect(
      parseModel(scenario.replace("routing: { kind: uniform }", "nonsense: 1"), "test.yaml").model.shape?.name,
    ).toBe("acme");
  });

  test("a file without one is refused, as are its own mistakes at their place", () => {
    expect(() => parseModel("version: 1\n", "test.yaml")).toThrow(
      /test\.yaml.*model: expected a mapping, found nothing/,
    );
    expect(() => parseModel("- 1\n", "test.yaml")).toThrow(/expected a mapping/);
    expect(() => parseModel(shape.replace("topK: 2", "topK: 9"), "m.yaml")).toThrow(
      /^m\.yaml:11:\d+: model\.shape\.feedForward/,
    );
    expect(() => parseModel(`model: { file: "$\{X}" }`, "m.yaml")).toThrow(/a value of the parameter X/);
  });
});
