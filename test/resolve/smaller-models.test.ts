import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { sha256 } from "../../src/core/digest.ts";
import { InvalidInputError } from "../../src/core/errors.ts";
import { modelNamed } from "../../src/models/catalogue.ts";
import { mostHeld } from "../../src/policy/placement/kept-experts.ts";
import { noExpert } from "../../src/policy/placement/placement.ts";
import { expertLoads } from "../../src/resolve/expert-loads.ts";
import { resolveScenario } from "../../src/resolve/resolve-scenario.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";
import { moeShape } from "../../src/sim/mapping.ts";
import { simulate } from "../../src/sim/simulate.ts";
import { openRoutingTrace } from "../../src/trace/container/open-trace.ts";
import { countsOf } from "../../src/trace/load-counts.ts";
import { loadRoutingTable } from "../../src/trace/load-routing.ts";
import { applyTransforms } from "../../src/trace/transform/apply-transforms.ts";
import { further } from "../drawn.ts";

/** OLMoE (16 layers of 64 experts, top-8) on four H100s. */
const scenario = (transforms: string, policy = "", model = "id: olmoe-1b-7b") => `version: 1
name: smaller
model: { ${model} }
hardware: { system: h100-sxm-8 }
engine: { id: vllm, maxModelLen: 512, maxNumSeqs: 4, maxNumBatchedTokens: 256 }
parallel: { tp: 4, ep: 4 }
traffic: { kind: generated, requests: 6, arrivals: { kind: closed, maxConcurrency: 2 }, isl: { kind: fixed, tokens: 40 }, osl: { kind: fixed, tokens: 6 } }
routing: { kind: parametric, skew: 0.6, reuse: 0.3, rows: 100, transforms: [${transforms}] }
${policy === "" ? "" : `policy: { ${policy} }`}
`;

const files = (texts: Record<string, string>) => ({
  readText: (path: string) => {
    const name = Object.keys(texts).find((of) => path.endsWith(of));
    return name === undefined ? Promise.reject(new Error(`no such file: ${path}`)) : Promise.resolve(texts[name]!);
  },
});
const resolved = async (text: string, texts: Record<string, string> = {}) =>
  resolveScenario(parseScenario(text, "test.yaml"), files(texts));
/** The model whole, which several tests compare with. */
let unchanged: ReturnType<typeof run> | undefined;
const wholeModel = () => (unchanged ??= run(""));
const run = async (transforms: string, policy?: string, texts?: Record<string, string>) => {
  const { config, ledger, inputs } = await resolved(scenario(transforms, policy), texts);
  const result = simulate(config);
  const experts = result.memory.tiers[0]!.items.find(({ name }) => name.startsWith("routed experts"))!.bytes;
  return { config, result, experts, ledger, inputs };
};
const problemsOf = async (text: string, texts?: Record<string, string>) => {
  const error: unknown = await resolved(text, texts).catch((thrown: unknown) => thrown);
  if (!(error instanceof InvalidInputError)) throw error;
  return error.message;
};

describe("experts that are taken out of a model", () => {
  test("have no bytes: half of them is half the memory, and the rest is for the KV cache", async () => {
    const whole = await wholeModel();
    const half = await run("{ kind: prune, by: frequency, keep: 32 }");
    expect(half.experts * 2).toBe(whole.experts);
    expect(half.result.memory.kvBlocks).toBeGreaterThanOrEqual(whole.result.memory.kvBlocks);
    expect(half.config.placement?.pruned).toBe(true);
  });

  test("are placed by nobody; the others as evenly as ranks allow, whatever the policy", async () => {
    for (const policy of [
      "placement: { kind: eplb }",
      ...further(["", "placement: { kind: lpt }", "placement: { kind: round-robin }"]),
    ]) {
      const { config, result } = await run("{ kind: prune, by: random, keep: 20 }", policy);
      const placement = config.placement!;
      const layers = [...Array(16).keys()];
      for (const layer of layers) expect(mostHeld(placement, [layer]), policy).toBe(5);
      expect(mostHeld(placement, layers)).toBe(5 * 16);
      expect(result.laws["expert-counts"]).toBeGreaterThan(0);
    }
  });

  test("copies of the others share their tokens, and no law breaks", async () => {
    const { config, result } = await run(
      "{ kind: prune, by: frequency, keep: 28 }",
      "placement: { kind: eplb, redundant: 4 }",
    );
    const copies = Array.from(config.placement!.logicalExperts.subarray(0, 32)).filter((expert) => expert !== noExpert);
    expect(copies).toHaveLength(32);
    expect(new Set(copies).size).toBe(28);
    expect(result.laws["expert-counts"]).toBeGreaterThan(0);
  });

  test("merged experts differ by layer, and memory is that of the fullest rank over all layers", async () => {
    const { config, experts, ledger } = await run("{ kind: merge, groups: 16 }");
    const whole = await wholeModel();
    const held = mostHeld(config.placement!, [...Array(16).keys()]);
    expect(experts / whole.experts).toBeCloseTo(held / 256, 6);
    expect(held).toBeGreaterThanOrEqual(64);
    expect(ledger.find(({ topic }) => topic === "experts left")?.detail).toContain("of 64 in a layer hold weights");
  });

  test("a mask is read beside the scenario", async () => {
    const mask = JSON.stringify(Array(16).fill(Array.from({ length: 64 }, (_, expert) => Number(expert < 16))));
    const { ledger, inputs } = await run("{ kind: prune, by: file, file: mask.json }", "", { "mask.json": mask });
    expect(inputs).toContainEqual({ role: "routing transform", name: "mask.json", sha256: sha256(mask) });
    expect(ledger.find(({ topic }) => topic === "experts left")?.detail).toContain(
      "16 of 64 in a layer hold weights, placed anew; left where they were, ranks would hold 0 to 16 of a layer, the fullest 16 on average",
    );
  });
});

