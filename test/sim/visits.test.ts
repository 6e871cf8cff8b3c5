import { describe, expect, test } from "vitest";
import type { ModelSpec } from "../../src/models/spec.ts";
import { chained } from "../../src/models/visits.ts";
import { resolveScenario } from "../../src/resolve/resolve-scenario.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";
import type { RunResult } from "../../src/sim/result.ts";
import { simulate } from "../../src/sim/simulate.ts";
import { chainConfig } from "../models/chain-config.ts";
import { singleDevice, testConfig, testEngine, testOffload, testRequests, testRouting, tinyModel } from "./build.ts";

const once = tinyModel();
const visited = (iterations: number, router: "own" | "shared" = "own"): ModelSpec => ({
  ...once,
  layers: once.layers.flatMap((layer) => chained(layer, iterations, router)),
});
const workload = { kind: "open", requests: testRequests([{ prompt: 40, output: 9 }]) } as const;
const bytesOf = ({ memory }: RunResult, part: string) =>
  memory.tiers[0]!.items.filter(({ name }) => name.startsWith(part)).reduce((sum, { bytes }) => sum + bytes, 0);

describe("a layer whose experts are visited again", () => {
  test("costs its router, exchange and experts once more a visit, and attention once", () => {
    const run = (model: ModelSpec) =>
      simulate(
        testConfig({ model, mapping: { ...singleDevice, dp: 2, ep: 2 }, routing: { kind: "uniform" }, workload }),
      );
    const single = run(once);
    for (const iterations of [2, 3]) {
      const { time, steps } = run(visited(iterations));
      expect(steps).toBe(single.steps);
      for (const part of ["experts", "dispatch", "combine"] as const)
        expect(time[part] / single.time[part]).toBeCloseTo(iterations, 9);
      for (const part of ["attention", "head"] as const) expect(time[part]).toBeCloseTo(single.time[part], 6);
    }
  });

  test("holds experts and keys once, and a router a visit unless they share one", () => {
    const run = (model: ModelSpec) => simulate(testConfig({ model, routing: { kind: "uniform" }, workload }));
    const single = run(once);
    const [chain, shared] = [run(visited(2)), run(visited(2, "shared"))];
    for (const part of ["routed experts", "attention", "norms"])
      expect(bytesOf(chain, part)).toBe(bytesOf(single, part));
    expect(bytesOf(chain, "router")).toBe(2 * bytesOf(single, "router"));
    expect(bytesOf(shared, "router")).toBe(bytesOf(single, "router"));
  });

  test("finds what the visit before left in the expert cache", () => {
    const table = testRouting();
    const run = (model: ModelSpec, layerMap: readonly number[]) =>
      simulate(
        testConfig({
          model,
          workload,
          engine: testEngine(),
          routing: { kind: "replay", table, layerMap, start: "zero" },
          offload: testOffload({ logAccessesMax: 1e6 }),
        }),
      );
    // Every visit chooses as the one before did: what it asks for is there.
    const single = run(once, [0, 1, 2, 3]).cache!;
    const chain = run(visited(2), [0, 0, 1, 1, 2, 2, 3, 3]);
    expect(chain.cache!.accesses).toBe(2 * single.accesses);
    expect(chain.cache!.misses).toBe(single.misses);
    expect(chain.cache!.fetchedBytes).toBe(single.fetchedBytes);
    expect(bytesOf(chain, "expert cache")).toBe(bytesOf(run(once, [0, 1, 2, 3]), "expert cache"));
    expect(chain.layers).toHaveLength(8);
  });
});

test("a chain of experts is deployed from its config.json: placed, cached and fitted once for all visits", async () => {
  const files = { readText: () => Promise.resolve(JSON.stringify(chainConfig)) };
  const resolve = async (policy: string, parallel: string) => {
    const text = `version: 1
name: chain
model: { file: config.json }
hardware: { system: h100-sxm-8 }
engine: { id: sglang, maxModelLen: 4096 }
parallel: { ${parallel} }
traffic: { kind: generated, requests: 6, arrivals: { kind: closed, maxConcurrency: 3 }, isl: { kind: fixed, tokens: 60 }, osl: { kind: fixed, tokens: 8 } }
routing: { kind: parametric, popularityCv: 0.8, rows: 300 }
policy: { ${policy} }
`;
    return (await resolveScenario(parseScenario(text, "test.yaml"), files)).config;
  };
  const placed = await resolve("placement: { kind: eplb, redundant: 4 }", "tp: 2, ep: 2");
  const { layers, logicalExperts } = placed.placement!;
  const perLayer = logicalExperts.length / layers;
  const rowOf = (layer: number) => [...logicalExperts.subarray(layer * perLayer, (layer + 1) * perLayer)];
  expect(layers).toBe(8);
  for (let layer = 0; layer < 8; layer += 2) expect(rowOf(layer + 1)).toEqual(rowOf(layer));
  expect(rowOf(2)).not.toEqual(rowOf(0));
  const cached = await resolve("offload: { kind: static, slots: 20 }", "tp: 1");
  expect(cached.offload!.slots).toBe(20);
  for (const config of [placed, cached]) {
    const { layers: loads, steps, cache } = simulate(config);
    expect(loads.map(({ pairs }) => pairs)).toEqual(Array.from({ length: 8 }, () => 6 * (60 + 7) * 4));
    expect(steps).toBeGreaterThan(0);
    // A static set of the experts that all visits of a layer like best.
    if (cache !== null) expect(cache.hits / cache.accesses).toBeGreaterThan(20 / 64);
  }
  await expect(resolve("", "tp: 5, pp: 5")).rejects.toThrow("at most 4 layers");
});
