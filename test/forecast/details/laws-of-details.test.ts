import { expect, test } from "vitest";
import { detailsSoFar } from "../../../src/forecast/details/details-so-far.ts";
import { detailsOf } from "../../../src/forecast/details/run-details.ts";
import { noExpert, type Placement } from "../../../src/policy/placement/placement.ts";
import type { ResolvedScenario } from "../../../src/resolve/resolved.ts";
import { singleDevice, testConfig, testOffload, testRequests } from "../../sim/build.ts";
import { poolOf } from "../../sim/random-deployment.ts";
import { ran } from "./ran.ts";

const workload = {
  kind: "closed",
  concurrency: 6,
  requests: testRequests(Array.from({ length: 20 }, (_, i) => ({ prompt: 20 + 7 * i, output: 30 }))),
} as const;
const sum = (values: ArrayLike<number>) => Array.from(values).reduce((total, value) => total + value, 0);

test("what a rank was asked for is what was asked of its experts, in all replicas", () => {
  const [replicas, ranks, layers, experts] = [2, 2, 4, 8];
  const { run } = ran(
    testConfig({
      workload,
      replicas,
      mapping: { ...singleDevice, dp: 2, ep: ranks },
      offload: testOffload({ slots: 2 }),
    }),
  );
  const { rankAsked, rankMissed, asked, missed } = detailsOf(run).caches[0]!;
  const { caches } = run.pools[0]!.experts.offloads;
  expect(caches).toHaveLength(replicas * ranks);
  // Every cache was used, so that none stands for another.
  for (const { uses } of caches) expect(sum(uses.asked)).toBeGreaterThan(0);
  for (let layer = 0; layer < layers; layer++)
    for (let rank = 0; rank < ranks; rank++) {
      // Experts lie in the order of their ids, equally many on each rank.
      const held = experts / ranks;
      const from = layer * experts + rank * held;
      expect(rankAsked[layer * ranks + rank]).toBe(sum(asked.subarray(from, from + held)));
      expect(rankMissed[layer * ranks + rank]).toBe(sum(missed.subarray(from, from + held)));
      const own = caches.filter((_, i) => i % ranks === rank);
      const all = own.map(({ uses }) => sum(uses.asked.subarray(layer * experts, (layer + 1) * experts)));
      expect(rankAsked[layer * ranks + rank]).toBe(sum(all));
    }
});

/** Two ranks with another number of experts on each, in each layer: 5 and 3, 6 and 2, 3 and 5, 2 and 6. */
const uneven: Placement = (() => {
  const [layers, experts, places] = [4, 8, 6];
  const logicalExperts = new Uint16Array(layers * 2 * places).fill(noExpert);
  for (const [layer, first] of [5, 6, 3, 2].entries())
    for (let expert = 0; expert < experts; expert++) {
      const [rank, place] = expert < first ? [0, expert] : [1, expert - first];
      logicalExperts[(layer * 2 + rank) * places + place] = expert;
    }
  return { layers, experts, ranks: 2, physicalExpertsPerRank: places, logicalExperts };
})();

test("each group of ranks holds what the only group would", () => {
  const rankCopies = (groups: number) => {
    const mapping = { ...singleDevice, dp: 2 * groups, ep: 2, edp: groups };
    const { run } = ran(testConfig({ workload, mapping, placement: uneven }));
    return detailsOf(run).experts[0]!;
  };
  const one = rankCopies(1);
  expect([...one.rankCopies]).toEqual([5, 3, 6, 2, 3, 5, 2, 6]);
  for (const groups of [2, 3]) {
    const several = rankCopies(groups);
    expect(several.ranks).toBe(2 * groups);
    for (let layer = 0; layer < 4; layer++) {
      const row = [...several.rankCopies.subarray(layer * 2 * groups, (layer + 1) * 2 * groups)];
      const alone = [...one.rankCopies.subarray(layer * 2, layer * 2 + 2)];
      expect(row).toEqual(Array.from({ length: groups }, () => alone).flat());
    }
    expect([...several.copies]).toEqual([...one.copies].map((count) => count * groups));
  }
});

test("each pool of a deployment says how its own experts are placed", () => {
  const config = testConfig({ workload });
  const { run } = ran({
    ...config,
    name: "first",
    otherPools: [
      { ...poolOf(config), name: "second" },
      { ...poolOf(config), name: "third" },
    ],
  });
  const resolved = {
    placement: "contiguous",
    otherPools: [{ placement: "lpt" }, { placement: "eplb, 2 copies" }],
  } as unknown as ResolvedScenario;
  expect(detailsSoFar(run, resolved).pools.map(({ name, placement }) => [name, placement])).toEqual([
    ["first", "contiguous"],
    ["second", "lpt"],
    ["third", "eplb, 2 copies"],
  ]);
});
