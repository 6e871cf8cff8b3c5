import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { sourceKinds } from "../../../src/core/sourced.ts";
import { catalogue, modelNamed } from "../../../src/models/catalogue.ts";
import { families } from "../../../src/models/families.ts";
import { moeLayers } from "../../../src/sim/step/stage-plan.ts";
import { guessedFigures, routingFamilies, routingPreset } from "../../../src/trace/synthesis/routing-presets.ts";

const presetOf = (id: string) => {
  const model = modelNamed(id);
  return routingPreset({ ...moeLayers(model)[0]!, modelType: model.modelType });
};

test("every model of the catalogue has a preset of a family that names its type, and guesses are known as such", () => {
  const recorded: string[] = [];
  for (const id of Object.keys(catalogue)) {
    const preset = presetOf(id);
    expect(preset.own).toBe(true);
    if (guessedFigures(preset).length === 0) recorded.push(id);
    expect(preset.reuse).toBeGreaterThanOrEqual(0);
    expect(preset.reuse).toBeLessThan(0.99);
  }
  expect(recorded.sort()).toEqual([
    "flame-moe-290m",
    "gpt-oss-120b",
    "gpt-oss-20b",
    "mixtral-8x22b",
    "mixtral-8x7b",
    "qwen1.5-moe-a2.7b",
    "qwen3-235b-a22b",
    "qwen3-30b-a3b",
  ]);
  expect(guessedFigures(presetOf("olmoe-1b-7b"))).toEqual(["reuse"]);
});

test("a model type that no family names takes the nearest by experts and topK, as a guess", () => {
  const near = routingPreset({ modelType: "new", experts: 16, topK: 4 });
  expect(near.own).toBe(false);
  expect(near.family.family).toBe("Mixtral");
  expect(guessedFigures(near)).toEqual(["popularity", "reuse"]);
});

test("figures have a kind and a source, follow from each other, and types are those of the resolver, each once", () => {
  const types = routingFamilies.flatMap(({ modelTypes }) => modelTypes);
  expect(new Set(types).size).toBe(types.length);
  expect(types.filter((type) => !(type in families))).toEqual([]);
  for (const { popularityCv, reuse, laterReuse, fade, experts, topK } of routingFamilies) {
    for (const { kind, source } of [popularityCv, reuse, laterReuse, fade]) {
      expect(sourceKinds).toContain(kind);
      expect(source.length).toBeGreaterThan(7);
    }
    expect(reuse.value).toBeGreaterThan(laterReuse.value);
    expect(laterReuse.value).toBeGreaterThan(topK / experts);
  }
});

test("at the family's own shape the reuse is the recorded one, and elsewhere as far above uniform routing", () => {
  const { reuse } = routingPreset({ modelType: "gpt_oss", experts: 32, topK: 4 });
  expect(reuse).toBe(0.438);
  const larger = routingPreset({ modelType: "gpt_oss", experts: 128, topK: 4 }).reuse;
  expect((larger - 4 / 128) / (1 - 4 / 128)).toBeCloseTo((0.438 - 4 / 32) / (1 - 4 / 32), 12);
});

test("the page on traces lists every family with its figures", () => {
  const page = readFileSync("docs/traces.md", "utf8");
  for (const { family, experts, topK, popularityCv, reuse, laterReuse } of routingFamilies)
    expect(page).toContain(
      `| ${family} | ${experts}, ${topK} | ${popularityCv.value} | ${reuse.value} | ${laterReuse.value} |`,
    );
});
