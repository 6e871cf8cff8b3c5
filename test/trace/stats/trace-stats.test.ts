import { describe, expect, test } from "vitest";
import { describeStats } from "../../../src/trace/stats/describe-stats.ts";
import { batchSteps, distinctPerWindow, uniformDistinct } from "../../../src/trace/stats/distinct-experts.ts";
import { nextLayer } from "../../../src/trace/stats/next-layer.ts";
import { overlapAtLag } from "../../../src/trace/stats/overlap.ts";
import {
  coefficientOfVariation,
  contiguousRankLoads,
  expertCounts,
  maxOverMean,
  shares,
  totalVariation,
} from "../../../src/trace/stats/popularity.ts";
import { reuseGaps } from "../../../src/trace/stats/reuse-gap.ts";
import { traceStats } from "../../../src/trace/stats/trace-stats.ts";
import { pairCounts, transitionCounts, transitionDistance } from "../../../src/trace/stats/transition.ts";
import { markovRouting, tableOf } from "../markov-routing.ts";

const table = markovRouting({
  experts: 16,
  topK: 2,
  layers: 3,
  domains: 2,
  sequences: 4,
  sequenceTokens: 60,
  keep: 0.4,
  follow: 0.4,
  seed: 5,
});

/** Two sequences of three tokens, one layer, 2 of 5 experts. */
const small = tableOf(Uint8Array.of(0, 1, 1, 2, 3, 0, 4, 2, 2, 4, 2, 0), {
  experts: 5,
  topK: 2,
  layers: 1,
  sequenceTokens: 3,
});

describe("popularity", () => {
  test("of a small table is counted by hand", () => {
    expect([...expertCounts(small, 0)]).toEqual([3, 2, 4, 1, 2]);
    expect(shares([3, 1])).toEqual([0.75, 0.25]);
    expect(maxOverMean([3, 2, 4, 1, 2])).toBeCloseTo(4 / 2.4, 12);
    expect(coefficientOfVariation([1, 3])).toBeCloseTo(0.5, 12);
    expect([...contiguousRankLoads([3, 2, 4, 1, 2], 2)]).toEqual([9, 3]);
    expect(totalVariation([0.5, 0.5], [1, 0])).toBe(0.5);
  });

  test("adds up to topK for every token", () => {
    for (let layer = 0; layer < table.layers; layer++)
      expect(expertCounts(table, layer).reduce((sum, count) => sum + count, 0)).toBe(table.rows * table.topK);
  });
});

describe("overlap", () => {
  test("of a small table is counted by hand and does not cross sequences", () => {
    expect(overlapAtLag(small, 0, 1)).toEqual({ pairs: 4, share: (1 + 0 + 2 + 1) / 8, leadRepeat: 0.25 });
    expect(overlapAtLag(small, 0, 2)).toEqual({ pairs: 2, share: (1 + 1) / 4, leadRepeat: 0 });
    expect(overlapAtLag(small, 0, 3).pairs).toBe(0);
    expect(overlapAtLag(small, 0, 1, [1])).toEqual({ pairs: 2, share: 3 / 4, leadRepeat: 0.5 });
  });
});

describe("reuse gaps", () => {
  test("of a small table fall into the bins 1 and 2", () => {
    // First uses: 0 1 2 3 and 4 2 0. One token apart: 1, 2, 4, 2. Two apart: 0.
    expect(reuseGaps(small, 0)).toEqual({ upTo: [1, 2], share: [4 / 12, 1 / 12], firstUse: 7 / 12 });
  });

  test("and first uses are all selections", () => {
    for (let layer = 0; layer < table.layers; layer++) {
      const { share, firstUse } = reuseGaps(table, layer);
      expect(share.reduce((sum, value) => sum + value, firstUse)).toBeCloseTo(1, 12);
    }
  });
});

describe("distinct experts", () => {
  test("of windows and steps are counted by hand", () => {
    expect(distinctPerWindow(small, 0, 1)).toBe(2);
    expect(distinctPerWindow(small, 0, 2)).toBe((3 + 2) / 2);
    expect(distinctPerWindow(small, 0, 3)).toBe((4 + 3) / 2);
    expect(distinctPerWindow(small, 0, 4)).toBeNull();
    // Steps {0 1 4 2}, {1 2 2 4}, {3 0 2 0}.
    expect(batchSteps(small, 0, [0, 1])).toEqual({
      sequences: 2,
      steps: 3,
      distinct: (4 + 3 + 3) / 3,
      uniformDistinct: uniformDistinct(5, 2, 2),
      sameSequence: 4 / 8,
      anySequence: (4 + 1) / 8,
      maxOverMean: ((1 + 2 + 2) / 3) * (5 / 4),
    });
  });

  test("of uniform routing follow the closed form of independent draws", () => {
    expect(uniformDistinct(8, 2, 1)).toBeCloseTo(2, 12);
    expect(uniformDistinct(60, 4, 25)).toBeCloseTo(49.3, 1);
  });
});

