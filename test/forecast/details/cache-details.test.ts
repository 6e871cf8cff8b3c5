import { describe, expect, test } from "vitest";
import { detailsOf } from "../../../src/forecast/details/run-details.ts";
import { cachePolicies } from "../../../src/policy/cache/caches.ts";
import { singleDevice, testConfig, testOffload, testRequests } from "../../sim/build.ts";
import { ran } from "./ran.ts";

const workload = {
  kind: "closed",
  concurrency: 3,
  requests: testRequests(Array.from({ length: 20 }, (_, i) => ({ prompt: 10 + 3 * i, output: 30 }))),
} as const;
const sum = (values: ArrayLike<number>) => Array.from(values).reduce((total, value) => total + value, 0);
const offload = (overrides: Parameters<typeof testOffload>[0] = {}) =>
  testOffload({ slots: 4, logAccessesMax: 1e6, ...overrides });

describe.each([
  ["LRU on one device", testConfig({ workload, offload: offload() })],
  [
    "LFU over all layers",
    testConfig({ workload, offload: offload({ policy: cachePolicies.lfu, scope: "global", slots: 14 }) }),
  ],
  [
    "two ranks, two replicas",
    testConfig({ workload, replicas: 2, mapping: { ...singleDevice, dp: 2, ep: 2 }, offload: offload({ slots: 2 }) }),
  ],
  ["two stages", testConfig({ workload, mapping: { ...singleDevice, pp: 2 }, offload: offload() })],
])("%s", (_, config) => {
  const { run, result } = ran(config);
  const { cache } = result;
  const [details] = detailsOf(run).caches;
  const { asked, missed, rankAsked, rankMissed, cold, course, lru, slots, experts } = details!;

  test("accesses and misses by expert, by rank and over time are those of the forecast", () => {
    expect(sum(asked)).toBe(cache!.accesses);
    expect(sum(missed)).toBe(cache!.misses);
    expect(sum(rankAsked)).toBe(cache!.accesses);
    expect(sum(rankMissed)).toBe(cache!.misses);
    expect(sum(course.weights)).toBe(cache!.accesses);
    expect(sum(course.amounts)).toBe(cache!.hits);
  });

  test("a cache that starts empty misses each expert once at first", () => {
    const used = run.pools[0]!.experts.offloads.caches.reduce(
      (total, { uses }) => total + uses.asked.filter((count) => count > 0).length,
      0,
    );
    expect(sum(cold)).toBe(used);
    for (let layer = 0; layer < cold.length; layer++)
      expect(cold[layer]).toBeLessThanOrEqual(sum(missed.subarray(layer * experts, (layer + 1) * experts)));
  });

  test("the curve is LRU's hit rate at the size of the run, never falls, and ends where only first uses miss", () => {
    const { accesses, coldMisses, hits } = lru!;
    expect(accesses).toBe(cache!.accesses);
    expect(coldMisses).toBe(sum(cold));
    expect(hits[Math.min(slots, hits.length - 1)]! / accesses).toBe(cache!.reference!.lru);
    expect(hits[0]).toBe(0);
    for (let size = 1; size < hits.length; size++) expect(hits[size]).toBeGreaterThanOrEqual(hits[size - 1]!);
    expect(hits.at(-1)! + coldMisses).toBe(accesses);
  });
});

test("each rank is asked for the experts that it holds", () => {
  const { run } = ran(
    testConfig({ workload, mapping: { ...singleDevice, dp: 2, ep: 2 }, offload: offload({ slots: 2 }) }),
  );
  const { asked, missed, rankAsked, rankMissed } = detailsOf(run).caches[0]!;
  for (let layer = 0; layer < 4; layer++)
    for (let rank = 0; rank < 2; rank++) {
      const from = layer * 8 + rank * 4;
      expect(rankAsked[layer * 2 + rank]).toBe(sum(asked.subarray(from, from + 4)));
      expect(rankMissed[layer * 2 + rank]).toBe(sum(missed.subarray(from, from + 4)));
    }
});

test("experts that are loaded before the run are no first misses", () => {
  const popularity = Float64Array.from({ length: 32 }, (_, i) => 8 - (i % 8));
  const { run, result } = ran(testConfig({ workload, offload: offload({ policy: cachePolicies.static, popularity }) }));
  const [details] = detailsOf(run).caches;
  // Four of eight experts a layer stay; of the others the first use is cold, and all that follow miss too.
  expect(sum(details!.cold)).toBeLessThanOrEqual(4 * 4);
  for (let layer = 0; layer < 4; layer++)
    for (let expert = 0; expert < 4; expert++) expect(details!.missed[layer * 8 + expert]).toBe(0);
  expect(sum(details!.missed)).toBe(result.cache!.misses);
});

test("the curve is of the accesses that were recorded", () => {
  const { run } = ran(testConfig({ workload, offload: offload({ logAccessesMax: 100 }) }));
  const { lru, asked } = detailsOf(run).caches[0]!;
  expect(lru!.accesses).toBeLessThanOrEqual(100);
  expect(sum(asked)).toBeGreaterThan(100);
  expect(
    detailsOf(ran(testConfig({ workload, offload: offload({ logAccessesMax: 0 }) })).run).caches[0]!.lru,
  ).toBeNull();
});

test("a slot takes an expert of every layer of a stage", () => {
  const bytesOf = (overrides: Parameters<typeof testConfig>[0]) =>
    detailsOf(ran(testConfig({ workload, ...overrides })).run).caches[0]!.slotBytes;
  const expertBytes = 3 * 256 * 128 * 2;
  expect(bytesOf({ offload: offload() })).toBe(4 * expertBytes);
  expect(bytesOf({ offload: offload(), mapping: { ...singleDevice, pp: 2 } })).toBe(2 * expertBytes);
  expect(bytesOf({ offload: offload({ scope: "global", slots: 14 }) })).toBe(expertBytes);
});
