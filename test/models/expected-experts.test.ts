import { describe, expect, test } from "vitest";
import { RandomStream } from "../../src/core/random.ts";
import { busiestOfRanks } from "../../src/models/busiest-of-ranks.ts";
import {
  type BusiestRank,
  type ExpectedRouting,
  expectedBusiestRank,
  expectedDistinct,
} from "../../src/models/expected-experts.ts";
import { largestOfNormals } from "../../src/models/largest-of-normals.ts";
import { everyOther } from "../drawn.ts";
import { choices, drawnChoice, grouped, largestOfRanks, limited, placedInTurn } from "./drawn-routing.ts";

/** Means over seeded draws of the largest pairs, the largest distinct and all distinct experts. */
function simulated(routing: ExpectedRouting, draws: number) {
  const rng = new RandomStream(7, JSON.stringify(routing));
  const rankOf = placedInTurn(routing.experts, routing.ranks);
  const sums = { pairs: 0, distinct: 0, all: 0 };
  for (let draw = 0; draw < draws; draw++) {
    const counts = new Uint32Array(routing.experts);
    for (let token = 0; token < routing.tokens; token++)
      for (const expert of drawnChoice(rng, routing)) counts[expert] = (counts[expert] ?? 0) + 1;
    const most = largestOfRanks(counts, rankOf);
    sums.pairs += most.pairs;
    sums.distinct += most.distinct;
    sums.all += counts.filter((count) => count > 0).length;
  }
  return { pairs: sums.pairs / draws, distinct: sums.distinct / draws, all: sums.all / draws };
}

describe("expected distinct experts", () => {
  test("one token touches top-k experts and many tokens all of them", () => {
    expect(expectedDistinct(64, 8, 0)).toBe(0);
    expect(expectedDistinct(64, 8, 1)).toBeCloseTo(8, 12);
    expect(expectedDistinct(64, 8, 10000)).toBeCloseTo(64, 12);
  });

  test.each([null, grouped, limited])("do not depend on the groups of the router: %j", (groups) => {
    const routing = { experts: 64, topK: 8, tokens: 9, ranks: 1, groups };
    const found = simulated(routing, 2000).all;
    expect(Math.abs(found / expectedDistinct(64, 8, 9) - 1)).toBeLessThan(0.005);
  });
});

describe("experts of unequal popularity", () => {
  test("become alike as the variation goes to 0, at every step of it", () => {
    for (const tokens of [1, 2, 16, 300, 100_000]) {
      const alike = expectedDistinct(128, 8, tokens);
      for (let cv = 1; cv >= 1e-300; cv /= 4) {
        const found = expectedDistinct(128, 8, tokens, cv);
        expect(found).toBeLessThanOrEqual(alike * (1 + 1e-12));
        expect(found).toBeGreaterThanOrEqual(alike * (1 - cv * cv));
      }
      const routing = { experts: 128, topK: 8, tokens, ranks: 16, groups: null };
      const { pairs, distinct } = expectedBusiestRank(routing);
      for (const popularityCv of [1e-4, 1e-7, 1e-9, 1e-12, 1e-200]) {
        expect(expectedBusiestRank({ ...routing, popularityCv }).pairs / pairs).toBeCloseTo(1, 5);
        expect(expectedBusiestRank({ ...routing, popularityCv }).distinct / distinct).toBeCloseTo(1, 5);
      }
    }
    expect(expectedDistinct(8, 8, 3, 0.5)).toBe(8);
  });

  test.each([2, 4, 16])(
    "are touched as often as when %i tokens are drawn by Gamma popularities of cv 0.5",
    (tokens) => {
      const rng = new RandomStream(5, `popularity ${tokens}`);
      const exponential = () => -Math.log(1 - rng.uniform());
      const draws = 1500;
      let touched = 0;
      for (let draw = 0; draw < draws; draw++) {
        // A Gamma law of cv 1/2 is the sum of four exponentials; the least exponential over popularity is drawn first.
        const popularity = Array.from(
          { length: 64 },
          () => exponential() + exponential() + exponential() + exponential(),
        );
        const seen = new Set<number>();
        for (let token = 0; token < tokens; token++) {
          const order = popularity.map((weight, expert) => ({ at: exponential() / weight, expert }));
          for (const { expert } of order.sort((a, b) => a.at - b.at).slice(0, 4)) seen.add(expert);
        }
        touched += seen.size / draws;
      }
      expect(Math.abs(expectedDistinct(64, 4, tokens, 0.5) / touched - 1)).toBeLessThan(0.012);
    },
  );
});