describe("transitions", () => {
  test("have the marginals of the two layers, topK times over", () => {
    const counts = transitionCounts(table, 0);
    const above = expertCounts(table, 0);
    const below = expertCounts(table, 1);
    for (let expert = 0; expert < 16; expert++) {
      const row = counts.subarray(expert * 16, expert * 16 + 16).reduce((sum, count) => sum + count, 0);
      const column = Array.from({ length: 16 }, (_, other) => counts[other * 16 + expert]!).reduce((a, b) => a + b, 0);
      expect(row).toBe(above[expert]! * 2);
      expect(column).toBe(below[expert]! * 2);
    }
  });

  test("are at distance 0 from themselves and 1 from disjoint ones", () => {
    expect(transitionDistance(Float64Array.of(1, 3, 2, 2), Float64Array.of(2, 6, 1, 1), 2)).toBe(0);
    expect(transitionDistance(Float64Array.of(1, 0, 0, 1), Float64Array.of(0, 1, 1, 0), 2)).toBe(1);
    expect(transitionDistance(Float64Array.of(3, 0, 0, 1), Float64Array.of(1, 1, 0, 1), 2)).toBeCloseTo(0.75 * 0.5, 12);
  });

  test("tell more about the next layer where it follows this one", () => {
    const follows = nextLayer(table, 0);
    expect(follows.leadPredicted).toBeGreaterThan(follows.leadByPopularity + 0.1);
    const copied = tableOf(
      Uint8Array.from({ length: 400 }, (_, at) => (at >> 1) % 4),
      {
        experts: 4,
        topK: 1,
        layers: 2,
        sequenceTokens: 200,
      },
    );
    expect(nextLayer(copied, 0)).toEqual({ mutualInformationBits: 2, leadPredicted: 1, leadByPopularity: 0.25 });
  });

  test("is counted by hand: the best guess after each expert, and the one guess for all", () => {
    // First experts 0 1 0 1, followed by 1 1 2 1: after 0 either, after 1 always 1; 1 is the most frequent.
    const four = tableOf(Uint8Array.of(0, 1, 1, 1, 0, 2, 1, 1), { experts: 3, topK: 1, layers: 2, sequenceTokens: 4 });
    expect(nextLayer(four, 0)).toMatchObject({ leadPredicted: (1 + 2) / 4, leadByPopularity: 3 / 4 });
    const five = tableOf(Uint8Array.of(0, 1, 1, 1, 0, 2, 1, 2, 2, 1), {
      experts: 3,
      topK: 1,
      layers: 2,
      sequenceTokens: 5,
    });
    expect(nextLayer(five, 0)).toMatchObject({ leadPredicted: (1 + 1 + 1) / 5, leadByPopularity: 3 / 5 });
  });

  test("inside a token are symmetric and pair every two of its experts", () => {
    const counts = pairCounts(table, 1);
    for (let a = 0; a < 16; a++) for (let b = 0; b < 16; b++) expect(counts[a * 16 + b]).toBe(counts[b * 16 + a]);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(table.rows * 2);
  });
});

describe("the statistics of a trace", () => {
  const stats = traceStats(table, { ranks: 4, batchSequences: 4 });

  test("are plain JSON with one entry per layer", () => {
    expect(JSON.parse(JSON.stringify(stats))).toEqual(stats);
    expect(stats.layers).toHaveLength(3);
    expect(stats.layers[2]!.next).toBeNull();
    expect(stats.hitRate).toHaveLength(16);
    expect(stats.globalHitRate.at(-1)).toBeCloseTo(stats.hitRate.at(-1)!, 12);
  });

  test("see that domains differ and are at no distance from themselves", () => {
    expect(stats.domains.map(({ share }) => share)).toEqual([0.5, 0.5]);
    expect(stats.domainDistance[0]![0]).toBe(0);
    expect(stats.domainDistance[0]![1]).toBeGreaterThan(0.1);
    expect(stats.domainDistance[0]![1]).toBe(stats.domainDistance[1]![0]);
  });

  test("print as tables with a line per layer and no control characters from names", () => {
    const text = describeStats({ ...stats, name: "evil\u001b[31m" });
    expect(text).not.toContain("\u001b");
    expect(text.split("\n").filter((line) => line.startsWith("layer 2"))).toHaveLength(2);
    expect(text).toContain("LRU hits");
    expect(text).toContain("domain 1");
  });
});
