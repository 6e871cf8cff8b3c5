import { describe, expect, test } from "vitest";
import { InvalidInputError, type Problem } from "../../src/core/errors.ts";
import { qualityDocument } from "../../src/policy/prefetch/quality-document.ts";
import { refusedDepth } from "../../src/resolve/layer-map.ts";
import { resolveScenario } from "../../src/resolve/resolve-scenario.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";

/** gpt-oss-20b (24 layers of 32 experts, 4 a token) on a recording of 8 layers, or on one layer each. */
const scenario = (offload: string, layerMap = "nearest", layers = 24) => `version: 1
name: repeated
model: { id: gpt-oss-20b }
hardware: { system: rtx4090-desktop }
engine: { id: vllm, maxModelLen: 512, maxNumSeqs: 4, maxNumBatchedTokens: 256 }
parallel: { tp: 1 }
traffic: { kind: generated, requests: 2, arrivals: { kind: closed, maxConcurrency: 1 }, isl: { kind: fixed, tokens: 8 }, osl: { kind: fixed, tokens: 2 } }
routing: ${layers === 24 ? `{ kind: trace, file: scenarios/traces/mini-moe.safetensors, layerMap: ${layerMap} }` : "{ kind: parametric, skew: 0.2, reuse: 0.3, rows: 400 }"}
policy: { offload: { ${offload} } }
`;

const quality = qualityDocument({
  prefetcher: "gate",
  budget: 4,
  batch: 1,
  trainingRows: 1,
  testRows: 1,
  modelLayers: [0, 1, 2, 3, 4, 5, 6, 7],
  recall: Array.from({ length: 8 }, (_, layer) => [layer === 0 ? null : 0.5]),
  precision: Array.from({ length: 8 }, (_, layer) => [layer === 0 ? null : 0.5]),
  recallByDistance: [0.5],
  precisionByDistance: [0.5],
});
const files = { readText: () => Promise.resolve(JSON.stringify(quality)) };

const resolve = (...of: Parameters<typeof scenario>) =>
  resolveScenario(parseScenario(scenario(...of), "test.yaml"), files);
const problemsOf = async (...of: Parameters<typeof scenario>): Promise<readonly Problem[]> => {
  const error: unknown = await resolve(...of).catch((thrown: unknown) => thrown);
  if (error instanceof InvalidInputError) return error.problems;
  if (error instanceof Error) throw error;
  return [];
};

const lru = (prefetch: string) => `kind: lru, slots: 8, prefetch: { ${prefetch} }`;
const learning = ["layer-markov", "co-occurrence", "trajectory", "activation-matrix"];

test("a cache that a token's experts do not fit into says so, a fixed set does not", async () => {
  const of = async (offload: string) => {
    const { offload: name, ledger } = await resolve(offload, "nearest");
    return { name, topics: ledger.map(({ topic }) => topic) };
  };
  const small = await of("kind: lru, slots: 3");
  expect(small.name).toContain("3 of 32 experts a layer, fewer than the 4 of a token");
  expect(small.topics).toContain("slots below a token");
  for (const offload of ["kind: lru, slots: 4", "kind: lru, slots: 0", "kind: static, slots: 3"])
    expect((await of(offload)).topics).not.toContain("slots below a token");
});

describe("layers that replay the same recorded one", () => {
  test.each(learning)("give %s nothing to learn: their repetition would be taken for foresight", async (kind) => {
    for (const map of ["nearest", "repeat"]) {
      const [problem, ...others] = await problemsOf(lru(`kind: ${kind}, fit: { share: 0.5 }`), map);
      expect(others).toEqual([]);
      expect(problem).toMatchObject({ at: "policy.offload.prefetch.kind", found: "8 recorded layers" });
      expect(problem!.expected).toContain(`each of the 24 MoE layers, for what goes by`);
      expect(problem!.line).toBeGreaterThan(0);
    }
  });

  test.each(["finemoe", "moe-infinity"])("are nothing for %s to match", async (kind) => {
    const [problem] = await problemsOf(`kind: ${kind}, scope: global, slots: 192`);
    expect(problem).toMatchObject({ at: "policy.offload.kind", found: "8 recorded layers" });
  });

  test.each([
    lru("kind: frequency, fit: { share: 0.5 }"),
    lru("kind: previous-token"),
    lru("kind: perfect"),
    lru("kind: gate, preset: promoe"),
    "kind: moe-infinity, variant: repo, scope: global, slots: 192",
    "kind: layer-distance, scope: global, slots: 192",
    "kind: plec, scope: global, slots: 192",
  ])("do not matter to %s, which compares no layers", async (offload) => {
    expect(await problemsOf(offload)).toEqual([]);
  });

  test("have the figures of a measured gate layer by layer, and the ledger says where there are none", async () => {
    const detail = async (map: string) =>
      (await resolve(lru("kind: gate, file: quality.json"), map)).ledger.find(
        ({ topic }) => topic === "prefetch quality",
      );
    const repeated = await detail("repeat");
    expect(repeated).toMatchObject({ fidelity: "assumed" });
    // Layers 8 and 16 replay the first recorded one, which no layer is before.
    expect(repeated!.detail).toContain("24 MoE layers have the figures of 8 recorded ones");
    expect(repeated!.detail).toContain("2 pairs of a layer and a distance have none");
  });

  test("a layer of one's own is no repetition, in whatever order", () => {
    expect(refusedDepth([2, 0, 1])).toBeNull();
    expect(refusedDepth([0, 1, 0])).toMatchObject({ found: "2 recorded layers" });
  });

  test("with a recorded layer for each, all of them learn", async () => {
    for (const kind of learning)
      expect(await problemsOf(lru(`kind: ${kind}, fit: { share: 0.5 }`), "identity", 0)).toEqual([]);
  });
});
