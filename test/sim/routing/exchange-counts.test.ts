import { expect, test } from "vitest";
import { RandomStream } from "../../../src/core/random.ts";
import type { DispatchTopology } from "../../../src/policy/dispatch/dispatch.ts";
import type { Placement } from "../../../src/policy/placement/placement.ts";
import { ExchangeCounter } from "../../../src/sim/routing/exchange-counts.ts";
import { ExpertRanks } from "../../../src/sim/routing/expert-ranks.ts";
import { drawn } from "../../drawn.ts";
import { testRouting } from "../build.ts";

/** Data-parallel ranks of t devices each, expert ranks of p devices, nodes of n: all on the same devices. */
const topologies: readonly DispatchTopology[] = [
  { sources: 4, devicesPerSource: 1, devicesPerRank: 1, devicesPerNode: 2 },
  { sources: 2, devicesPerSource: 2, devicesPerRank: 1, devicesPerNode: 2 },
  { sources: 4, devicesPerSource: 1, devicesPerRank: 2, devicesPerNode: 2 },
  { sources: 2, devicesPerSource: 4, devicesPerRank: 2, devicesPerNode: 4 },
  { sources: 8, devicesPerSource: 1, devicesPerRank: 1, devicesPerNode: 8 },
  // Nodes that cut expert ranks.
  { sources: 6, devicesPerSource: 1, devicesPerRank: 2, devicesPerNode: 3 },
];

/** Every expert once, anywhere. */
function anyPlacement(random: RandomStream, ranks: number): Placement {
  const perRank = Math.ceil(8 / ranks);
  const all = Array.from({ length: 4 }, () => {
    const one = Array.from({ length: ranks * perRank }, (_, i) => (i < 8 ? i : 0xffff));
    for (let i = one.length - 1; i > 0; i--) {
      const j = random.below(i + 1);
      [one[i], one[j]] = [one[j]!, one[i]!];
    }
    return one;
  });
  return {
    layers: 4,
    experts: 8,
    ranks,
    physicalExpertsPerRank: perRank,
    logicalExperts: Uint16Array.from(all.flat()),
  };
}

/** The same by one message after the other: device of a token to device of an expert rank. */
function byMessages(
  rows: readonly (readonly number[])[],
  rankOf: (expert: number) => number,
  times: Float64Array,
  { devicesPerSource, devicesPerRank, devicesPerNode }: DispatchTopology,
) {
  const sum = {
    ranks: 0,
    nodes: 0,
    nearByExpert: 0,
    farByExpert: 0,
    nearByRank: 0,
    farByRank: 0,
    nearByNode: 0,
    farByNode: 0,
  };
  const nodeOf = (device: number) => Math.floor(device / devicesPerNode);
  for (const experts of rows)
    for (const [source, reads] of times.entries())
      for (let i = 0; i < devicesPerSource; i++) {
        const from = source * devicesPerSource + i;
        const weight = reads / devicesPerSource;
        const send = (to: number, near: "nearByExpert" | "nearByRank", far: "farByExpert" | "farByRank") => {
          if (to === from) return;
          sum[nodeOf(to) === nodeOf(from) ? near : far] += weight;
        };
        const devicesOf = (rank: number) => Array.from({ length: devicesPerRank }, (_, d) => rank * devicesPerRank + d);
        for (const expert of experts)
          for (const to of devicesOf(rankOf(expert))) send(to, "nearByExpert", "farByExpert");
        const ranks = new Set(experts.map(rankOf));
        const targets = [...ranks].flatMap(devicesOf);
        for (const to of targets) send(to, "nearByRank", "farByRank");
        sum.ranks += weight * ranks.size;
        const nodes = new Set(targets.map(nodeOf));
        sum.nodes += weight * nodes.size;
        // Once to each other node, at the device of the same place, and from there to every device that needs it.
        for (const node of nodes) if (node !== nodeOf(from)) sum.farByNode += weight;
        for (const to of targets) if (to % devicesPerNode !== from % devicesPerNode) sum.nearByNode += weight;
      }
  return sum;
}

test.each(topologies)("messages of recorded tokens, counted one by one: %j", (topology) => {
  const ranks = (topology.sources * topology.devicesPerSource) / topology.devicesPerRank;
  for (let seed = 0; seed < drawn(12); seed++) {
    const random = new RandomStream(seed, "exchange counts");
    const table = testRouting(4, 8, 3, 30, seed);
    const placed = new ExpertRanks(anyPlacement(random, ranks), [2, 0, 1, 3]);
    const counter = new ExchangeCounter(table, [2, 0, 1, 3], ranks, placed.chooser(), topology);
    const times = Float64Array.from({ length: topology.sources }, () => random.below(4));
    for (let row = 0; row < table.rows; row++) counter.add(row, times);
    for (const [layer, from] of [2, 0, 1, 3].entries()) {
      const rows = Array.from({ length: table.rows }, (_, row) => [
        ...table.ids.subarray((row * 4 + from) * 3, (row * 4 + from) * 3 + 3),
      ]);
      const expected = byMessages(rows, (expert) => placed.rankOf(layer, expert), times, topology);
      for (const [key, value] of Object.entries(expected))
        expect(counter.counts[key as keyof typeof expected][layer]).toBeCloseTo(value, 6);
    }
    const nodes = Math.ceil((topology.sources * topology.devicesPerSource) / topology.devicesPerNode);
    if (nodes === 1) expect(counter.counts.farByRank.every((far) => far === 0)).toBe(true);
  }
});
