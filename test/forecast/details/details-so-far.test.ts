import { describe, expect, test } from "vitest";
import { type DetailsSoFar, detailsSoFar, type PoolSoFar } from "../../../src/forecast/details/details-so-far.ts";
import { detailsOf } from "../../../src/forecast/details/run-details.ts";
import type { ResolvedScenario } from "../../../src/resolve/resolved.ts";
import type { SimConfig } from "../../../src/sim/config.ts";
import { Simulation } from "../../../src/sim/simulation.ts";
import { singleDevice, testConfig, testOffload, testRequests } from "../../sim/build.ts";

const workload = {
  kind: "closed",
  concurrency: 6,
  requests: testRequests(Array.from({ length: 20 }, (_, i) => ({ prompt: 20 + 7 * i, output: 30 }))),
} as const;
const sum = (values: ArrayLike<number>) => Array.from(values).reduce((total, value) => total + value, 0);
const resolved = { placement: "as stated" } as ResolvedScenario;

/** A run that is looked at every few steps, and once more at its end. */
function lookedAt(config: SimConfig) {
  const run = new Simulation(config);
  const looks: DetailsSoFar[] = [detailsSoFar(run, resolved)];
  while (!run.advance(7)) looks.push(detailsSoFar(run, resolved));
  looks.push(detailsSoFar(run, resolved));
  return { run, looks, result: run.result() };
}

function unseen(config: SimConfig) {
  const run = new Simulation(config);
  while (!run.advance(7));
  return run.result();
}

describe.each([
  ["four ranks", testConfig({ workload, mapping: { ...singleDevice, dp: 4, ep: 4 } })],
  ["a cache", testConfig({ workload, offload: testOffload({ slots: 4, logAccessesMax: 1e6 }) })],
  [
    "two ranks with caches",
    testConfig({ workload, mapping: { ...singleDevice, dp: 2, ep: 2 }, offload: testOffload() }),
  ],
])("%s", (_, config) => {
  const { run, looks, result } = lookedAt(config);
  const pools = looks.map((look): PoolSoFar => look.pools[0]!);

  test("looking changes nothing of the run", () => {
    expect(result).toEqual(unseen(config));
  });

  test("at any time figures and counts agree", () => {
    expect(pools[0]!.experts).toBeNull();
    for (const { experts, cache, expertDetails, cacheDetails } of pools) {
      const { uses, rankPairs } = expertDetails!;
      expect(sum(uses)).toBeCloseTo(sum(rankPairs), 6);
      expect(sum(uses)).toBeCloseTo(sum((experts?.layers ?? []).map(({ pairs }) => pairs)), 6);
      if (cache === null) continue;
      expect(sum(cacheDetails!.asked)).toBe(cache.accesses);
      expect(sum(cacheDetails!.missed)).toBe(cache.misses);
      expect(sum(cacheDetails!.course.amounts)).toBe(cache.hits);
    }
  });

  test("counts grow, and those of an earlier look stay as they were", () => {
    const counts = pools.map(({ expertDetails, cacheDetails }) => [
      sum(expertDetails!.uses),
      sum(expertDetails!.rankPairs),
      sum(cacheDetails?.asked ?? []),
    ]);
    for (const [i, now] of counts.entries())
      for (const [k, count] of now.entries()) expect(count).toBeGreaterThanOrEqual(counts[i - 1]?.[k] ?? 0);
    expect(counts.at(-1)![0]).toBeGreaterThan(counts[1]![0]!);
  });

  test("the last look is what the run came to, without what is made at its end", () => {
    const { experts, caches } = detailsOf(run);
    const last = pools.at(-1)!;
    expect(last.expertDetails).toEqual({ ...experts[0], placements: [] });
    expect(last.cacheDetails).toEqual(caches[0] === undefined ? null : { ...caches[0], lru: null });
    expect(last.cache).toEqual(result.cache === null ? null : { ...result.cache, reference: null });
    expect(last.experts!.layers).toEqual(result.layers);
    expect(last.experts!.rankLoad).toEqual(result.rankLoad);
    expect(looks.at(-1)!.simulatedNs).toBe(result.endNs);
  });
});
