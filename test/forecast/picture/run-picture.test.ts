import { describe, expect, test } from "vitest";
import { quantile } from "../../../src/core/quantile.ts";
import { detailsOf } from "../../../src/forecast/details/run-details.ts";
import { sizesFor } from "../../../src/forecast/picture/cache-picture.ts";
import { expertPicture } from "../../../src/forecast/picture/expert-picture.ts";
import { numberRow, numbersOf } from "../../../src/forecast/picture/number-rows.ts";
import { runPicture } from "../../../src/forecast/picture/run-picture.ts";
import { cachePolicies } from "../../../src/policy/cache/caches.ts";
import { countedRequests, requestValues } from "../../../src/sim/outcome/request-latencies.ts";
import { singleDevice, testConfig, testOffload, testRequests } from "../../sim/build.ts";
import { ran } from "../details/ran.ts";

const workload = {
  kind: "closed",
  concurrency: 3,
  requests: testRequests(Array.from({ length: 40 }, (_, i) => ({ prompt: 10 + 3 * i, output: 20 + i }))),
} as const;
const offloaded = (overrides: Parameters<typeof testOffload>[0] = {}) =>
  ran(testConfig({ workload, offload: testOffload({ slots: 4, logAccessesMax: 1e6, ...overrides }) }));

test("latencies by share of requests are quantiles of the requests, and never fall", () => {
  const { run, result } = ran(testConfig({ workload, warmupRequests: 5 }));
  const { shares, ms } = runPicture(run).latency;
  for (const metric of ["ttft", "tpot", "e2e"] as const) {
    const values = requestValues(result.requests, metric, countedRequests(result.requests, null));
    expect(ms[metric]).toHaveLength(shares.length);
    for (const [i, share] of shares.entries()) {
      expect(ms[metric][i]! / (quantile(values, share) / 1e6)).toBeCloseTo(1, 5);
      if (i > 0) expect(ms[metric][i]).toBeGreaterThanOrEqual(ms[metric][i - 1]!);
    }
  }
  expect([shares[0], shares.at(-1)]).toEqual([0, 1]);
});

test("rows of loads are the tokens of each expert over the mean of its layer", () => {
  const { run } = ran(testConfig({ workload, mapping: { ...singleDevice, dp: 2, ep: 2 } }));
  const [details] = detailsOf(run).experts;
  const [picture] = runPicture(run).experts;
  const rows = numbersOf(picture!.byExpert);
  expect(rows).toHaveLength(details!.layers);
  for (const [layer, row] of rows.entries()) {
    const uses = details!.uses.subarray(layer * details!.experts, (layer + 1) * details!.experts);
    const mean = uses.reduce((sum, use) => sum + use, 0) / uses.length;
    expect(row).toEqual(Array.from(uses, (use) => Math.round((100 * use) / mean)));
  }
  expect(numbersOf(picture!.byRank)[0]).toHaveLength(2);
});

test("large models are joined: each cell is the busiest of its block", () => {
  const [layers, experts] = [100, 200];
  const uses = new Float64Array(layers * experts).fill(1);
  uses[33 * experts + 77] = 1000;
  const details = { ...detailsOf(ran(testConfig({ workload })).run).experts[0]!, layers, experts, ranks: 1, uses };
  const { byExpert, layersPerRow, expertsPerColumn } = expertPicture(details);
  const rows = numbersOf(byExpert);
  expect([layersPerRow, expertsPerColumn, rows.length, rows[0]!.length]).toEqual([2, 4, 50, 50]);
  expect(rows[16]![19]).toBe(Math.round((100 * 1000) / ((1000 + 199) / 200)));
  expect(Math.max(...rows.flatMap((row, i) => (i === 16 ? [] : row)))).toBe(100);
});

describe("hit rates by size", () => {
  test.each([
    ["lru", {}],
    ["lfu over all layers", { policy: cachePolicies.lfu, scope: "global", slots: 14 }],
    [
      "what is loaded at start",
      { policy: cachePolicies.static, popularity: Float64Array.from({ length: 32 }, (_, i) => i % 8) },
    ],
  ] as const)("at the size of the run are those of its references: %s", (_, overrides) => {
    const { run, result } = offloaded(overrides);
    const [picture] = runPicture(run).caches;
    const { accesses, lru, bestStatic, belady, ofPolicy, sizes, slots } = picture!;
    const reference = result.cache!.reference!;
    const at = sizes.indexOf(slots);
    expect(accesses).toBe(reference.accesses);
    expect(lru[at]).toBeCloseTo(reference.lru, 4);
    expect(bestStatic[at]).toBeCloseTo(reference.bestStatic, 4);
    expect(belady[at]).toBeCloseTo(reference.belady, 4);
    expect(ofPolicy[at]).toBeCloseTo(result.cache!.hits / result.cache!.accesses, 4);
  });

  test("are nowhere above the optimum, and everything hits but first uses where all experts have a slot", () => {
    const { run } = offloaded();
    const { lru, belady, ofPolicy, sizes } = runPicture(run).caches[0]!;
    expect(sizes.at(-1)).toBe(8);
    for (const [i, rate] of belady.entries()) {
      expect(lru[i]).toBeLessThanOrEqual(rate);
      expect(ofPolicy[i]).toEqual(lru[i]);
    }
    expect(lru.at(-1)).toBe(belady.at(-1));
  });

  test("stand at the size of the run, at most at 25 sizes, and end with all", () => {
    for (const [all, slots] of [
      [8, 5],
      [128, 17],
      [5000, 333],
      [1, 1],
      [10, 0],
      [10, 99],
    ] as const) {
      const sizes = sizesFor(all, slots);
      expect(sizes).toEqual([...new Set(sizes)].sort((a, b) => a - b));
      expect(sizes.length).toBeLessThanOrEqual(25);
      expect(sizes.at(-1)).toBe(all);
      expect(sizes[0]).toBeGreaterThanOrEqual(1);
      if (slots >= 1 && slots <= all) expect(sizes).toContain(slots);
    }
  });

  test("are none without expert caches", () =>
    expect(runPicture(ran(testConfig({ workload })).run).caches).toEqual([]));
});

test("rows of numbers are read as they were written; damaged ones are no rows", () => {
  const rows = [
    [1, 20, 300],
    [0, 0, 7],
  ];
  expect(numbersOf(rows.map(numberRow))).toEqual(rows);
  for (const damaged of [["1 2", "1"], ["1 x"], [""], ["1  2"], ["-1 2"], ["1e5 2"], ["99999999999 1"]])
    expect(numbersOf(damaged)).toEqual([]);
});
