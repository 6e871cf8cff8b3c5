import { describe, expect, test } from "vitest";
import { InvalidInputError } from "../../../src/core/errors.ts";
import type { RoutingTable } from "../../../src/trace/routing-table.ts";
import { layerLruCurve } from "../../../src/trace/stats/lru-curve.ts";
import { overlapAtLag } from "../../../src/trace/stats/overlap.ts";
import { contiguousRankLoads, expertCounts, maxOverMean, shares } from "../../../src/trace/stats/popularity.ts";
import { parametricRouting } from "../../../src/trace/synthesis/parametric-routing.ts";

const plain = { experts: 32, topK: 4, layers: 2, popularity: { skew: 0.6 }, tokens: 8000, seed: 7 };

/** The four experts of each token and layer, which differ from one another. */
function choicesOf({ ids }: RoutingTable): number[][] {
  const choices = Array.from({ length: ids.length / 4 }, (_, i) => [...ids.subarray(4 * i, 4 * i + 4)]);
  expect(choices.filter((chosen) => new Set(chosen).size !== 4)).toEqual([]);
  return choices;
}

describe("parametric routing", () => {
  test("has the wanted reuse, and Zipf popularity", () => {
    const table = parametricRouting({ ...plain, reuse: 0.4 });
    for (const layer of [0, 1]) {
      expect(Math.abs(overlapAtLag(table, layer, 1).share - 0.4)).toBeLessThanOrEqual(0.02);
      const popularity = shares(expertCounts(table, layer)).sort((a, b) => b - a);
      const zipf = shares(Array.from({ length: 32 }, (_, rank) => (rank + 1) ** -0.6));
      expect(popularity.reduce((sum, share, rank) => sum + Math.abs(share - zipf[rank]!), 0) / 2).toBeLessThanOrEqual(
        0.05,
      );
    }
    expect(layerLruCurve(table, 0).hits[8]).toBeGreaterThan(layerLruCurve(table, 0).hits[4]!);
  });

  test("without skew and reuse is uniform: overlap topK / experts, hit rate slots / experts", () => {
    const table = parametricRouting({ ...plain, popularity: { skew: 0 }, reuse: 0 });
    expect(Math.abs(overlapAtLag(table, 0, 1).share - 4 / 32)).toBeLessThanOrEqual(0.01);
    expect(maxOverMean(expertCounts(table, 0))).toBeLessThan(1.15);
    const curve = layerLruCurve(table, 0);
    expect(Math.abs(curve.hits[16]! / curve.accesses - 0.5)).toBeLessThanOrEqual(0.02);
  });

  test("keeps a topic for as long as a sequence lasts, and none across sequences", () => {
    const table = parametricRouting({ ...plain, popularity: { popularityCv: 0.5 }, reuse: 0.4, laterReuse: 0.28 });
    const overlap = (lag: number) => [0, 1].reduce((sum, layer) => sum + overlapAtLag(table, layer, lag).share, 0) / 2;
    expect(Math.abs(overlap(1) - 0.4)).toBeLessThanOrEqual(0.02);
    for (const lag of [64, 256]) expect(Math.abs(overlap(lag) - 0.28)).toBeLessThanOrEqual(0.02);
    const apart = parametricRouting({ ...plain, popularity: { popularityCv: 0.5 }, reuse: 0.4 });
    expect(Math.abs(overlapAtLag(apart, 0, 64).share - (4 / 32) * 1.25)).toBeLessThanOrEqual(0.02);
  });

  test("with groups takes the same number of experts from each, so that ranks of whole groups are balanced", () => {
    const table = parametricRouting({ ...plain, groups: 2, reuse: 0.3, popularity: { skew: 1 } });
    const uneven = choicesOf(table).filter((chosen) => chosen.filter((expert) => expert < 16).length !== 2);
    expect(uneven).toEqual([]);
    expect(maxOverMean(contiguousRankLoads(expertCounts(table, 1), 2))).toBe(1);
    expect(maxOverMean(expertCounts(table, 1))).toBeGreaterThan(2);
  });

  test("of a router that keeps some groups has a token's experts there, with the wanted popularity and reuse", () => {
    const limited = {
      ...plain,
      tokens: 16_000,
      sequenceTokens: 160,
      groups: 4,
      groupsKept: 2,
      popularity: { skew: 0.8 },
      reuse: 0.45,
      laterReuse: 0.3,
    };
    const table = parametricRouting(limited);
    const groupOf = (expert: number) => Math.floor(expert / 8);
    const touched = [0, 0, 0];
    for (const chosen of choicesOf(table)) touched[new Set(chosen.map(groupOf)).size]! += 1;
    // Four experts of one group are less usual, and three groups never are.
    expect(touched[2]! / (table.ids.length / 4)).toBeGreaterThan(0.8);
    expect(touched.slice(3).every((times) => !times)).toBe(true);
    const zipf = shares(Array.from({ length: 32 }, (_, rank) => (rank + 1) ** -0.8));
    for (const layer of [0, 1]) {
      const counts = expertCounts(table, layer);
      const popularity = shares(counts).sort((a, b) => b - a);
      expect(popularity.reduce((sum, share, rank) => sum + Math.abs(share - zipf[rank]!), 0) / 2).toBeLessThan(0.05);
      // The most popular experts of the layer are of different groups, which have their parts of all choices.
      const order = Array.from(counts.keys()).sort((a, b) => counts[b]! - counts[a]!);
      expect(new Set(order.slice(0, 4).map(groupOf)).size).toBeGreaterThanOrEqual(3);
      expect(Math.abs(overlapAtLag(table, layer, 1).share - 0.45)).toBeLessThan(0.03);
      expect(Math.abs(overlapAtLag(table, layer, 64).share - 0.3)).toBeLessThan(0.05);
    }
    const { groups: _, groupsKept: __, ...free } = limited;
    expect(parametricRouting({ ...limited, groups: 1, groupsKept: 1 }).ids).toEqual(parametricRouting(free).ids);
  });

  test("draws evenly inside the groups that a token is left with, and every group may be the busiest of a layer", () => {
    const even = { experts: 12, topK: 2, layers: 1, groups: 3, groupsKept: 1, popularity: { skew: 0 }, seed: 3 };
    const { ids } = parametricRouting({ ...even, tokens: 9000 });
    const pairs = new Map<string, number>();
    for (let at = 0; at < ids.length; at += 2) {
      const pair = [ids[at]!, ids[at + 1]!].sort((a, b) => a - b).join();
      pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
    }
    expect(pairs.size).toBe(18);
    for (const times of pairs.values()) expect(Math.abs(times / 500 - 1)).toBeLessThan(0.2);

    const skewed = parametricRouting({ ...even, layers: 24, popularity: { skew: 1 }, tokens: 500 });
    const busiest = Array.from({ length: 24 }, (_, layer) => {
      const loads = contiguousRankLoads(expertCounts(skewed, layer), 3);
      return loads.indexOf(Math.max(...loads));
    });
    expect(new Set(busiest).size).toBe(3);
  });

  test("has other popular experts in each layer, and other tokens with each seed", () => {
    const table = parametricRouting(plain);
    const popularity = [0, 1].map((layer) => [...expertCounts(table, layer)]);
    expect(popularity[0]!.indexOf(Math.max(...popularity[0]!))).not.toBe(
      popularity[1]!.indexOf(Math.max(...popularity[1]!)),
    );
    expect(parametricRouting(plain).ids).toEqual(table.ids);
    expect(parametricRouting({ ...plain, seed: 8 }).ids).not.toEqual(table.ids);
    expect(table.origin.notes.every((note) => note.includes("assumed") || note.includes("seed"))).toBe(true);
  });

  test("is the same however many others were asked for between", () => {
    const asked = (skew: number) =>
      [...parametricRouting({ ...plain, experts: 8, topK: 1, popularity: { skew }, reuse: 0, tokens: 50 }).ids].join();
    const first = asked(0.5);
    const others = Array.from({ length: 20 }, (_, i) => asked(0.51 + i / 100));
    expect(asked(0.5)).toBe(first);
    expect(new Set([first, ...others]).size).toBeGreaterThan(15);
  });

  test("refuses parameters that make no sense, all at once", () => {
    const broken = { ...plain, topK: 40, groups: 3, popularity: { skew: -1 }, reuse: 1.5 };
    try {
      parametricRouting(broken);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(InvalidInputError);
      const places = (error as InvalidInputError).problems.map(({ at }) => at);
      expect(new Set(places)).toEqual(new Set(["topK", "groups", "skew", "reuse"]));
    }
  });
});
