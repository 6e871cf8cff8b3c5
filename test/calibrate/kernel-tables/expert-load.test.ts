import fc from "fast-check";
import { expect, test } from "vitest";
import { heaviestWithEplb } from "../../../src/calibrate/kernel-tables/eplb-load.ts";
import {
  balancedCounts,
  ExpertLoads,
  powerLawCounts,
  settle,
} from "../../../src/calibrate/kernel-tables/expert-load.ts";
import { heaviestOf } from "../../../src/calibrate/kernel-tables/rank-load.ts";
import { RandomStream } from "../../../src/core/random.ts";
import { drawn } from "../../drawn.ts";

const sum = (counts: Iterable<number>) => Array.from(counts).reduce((a, b) => a + b, 0);
const powersOf2 = (max: number) => fc.integer({ min: 0, max }).map((e) => 1 << e);

/** Experts, experts per token, ranks that divide the experts, tokens. */
const batches = fc
  .record({
    experts: fc.constantFrom(8, 16, 64, 128),
    topK: fc.constantFrom(1, 2, 4, 8),
    tokens: fc.integer({ min: 1, max: 600 }),
  })
  .chain(({ experts, topK, tokens }) =>
    powersOf2(3).map((ranks) => ({ experts, topK: Math.min(topK, experts), tokens, ranks })),
  );

test("a balanced batch spreads tokens x topK pairs, evenly once there are tokens enough", () => {
  fc.assert(
    fc.property(batches, ({ tokens, experts, topK }) => {
      const counts = balancedCounts(tokens, experts, topK);
      expect(sum(counts)).toBe(tokens * topK);
      // experts / topK tokens touch every expert once.
      if (tokens >= experts / topK) expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      else expect(counts.filter((count) => count > 0).length).toBe(tokens * topK);
    }),
  );
});

test("the first tokens of a balanced batch reach every rank alike", () => {
  // 16 experts, 2 a token: token 0 takes experts 0 and 8, one on each of two ranks.
  expect(heaviestOf(balancedCounts(1, 16, 2), 2)).toEqual({ pairs: 1, distinct: 1 });
  expect(heaviestOf(balancedCounts(4, 16, 2), 4)).toEqual({ pairs: 2, distinct: 2 });
  expect(heaviestOf(balancedCounts(8, 16, 2), 4)).toEqual({ pairs: 4, distinct: 4 });
});

test("the heaviest rank is the one naive counting finds, and at least the mean", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 16, maxLength: 16 }),
      powersOf2(4),
      (counts, ranks) => {
        const perRank = 16 / ranks;
        const sums = Array.from({ length: ranks }, (_, r) => sum(counts.slice(r * perRank, (r + 1) * perRank)));
        const { pairs, distinct } = heaviestOf(counts, ranks);
        expect(pairs).toBe(Math.max(...sums));
        expect(pairs).toBeGreaterThanOrEqual(sum(counts) / ranks);
        const rank = sums.indexOf(pairs);
        if (pairs > 0)
          expect(distinct).toBe(counts.slice(rank * perRank, (rank + 1) * perRank).filter((count) => count > 0).length);
      },
    ),
  );
});

test("settled counts add up to the pairs and give no expert more tokens than there are", () => {
  fc.assert(
    fc.property(batches, fc.double({ min: 0.5, max: 2, noNaN: true }), (batch, alpha) => {
      const { tokens, experts, topK, ranks } = batch;
      const counts = powerLawCounts(tokens, experts, topK, alpha, new RandomStream(3, "settle"));
      settle(counts, tokens, tokens * topK, ranks);
      expect(sum(counts)).toBe(tokens * topK);
      expect(Math.max(...counts)).toBeLessThanOrEqual(tokens);
    }),
  );
});

test("surplus and shortfall go round the ranks, to their least and from their most loaded expert", () => {
  const short = Uint32Array.of(5, 0, 3, 1);
  settle(short, 10, 11, 2);
  expect([...short]).toEqual([5, 1, 3, 2]);
  const long = Uint32Array.of(5, 0, 3, 1);
  settle(long, 10, 6, 2);
  expect([...long]).toEqual([3, 0, 2, 1]);
});

