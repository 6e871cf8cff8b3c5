import { describe, expect, test } from "vitest";
import { detailsOf } from "../../../src/forecast/details/run-details.ts";
import { eplb } from "../../../src/policy/placement/eplb.ts";
import { singleDevice, testConfig, testOffload, testRequests } from "../../sim/build.ts";
import { ran } from "./ran.ts";

const workload = {
  kind: "closed",
  concurrency: 6,
  requests: testRequests(Array.from({ length: 20 }, (_, i) => ({ prompt: 20 + 7 * i, output: 30 }))),
} as const;
const fourRanks = { ...singleDevice, dp: 4, ep: 4 };
const sum = (values: ArrayLike<number>) => Array.from(values).reduce((total, value) => total + value, 0);
const layerOf = <T extends Float64Array | Uint16Array>(values: T, layer: number, columns: number) =>
  values.subarray(layer * columns, (layer + 1) * columns);

const placement = eplb.place({
  layers: 4,
  experts: 8,
  ranks: 4,
  nodes: 1,
  groups: 1,
  physicalExperts: 12,
  loads: Float64Array.from({ length: 32 }, (_, i) => 10 - (i % 8)),
});

describe.each([
  ["contiguous experts", testConfig({ workload, mapping: fourRanks })],
  ["copies", testConfig({ workload, mapping: fourRanks, placement })],
  ["two groups of experts", testConfig({ workload, mapping: { ...singleDevice, dp: 4, ep: 2, edp: 2 } })],
  ["one device with a cache", testConfig({ workload, offload: testOffload({ slots: 4 }) })],
])("%s", (_, config) => {
  const { run, result } = ran(config);
  const [details] = detailsOf(run).experts;
  const { layers, experts, ranks, steps, uses, rankPairs, rankDistinct, copies, rankCopies, course } = details!;

  test("tokens by expert and pairs by rank are the pairs of the forecast, layer by layer", () => {
    expect(layers).toBe(result.layers.length);
    for (const [layer, { pairs, distinctExperts }] of result.layers.entries()) {
      expect(sum(layerOf(uses, layer, experts))).toBeCloseTo(pairs, 6);
      expect(sum(layerOf(rankPairs, layer, ranks))).toBeCloseTo(pairs, 6);
      expect(sum(layerOf(rankDistinct, layer, ranks)) / steps).toBeCloseTo(distinctExperts, 9);
    }
  });

  test("imbalance over time is the imbalance of the run", () => {
    expect(sum(course.weights)).toBe(steps);
    const mean = sum(result.layers.map(({ imbalance }) => imbalance)) / layers;
    expect(sum(course.amounts) / steps).toBeCloseTo(mean, 9);
    expect(sum(details!.imbalance) / layers).toBeCloseTo(mean, 9);
  });

  test("every copy lies on a rank", () => {
    for (let layer = 0; layer < layers; layer++)
      expect(sum(layerOf(copies, layer, experts))).toBe(sum(layerOf(rankCopies, layer, ranks)));
    expect(copies.every((count) => count >= 1)).toBe(true);
  });
});

describe("placements beside each other", () => {
  test("that in use is as uneven as what the ranks computed", () => {
    const { run } = ran(testConfig({ workload, mapping: fourRanks }));
    const { placements, rankPairs, layers, ranks } = detailsOf(run).experts[0]!;
    expect(placements.map(({ name }) => name)).toEqual(["in use", "contiguous", "lpt"]);
    for (let layer = 0; layer < layers; layer++) {
      const own = Array.from(layerOf(rankPairs, layer, ranks));
      const ratio = (Math.max(...own) * ranks) / sum(own);
      expect(placements[0]!.ratio[layer]).toBeCloseTo(ratio, 9);
      expect(placements[1]!.ratio[layer]).toBeCloseTo(ratio, 9);
      expect(placements[2]!.ratio[layer]).toBeLessThanOrEqual(ratio + 1e-9);
      for (const placed of placements) expect(placed.ratio[layer]).toBeGreaterThanOrEqual(1);
    }
  });

  test("with copies in use, another placement has as many", () => {
    const { run } = ran(testConfig({ workload, mapping: fourRanks, placement }));
    const { placements } = detailsOf(run).experts[0]!;
    expect(placements.map(({ name, copies }) => [name, copies])).toEqual([
      ["in use", 12],
      ["contiguous", 8],
      ["lpt", 8],
      ["eplb", 12],
    ]);
  });

  test("one rank has nothing to place", () => {
    expect(detailsOf(ran(testConfig({ workload })).run).experts[0]!.placements).toEqual([]);
  });
});

test("tokens are sent where ranks have tokens of their own", () => {
  const bytesOf = (mapping: typeof singleDevice | typeof fourRanks) =>
    detailsOf(ran(testConfig({ workload, mapping })).run).experts[0]!.pairBytes;
  expect(bytesOf(singleDevice)).toBeNull();
  // 256 values in bf16.
  expect(bytesOf(fourRanks)).toBe(512);
});

test("uniform routing tells no expert from another", () => {
  const { run } = ran(testConfig({ workload, routing: { kind: "uniform" } }));
  expect(detailsOf(run)).toMatchObject({ experts: [], caches: [] });
});