test("loads of a file of its own are those of the experts that tokens go to after merging", async () => {
  const file = "scenarios/traces/mini-moe.safetensors";
  const trace = await openRoutingTrace(file);
  const recorded = await loadRoutingTable(trace);
  await trace.close();
  const { layers, experts } = recorded;
  const merge = { kind: "merge", groups: experts / 4, scope: "model", similarity: "coactivation" } as const;
  const { table } = applyTransforms(recorded, [merge], (_index, step) => step());
  const moe = { ...moeShape(modelNamed("olmoe-1b-7b"))!, experts };
  const whole = parseScenario(scenario("{ kind: merge, groups: 2 }"), "test.yaml");
  const source = { whole: table, replayed: table };
  const { uses, source: words } = await expertLoads(whole, { file: resolve(file) }, source, moe);
  const { counts } = countsOf(recorded);
  const expected = new Float64Array(layers * experts);
  for (const [at, count] of counts.entries()) expected[at - (at % experts) + table.mergedInto![at]!]! += count;
  expect(uses).toEqual(expected);
  expect(uses.every((count, at) => count === 0 || table.kept![at] === 1)).toBe(true);
  expect(words).toContain("before transforms, merged experts added up");
  const fewer = { ...table, modelLayers: table.modelLayers.map((layer) => layer + 1) };
  const other = { whole: fewer, replayed: fewer };
  await expect(expertLoads(whole, { file: resolve(file) }, other, moe)).rejects.toThrow("whose experts are merged");
});

test.each([
  ["{ kind: prune, by: frequency }", "", "how many experts of a layer stay"],
  ["{ kind: prune, by: file }", "", "a file of a mask"],
  ["{ kind: prune, by: random, keep: 3, file: m.json }", "", "no file: by random needs none"],
  ["{ kind: prune, by: random, keep: 3, domain: x }", "", "no domain"],
  ["{ kind: prune, by: random, keep: 65 }", "", "expected at most 64 experts of a layer, found 65"],
  ["{ kind: merge, groups: 0.5 }", "", "groups"],
  ["{ kind: bias-balance }", "", "the router's scores of all experts, which bias-balance needs"],
  [
    "{ kind: prune, by: random, keep: 8 }",
    "offload: { kind: lru, slots: 4 }",
    "transforms that take no experts out of the model",
  ],
  [
    "{ kind: prune, by: random, keep: 30 }",
    "placement: { kind: eplb, redundant: 4 }",
    "the 30 experts that are left of a layer + redundant",
  ],
  ["{ kind: prune, by: random, keep: 8 }, { kind: mask, experts: [1], instead: next }", "", "scores"],
])("%s with %s is refused", async (transforms, policy, message) => {
  expect(await problemsOf(scenario(transforms, policy))).toContain(message);
});

test("bits of experts are refused where there are none", async () => {
  const shape = "id: olmoe-1b-7b, expertBits: 0.1";
  expect(await problemsOf(scenario("", "", shape))).toContain("expertBits");
});

describe("what engines refuse of uneven experts", () => {
  const endOf = async (transforms: string, ep: number, policy = "", engine = "sglang") => {
    const text = scenario(transforms, policy)
      .replace("id: vllm,", `id: ${engine},`)
      .replace("{ tp: 4, ep: 4 }", `{ dp: ${ep}, ep: ${ep} }`);
    return resolved(text).then(
      () => "starts",
      (error: unknown) => (error as Error).message,
    );
  };

  test("goes by the experts that are left", async () => {
    expect(await endOf("", 3)).toContain("a divisor of 64 experts");
    expect(await endOf("{ kind: prune, by: random, keep: 30 }", 3)).toBe("starts");
    expect(await endOf("", 4)).toBe("starts");
    expect(await endOf("{ kind: prune, by: random, keep: 30 }", 4)).toContain("a divisor of 30 experts");
  });

  test("under vLLM holds for experts that are placed anew too", async () => {
    expect(await endOf("", 3, "placement: { kind: contiguous }", "vllm")).toBe("starts");
    const rebalanced = "placement: { kind: trivial, redundant: 0, rebalance: { kind: vllm } }";
    expect(await endOf("", 4, rebalanced, "vllm")).toBe("starts");
    expect(await endOf("", 3, rebalanced, "vllm")).toMatch(/multiple of ep 3|divisor of 64 experts/);
  });
});
