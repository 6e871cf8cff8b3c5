import { describe, expect, test } from "vitest";
import { InvalidInputError } from "../../../src/core/errors.ts";
import { overlapAtLag } from "../../../src/trace/stats/overlap.ts";
import { expertCounts } from "../../../src/trace/stats/popularity.ts";
import { publishedRouting, routingFromPublished } from "../../../src/trace/synthesis/published-routing.ts";
import { layerOverlaps } from "../../../src/trace/synthesis/published-weights.ts";
import { synthesiseRouting } from "../../../src/trace/synthesis/synthesise-routing.ts";
import { batchCurve } from "./batch-curve.ts";

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

  test("has the published LRU hit rates within three points", () => {
    const { hitRate } = batchCurve(table, 1, 3000);
    for (const [index, slots] of published.hitRate.slots.entries())
      expect(Math.abs(hitRate[slots]! - published.hitRate.lru[index]!)).toBeLessThanOrEqual(0.03);
  });

  test("has the most popular experts of a sequence take the published share of a task", () => {
    const sequences = Array.from({ length: table.sequenceStarts.length - 1 }, (_, sequence) => sequence);
    const share = mean((layer) => {
      const shares = sequences.map((sequence) => {
        const [from, to] = [table.sequenceStarts[sequence]!, table.sequenceStarts[sequence + 1]!];
        const counts = [...expertCounts(table, layer, from, to)].sort((a, b) => b - a);
        const top = counts.slice(0, published.topShare.experts).reduce((sum, count) => sum + count, 0);
        return top / ((to - from) * table.topK);
      });
      return shares.reduce((sum, value) => sum + value, 0) / shares.length;
    });
    const [low, high] = published.topShare.range;
    expect(share).toBeGreaterThanOrEqual(low!);
    expect(share).toBeLessThanOrEqual(high!);
  });

  test("has batches touch as many experts as published of mixed requests (arXiv 2608.07911)", () => {
    for (const [batch, distinct] of [
      [2, 15],
      [4, 26.6],
      [8, 42.6],
      [16, 59.2],
    ] as const)
      expect(Math.abs(batchCurve(table, batch, 100).distinct / distinct - 1)).toBeLessThan(0.08);
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