describe("the busiest rank", () => {
  test("of one rank holds everything", () => {
    const one = expectedBusiestRank({ experts: 64, topK: 8, tokens: 5, ranks: 1, groups: null });
    expect(one).toEqual({ pairs: 40, distinct: expectedDistinct(64, 8, 5) });
  });

  test.each([2, 3, 4, 5, 6, 7, 8])("of %i agrees with enumeration of every choice of one and two tokens", (ranks) => {
    const rankOf = placedInTurn(8, ranks);
    const all = choices(8, 2);
    const mean = { pairs: 0, distinct: 0, single: 0 };
    for (const first of all) {
      const counts = new Uint32Array(8);
      for (const expert of first) counts[expert] = 1;
      mean.single += largestOfRanks(counts, rankOf).pairs / all.length;
      for (const second of all) {
        const both = counts.slice();
        for (const expert of second) both[expert] = (both[expert] ?? 0) + 1;
        const most = largestOfRanks(both, rankOf);
        mean.pairs += most.pairs / all.length / all.length;
        mean.distinct += most.distinct / all.length / all.length;
      }
    }
    const one = expectedBusiestRank({ experts: 8, topK: 2, tokens: 1, ranks, groups: null });
    expect(one.pairs).toBeCloseTo(mean.single, 6);
    expect(one.distinct).toBeCloseTo(mean.single, 6);
    const two = expectedBusiestRank({ experts: 8, topK: 2, tokens: 2, ranks, groups: null });
    expect(Math.abs(two.pairs / mean.pairs - 1)).toBeLessThan(0.01);
    expect(Math.abs(two.distinct / mean.distinct - 1)).toBeLessThan(8 % ranks === 0 ? 0.015 : 0.04);
  });

  const routings = [
    { experts: 64, topK: 8, tokens: 4, ranks: 8, groups: null },
    { experts: 64, topK: 8, tokens: 16, ranks: 4, groups: null },
    { experts: 64, topK: 8, tokens: 64, ranks: 16, groups: null },
    { experts: 128, topK: 8, tokens: 8, ranks: 8, groups: null },
    { experts: 128, topK: 8, tokens: 32, ranks: 64, groups: null },
    { experts: 128, topK: 8, tokens: 256, ranks: 2, groups: null },
    { experts: 64, topK: 8, tokens: 4, ranks: 16, groups: grouped },
    { experts: 64, topK: 8, tokens: 16, ranks: 4, groups: grouped },
    { experts: 256, topK: 8, tokens: 1, ranks: 8, groups: limited },
    { experts: 256, topK: 8, tokens: 16, ranks: 8, groups: limited },
    { experts: 256, topK: 8, tokens: 1, ranks: 144, groups: null },
    { experts: 256, topK: 8, tokens: 4, ranks: 12, groups: null },
    { experts: 256, topK: 8, tokens: 256, ranks: 72, groups: null },
    { experts: 256, topK: 8, tokens: 1024, ranks: 144, groups: null },
    { experts: 256, topK: 8, tokens: 1024, ranks: 72, groups: limited },
    { experts: 256, topK: 8, tokens: 32, ranks: 48, groups: limited },
    { experts: 256, topK: 8, tokens: 64, ranks: 56, groups: grouped },
  ];
  test.each(everyOther(routings))("agrees with seeded draws: %j", (routing) => {
    const found = simulated(routing, Math.min(1500, Math.ceil(40000 / routing.tokens)));
    const expected = expectedBusiestRank(routing);
    const within = routing.groups === limited ? 0.05 : 0.025;
    expect(Math.abs(expected.pairs / found.pairs - 1)).toBeLessThan(within);
    expect(Math.abs(expected.distinct / found.distinct - 1)).toBeLessThan(within);
  });

  test.each([0, 0.8])("holds the mean where groups fire alike and ranks hold whole groups, popularity cv %f", (cv) => {
    for (const ranks of [2, 4, 8])
      for (const tokens of [1, 3, 456]) {
        const routing = { experts: 64, topK: 8, tokens, ranks, groups: grouped };
        const most = expectedBusiestRank({ ...routing, popularityCv: cv });
        expect(most.pairs).toBeCloseTo((tokens * 8) / ranks, 9);
        const even = expectedBusiestRank({ experts: 64, topK: 8, tokens, ranks, groups: null });
        expect(even.pairs).toBeGreaterThan(most.pairs);
      }
  });

  test("lies between the mean and all, in every regime of the approximation", () => {
    for (const experts of [8, 64, 256])
      for (const ranks of [2, 4, 8])
        for (const tokens of [1, 2, 7, 8, 9, 33, 200, 5000, 100000]) {
          const most = expectedBusiestRank({ experts, topK: 2, tokens, ranks, groups: null });
          expect(most.pairs).toBeGreaterThanOrEqual((2 * tokens) / ranks);
          expect(most.pairs).toBeLessThanOrEqual(2 * tokens);
          expect(most.distinct).toBeGreaterThanOrEqual(expectedDistinct(experts, 2, tokens) / ranks - 1e-9);
          expect(most.distinct).toBeLessThanOrEqual(Math.min(experts / ranks, most.pairs));
        }
  });
});