test("weights of a power law fall with its exponent: the heaviest expert takes more under a steeper law", () => {
  const heaviest = (alpha: number) => {
    const loads = new ExpertLoads();
    const batch = { tokens: 2048, experts: 64, topK: 4, ranks: 64, load: { kind: "powerLaw", alpha } } as const;
    return loads.heaviest(batch).pairs;
  };
  const mean = (2048 * 4) / 64;
  // Exponent 0 is uniform between 1 and 0.8 tokens: the largest of 64 is close to twice the mean.
  expect(heaviest(0.01) / mean).toBeGreaterThan(1.8);
  expect(heaviest(0.01) / mean).toBeLessThan(2.2);
  expect(heaviest(0.8)).toBeGreaterThan(heaviest(0.01));
  expect(heaviest(1.2)).toBeGreaterThan(heaviest(0.8));
});

test("the mean weight of drawn experts is that of the truncated power law", () => {
  // Density ~ x^-1.5 on [1, 800]: mean = (800^0.5 - 1) / 0.5 / ((1 - 800^-0.5) / 0.5).
  const rng = new RandomStream(1, "weights");
  const counts = powerLawCounts(1000, 200_000, 300, 1.5, rng);
  const heaviestShare = counts.reduce((a, b) => Math.max(a, b), 0) / (1000 * 300);
  const mean = (Math.sqrt(800) - 1) / (1 - 1 / Math.sqrt(800));
  expect(heaviestShare).toBeCloseTo(800 / (mean * 200_000), 5);
});

test("work of the heaviest rank is memoised, the same for every instance, and at least the balanced share", () => {
  fc.assert(
    fc.property(batches, ({ tokens, experts, topK, ranks }) => {
      const batch = { tokens, experts, topK, ranks, load: { kind: "powerLaw", alpha: 1.2 } } as const;
      const loads = new ExpertLoads();
      const first = loads.heaviest(batch);
      expect(loads.heaviest(batch)).toBe(first);
      expect(new ExpertLoads().heaviest(batch)).toEqual(first);
      expect(first.pairs).toBeGreaterThanOrEqual((tokens * topK) / ranks - 1e-9);
      expect(first.distinct).toBeLessThanOrEqual(Math.min(experts / ranks, first.pairs) + 1e-9);
    }),
    { numRuns: drawn(40) },
  );
});

test("on one rank every pair counts, whatever the law", () => {
  const loads = new ExpertLoads();
  for (const load of [{ kind: "balanced" }, { kind: "powerLaw", alpha: 1.01 }] as const)
    expect(loads.heaviest({ tokens: 96, experts: 128, topK: 8, ranks: 1, load }).pairs).toBeCloseTo(768, 9);
});

test("EPLB never worsens a skewed load, and cannot help where every rank holds one expert", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1000 }), (seed) => {
      const counts = powerLawCounts(512, 64, 4, 1.2, new RandomStream(seed, "eplb"));
      settle(counts, 512, 2048, 8);
      const contiguous = heaviestOf(counts, 8).pairs;
      expect(heaviestWithEplb(counts, 8, 64).pairs).toBeLessThanOrEqual(contiguous);
      expect(heaviestWithEplb(counts, 8, 64).pairs).toBeGreaterThanOrEqual(2048 / 8);
      expect(heaviestWithEplb(counts, 64, 64)).toEqual(heaviestOf(counts, 64));
    }),
    { numRuns: drawn(30) },
  );
});

test("copies share an expert's tokens evenly and are each read", () => {
  // One expert holds everything: 4 physical experts on 2 ranks give it 3 copies, the other expert 1.
  expect(heaviestWithEplb(Uint32Array.of(9, 0), 2, 4)).toEqual({ pairs: 6, distinct: 2 });
});
