import { describe, expect, test } from "vitest";
import { InvalidInputError } from "../../../src/core/errors.ts";
import { addCurves, hitRate, layerLruCurve } from "../../../src/trace/stats/lru-curve.ts";
import { overlapAtLag } from "../../../src/trace/stats/overlap.ts";
import { expertCounts } from "../../../src/trace/stats/popularity.ts";
import {
  layerOverlaps,
  publishedRouting,
  routingFromPublished,
} from "../../../src/trace/synthesis/published-routing.ts";
import { synthesiseRouting } from "../../../src/trace/synthesis/synthesise-routing.ts";

describe("routing from the published statistics of Qwen3-30B-A3B", () => {
  const published = publishedRouting["qwen3-30b-a3b"];
  const table = synthesiseRouting(routingFromPublished("qwen3-30b-a3b"), { tokens: 8192, seed: 31 });
  const layers = Array.from({ length: table.layers }, (_, layer) => layer);
  const mean = (of: (layer: number) => number): number =>
    layers.reduce((sum, layer) => sum + of(layer), 0) / layers.length;

  test("has the published overlap at the published layers and in the mean", () => {
    const overlap = layers.map((layer) => overlapAtLag(table, layer, 1).share);
    for (const [layer, value] of published.adjacentOverlap.atLayer)
      expect(Math.abs(overlap[layer!]! - value!)).toBeLessThanOrEqual(0.02);
    expect(Math.abs(mean((layer) => overlap[layer]!) - published.adjacentOverlap.mean)).toBeLessThanOrEqual(0.01);
  });

  test("has the published LRU hit rates within a point", () => {
    const curve = addCurves(layers.map((layer) => layerLruCurve(table, layer)));
    for (const [index, slots] of published.hitRate.slots.entries())
      expect(Math.abs(hitRate(curve, slots) - published.hitRate.lru[index]!)).toBeLessThanOrEqual(0.01);
  });

  test("has its most popular experts take the published share, which the LFU rates agree with", () => {
    const topShare = (slots: number): number =>
      mean((layer) => {
        const counts = [...expertCounts(table, layer)].sort((a, b) => b - a);
        return counts.slice(0, slots).reduce((sum, count) => sum + count, 0) / (table.rows * table.topK);
      });
    const [low, high] = published.topShare.range;
    expect(topShare(published.topShare.experts)).toBeGreaterThanOrEqual(low! - 0.01);
    expect(topShare(published.topShare.experts)).toBeLessThanOrEqual(high! + 0.01);
    for (const [index, slots] of published.hitRate.slots.entries())
      expect(Math.abs(topShare(slots) - published.hitRate.lfu[index]!)).toBeLessThanOrEqual(0.02);
  });

  test("interpolates the overlap of the other layers between the published ones", () => {
    const overlaps = layerOverlaps(published);
    expect(overlaps).toHaveLength(48);
    expect(overlaps[0]).toBeCloseTo(0.079, 9);
    expect(overlaps[7]).toBeCloseTo(0.597, 9);
    expect(overlaps[47]).toBeCloseTo(0.206, 9);
    for (let layer = 8; layer < 48; layer++) expect(overlaps[layer]!).toBeLessThan(overlaps[layer - 1]!);
  });

  test("says where its numbers come from and what is assumed", () => {
    expect(table.origin.kind).toBe("synthesised");
    expect(table.origin.notes.join("\n")).toContain("gajsanders/moe-trace");
    expect(table.origin.notes.filter((note) => note.includes("assumed")).length).toBeGreaterThan(0);
  });

  test("is refused for a model without published statistics, with the nearest name", () => {
    for (const id of ["qwen3-30b-a3", "constructor", "toString", "__proto__"])
      expect(() => routingFromPublished(id)).toThrow(InvalidInputError);
    expect(() => routingFromPublished("qwen3-30b-a3")).toThrow("did you mean qwen3-30b-a3b");
  });
});
