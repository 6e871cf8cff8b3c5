import { expect, test } from "vitest";
import { expectedDistinct } from "../../../src/models/expected-experts.ts";
import { coefficientOfVariation } from "../../../src/trace/stats/popularity.ts";
import { overlapOfPopularity, popularityShares } from "../../../src/trace/synthesis/popularity-law.ts";

test("a Gamma law has its variation, sums to 1 and falls by rank, at every size", () => {
  for (const experts of [8, 64, 384])
    for (const popularityCv of [0, 0.01, 0.1, 0.3, 0.9, 1.1]) {
      const shares = popularityShares({ popularityCv }, experts, 2, 1);
      expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
      expect(shares).toEqual([...shares].sort((a, b) => b - a));
      // Means over slices vary less than the law: the spread inside the top slice is lost.
      const variation = coefficientOfVariation(shares);
      expect(variation).toBeLessThanOrEqual(popularityCv + 1e-6);
      expect(variation).toBeGreaterThan(popularityCv * (experts === 8 ? 0.8 : 0.94) - 1e-9);
    }
});

test("a variation of 1 is the exponential law: slices of -log(1 - u)", () => {
  const shares = popularityShares({ popularityCv: 1 }, 4, 1, 1);
  const upTo = (u: number) => (u === 1 ? 1 : u + (1 - u) * Math.log(1 - u));
  const exact = [3, 2, 1, 0].map((slice) => upTo((slice + 1) / 4) - upTo(slice / 4));
  for (const [rank, share] of shares.entries()) expect(share).toBeCloseTo(exact[rank]!, 4);
});

test("its distinct experts are those that expected routing takes from the same variation", () => {
  for (const popularityCv of [0.3, 0.9])
    for (const tokens of [2, 8, 32]) {
      const [experts, topK] = [128, 8];
      const shares = popularityShares({ popularityCv }, experts, topK, 1);
      const distinct = shares.reduce((sum, share) => sum + 1 - (1 - share * topK) ** tokens, 0);
      expect(distinct / expectedDistinct(experts, topK, tokens, popularityCv)).toBeCloseTo(1, 1);
    }
});

test("uniform tokens share topK / experts, and with groups each group follows the law", () => {
  expect(overlapOfPopularity(popularityShares({ skew: 0 }, 32, 4, 1), 4)).toBeCloseTo(4 / 32, 12);
  const shares = popularityShares({ popularityCv: 0.9 }, 32, 4, 2);
  expect(shares.slice(0, 16)).toEqual(shares.slice(16));
});
