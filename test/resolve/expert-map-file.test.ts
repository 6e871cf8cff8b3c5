import { describe, expect, test } from "vitest";
import { InvalidInputError } from "../../src/core/errors.ts";
import { expertMapFormats } from "../../src/engine/expert-maps/expert-map-formats.ts";
import { mapContext, mapOfPlacement } from "../../src/resolve/expert-map-file.ts";
import { resolveScenario } from "../../src/resolve/resolve-scenario.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";
import { moeShape } from "../../src/sim/mapping.ts";
import { simulate } from "../../src/sim/simulate.ts";

const scenario = (placement: string, { model = "gpt-oss-20b", more = "" } = {}) => `version: 1
name: maps
model: { id: ${model} }
hardware: { system: h100-sxm-8 }
engine: { id: vllm, maxModelLen: 512, maxNumSeqs: 8, maxNumBatchedTokens: 512 }
parallel: { tp: 1, dp: 4, ep: 4 }
traffic: { kind: generated, requests: 3, arrivals: { kind: closed, maxConcurrency: 4 }, isl: { kind: fixed, tokens: 20 }, osl: { kind: fixed, tokens: 4 } }
routing: { kind: parametric, skew: 0.6, reuse: 0.3, rows: 100 }
policy: { placement: { ${placement} }${more} }
`;

type Files = Readonly<Record<string, string>>;

const resolve = async (placement: string, files: Files = {}, options: Parameters<typeof scenario>[1] = {}) =>
  resolveScenario(parseScenario(scenario(placement, options), "test.yaml"), {
    readText: (path) =>
      path in files ? Promise.resolve(files[path]!) : Promise.reject(new Error(`${path} was not expected`)),
  });

const made = new Map<string, ReturnType<typeof resolve>>();

/** A scenario without files, resolved once. */
function policyOf(placement: string): ReturnType<typeof resolve> {
  const found = made.get(placement) ?? resolve(placement);
  made.set(placement, found);
  return found;
}

/** The map of a scenario's placement in a format. */
async function exported(placement: string, format: keyof typeof expertMapFormats): Promise<string> {
  const { config } = await policyOf(placement);
  const context = mapContext(config.model, moeShape(config.model)!, "map", config.mapping.ep);
  return expertMapFormats[format].write(mapOfPlacement(config.placement!, config.model), context);
}

const refusal = async (
  placement: string,
  files: Files,
  options: Parameters<typeof scenario>[1] = {},
): Promise<string> => {
  const error: unknown = await resolve(placement, files, options).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(InvalidInputError);
  return (error as InvalidInputError).message;
};

describe("a map from a file runs as the policy that made it", () => {
  test.each([
    ["kind: eplb, redundant: 8", "sglang"],
    ["kind: eplb, redundant: 8", "tensorrt-llm"],
    ["kind: lpt", "sglang"],
    ["kind: lpt", "vllm-ascend"],
    ["kind: lpt", "exflow"],
    ["kind: round-robin", "exflow"],
    ["kind: contiguous", "vllm"],
  ] as const)("%s through %s", async (policy, format) => {
    const policyMade = await policyOf(policy);
    const given = await resolve("kind: file, file: map", { map: await exported(policy, format) });
    expect(given.config.placement).toEqual(policyMade.config.placement);
  });

  test("byte by byte in its result, and another map runs otherwise", async () => {
    const result = async (placement: string, map = "") =>
      JSON.stringify(simulate((await resolve(placement, { map })).config));
    const eplb = await result("kind: eplb, redundant: 8");
    const given = "kind: file, file: map";
    expect(await result(given, await exported("kind: eplb, redundant: 8", "sglang"))).toBe(eplb);
    expect(await result(given, await exported("kind: lpt", "sglang"))).not.toBe(eplb);
  });

  test("with its digest among the inputs, its name, and what the ledger says of it", async () => {
    const map = await exported("kind: eplb, redundant: 8", "sglang");
    const given = await resolve("kind: file, file: map", { map });
    expect(given.placement).toBe("file map, 8 redundant experts a layer");
    expect(given.inputs.filter(({ role }) => role === "expert map")).toMatchObject([{ name: "map" }]);
    expect(given.ledger.find(({ topic }) => topic === "placement")).toMatchObject({
      fidelity: "replayed",
      detail: "the map of map, as sglang has it, from start to end",
    });
  });
});

describe("what contradicts the map is refused at its place", () => {
  test("redundant experts, loads to fit on, groups and nodes", async () => {
    const map = await exported("kind: eplb, redundant: 8", "sglang");
    expect((await resolve("kind: file, file: map, redundant: 8", { map })).placement).toContain("8 redundant");
    const message = await refusal("kind: file, file: map, redundant: 4, groups: 2, nodes: 2, fit: { domain: x }", {
      map,
    });
    expect(message).toMatch(
      /test\.yaml:9:\d+: policy\.placement\.redundant: expected 8, as the map has, or nothing, found 4/,
    );
    for (const key of ["groups", "nodes", "fit"])
      expect(message).toMatch(new RegExp(`policy\\.placement\\.${key}: expected nothing beside kind: file`));
  });

  test("other ranks, a map of another model, a pickle, a format that it is not in", async () => {
    const slots = await exported("kind: lpt", "vllm-ascend");
    const ep2 = slots.replaceAll('"device_count":4', '"device_count":3');
    expect(await refusal("kind: file, file: map", { map: ep2 })).toMatch(
      /map: layer_list\[0\].device_list: expected 3 devices/,
    );
    const other = await refusal("kind: file, file: map", { map: slots }, { model: "mixtral-8x7b" });
    expect(other).toMatch(
      /moe_layer_count: expected the model's 32 MoE layers, found 24 \(is it the map of another model\?\)/,
    );
    expect(await refusal("kind: file, file: eplb.pt", {})).toMatch(/eplb\.pt: expected text: a pickle/);
    expect(await refusal("kind: file, file: map, format: tensorrt-llm", { map: slots })).toMatch(/^map/);
    expect(await refusal("kind: file", {})).toMatch(/policy\.placement\.file/);
    expect(await refusal("kind: file, file: map, format: pt", { map: slots })).toMatch(
      /policy\.placement\.format: expected one of auto, sglang/,
    );
  });
});

describe("layers are numbered as engines number them", () => {
  test("dense layers count where a format numbers all, and not where it numbers those with experts", async () => {
    const { config } = await resolve("kind: eplb, redundant: 0", {}, { model: "deepseek-moe-16b" });
    const context = mapContext(config.model, moeShape(config.model)!, "map", 4);
    expect([context.layers, context.moeLayers[0], context.moeLayers.length]).toEqual([28, 1, 27]);
    const map = mapOfPlacement(config.placement!, config.model);
    expect(JSON.parse(expertMapFormats.sglang.write(map, context)).physical_to_logical_map).toHaveLength(28);
    expect(expertMapFormats["tensorrt-llm"].write(map, context)).toMatch(/^ {2}1: \[.*^ {2}27: \[/ms);
    expect(JSON.parse(expertMapFormats["vllm-ascend"].write(map, context)).moe_layer_count).toBe(27);
  });
});