test("no rank is given more pairs by a token than it has experts, however unequal their popularity", () => {
  for (const [experts, topK, ranks] of [
    [8, 4, 8],
    [16, 8, 8],
    [64, 8, 64],
  ] as const)
    for (const tokens of [1, 5, 100, 10_000])
      for (const popularityCv of [0, 1, 4]) {
        const most = expectedBusiestRank({ experts, topK, tokens, ranks, groups: null, popularityCv });
        expect(most.pairs).toBeLessThanOrEqual((tokens * experts) / ranks + 1e-9);
        expect(most.distinct).toBeLessThanOrEqual(experts / ranks);
      }
});

test("unequal popularity loads the busiest rank more and leaves more experts untouched", () => {
  const routing = { experts: 64, topK: 8, tokens: 32, ranks: 8, groups: null };
  const even = expectedBusiestRank(routing);
  const uneven = expectedBusiestRank({ ...routing, popularityCv: 0.6 });
  expect(uneven.pairs).toBeGreaterThan(1.1 * even.pairs);
  expect(expectedDistinct(64, 8, 32, 0.6)).toBeLessThan(expectedDistinct(64, 8, 32));
  expect(expectedDistinct(64, 8, 1, 0.6)).toBeCloseTo(8, 9);
});

describe("the largest of normal variables", () => {
  test("has the tabulated expectation and second moment", () => {
    expect(largestOfNormals(2).first).toBeCloseTo(1 / Math.sqrt(Math.PI), 8);
    expect(largestOfNormals(3).first).toBeCloseTo(1.5 / Math.sqrt(Math.PI), 8);
    // Harter 1961, expected normal order statistics.
    expect(largestOfNormals(10).first).toBeCloseTo(1.53875, 5);
    expect(largestOfNormals(100).first).toBeCloseTo(2.50759, 5);
    expect(largestOfNormals(2).second).toBeCloseTo(1, 8);
  });
});

test("counts of a multinomial are exact: five balls in three ranks", () => {
  // 3^5 = 243 words: 3 with largest count 5, 30 with 4, 60 + 60 with 3, 90 with 2.
  const exact = (3 * 5 + 30 * 4 + 120 * 3 + 90 * 2) / 243;
  expect(busiestOfRanks({ kinds: [{ ranks: 3, experts: 1 }], sum: 5, spread: 5 })).toBeCloseTo(exact, 9);
});

describe("any number of ranks, whether or not it divides the experts", () => {
  const experts = 256;
  const sizes = Array.from({ length: 1024 }, (_, i) => i + 1);

  // Continuous means: one rank more changes the busiest by no more than the load of the busiest single expert for each
  // expert that the largest rank gives up, and one such load besides. Without groups it never adds: between divisors the
  // load lies between theirs.
  const routings = [
    { topK: 8, tokens: 3000, groups: null },
    { topK: 1, tokens: 40, groups: null },
    { topK: 8, tokens: 3000, groups: limited },
    { topK: 6, tokens: 2, groups: { count: 8, kept: 3 } },
    { topK: 8, tokens: 300, groups: grouped },
  ];
  test.each(everyOther(routings))("loads the busiest rank without gaps: %j", (routing) => {
    const most = sizes.map((ranks) => expectedBusiestRank({ ...routing, experts, ranks }));
    const single = most[experts - 1] as BusiestRank;
    for (const [i, next] of most.entries()) {
      const ranks = i;
      const before = most[i - 1];
      if (before === undefined) continue;
      const givenUp = Math.ceil(experts / ranks) - Math.ceil(experts / (ranks + 1));
      for (const key of ["pairs", "distinct"] as const) {
        expect(Number.isFinite(next[key])).toBe(true);
        const change = next[key] - before[key];
        expect(Math.abs(change)).toBeLessThanOrEqual(single[key] * (givenUp + 1));
        if (routing.groups === null) expect(change).toBeLessThanOrEqual(1e-6);
        if (ranks >= experts) expect(change).toBeCloseTo(0, 9);
      }
      expect(next.pairs).toBeGreaterThanOrEqual((routing.tokens * routing.topK) / Math.min(ranks + 1, experts) - 1e-9);
    }
  });

  test("hardly changes from a divisor to the next size, whose largest rank holds as many experts", () => {
    const at = (ranks: number) => expectedBusiestRank({ experts, topK: 8, tokens: 3000, ranks, groups: null }).pairs;
    for (const ranks of [32, 64, 128]) expect(at(ranks + 1) / at(ranks)).toBeGreaterThan(0.995);
  });
});
