import { describe, expect, test } from "vitest";
import { RandomStream } from "../../../src/core/random.ts";
import type { Dispatcher, DispatchPolicy, DispatchSite } from "../../../src/policy/dispatch/dispatch.ts";
import { dispatches } from "../../../src/policy/dispatch/dispatches.ts";
import { ranksOf } from "../../../src/policy/placement/placement-measures.ts";
import { drawn } from "../../drawn.ts";

const [experts, ranks, perRank] = [8, 4, 4] as const;

/** A layer of which every expert has two copies, on ranks that lie apart, and tokens that come again and again. */
function planted(seed: number): { readonly site: DispatchSite; readonly counts: Uint32Array } {
  const random = new RandomStream(seed, "dual ascent test");
  const order = random.shuffle(Array.from({ length: experts }, (_, expert) => expert));
  const logicalExperts = Uint16Array.from({ length: ranks * perRank }, (_, at) => order[at % experts]!);
  // Ranks 0 and 2 hold the same experts, and so do 1 and 3, but for two that change places.
  const kept = logicalExperts[4]!;
  logicalExperts[4] = logicalExperts[8]!;
  logicalExperts[8] = kept;
  return {
    site: {
      layers: 1,
      experts,
      ranks,
      copies: ranksOf({ layers: 1, experts, ranks, physicalExpertsPerRank: perRank, logicalExperts }),
      topology: { sources: 1, devicesPerSource: 4, devicesPerRank: 1, devicesPerNode: 4 },
      loads: null,
      seed,
    },
    counts: Uint32Array.from({ length: experts }, () => 200 + random.below(random.below(4) === 0 ? 3000 : 400)),
  };
}

const dispatcherOf = (name: "dual-ascent" | "lp", site: DispatchSite, u?: number): Dispatcher =>
  (dispatches[name] as DispatchPolicy).create(site, u === undefined ? {} : { u })!;

/** Shares of one batch, and the tokens of its ranks. */
function batch(dispatcher: Dispatcher, { site, counts }: ReturnType<typeof planted>) {
  const shares = new Float64Array(site.copies.ranks.length);
  dispatcher.share(0, { counts, from: 0, bySource: [] }, shares);
  const load = new Float64Array(ranks);
  for (const [copy, share] of shares.entries()) load[site.copies.ranks[copy]!]! += share;
  return { shares, load, most: Math.max(...load) };
}

describe("prices of ranks", () => {
  test("bring loads that stay to the least that the linear program finds, and the imbalance never ends above its start", () => {
    let fell = 0;
    for (let seed = 0; seed < drawn(60); seed++) {
      const one = planted(seed);
      const dispatcher = dispatcherOf("dual-ascent", one.site, 0.5);
      const first = batch(dispatcher, one).most;
      for (let i = 0; i < 300; i++) batch(dispatcher, one);
      const last = batch(dispatcher, one).most;
      const least = batch(dispatcherOf("lp", one.site), one).most;
      expect(last).toBeLessThanOrEqual(first);
      // A token for each expert is lost to whole numbers.
      expect(last).toBeLessThanOrEqual(least * 1.002 + experts);
      if (last < first) fell++;
    }
    expect(fell).toBeGreaterThan(0);
  });

  test("move no tokens from a rank below the mean load to one above it", () => {
    for (let seed = 0; seed < drawn(60); seed++) {
      const one = planted(seed);
      const dispatcher = dispatcherOf("dual-ascent", one.site, 0.3);
      const before = batch(dispatcher, one);
      const after = batch(dispatcher, one);
      const mean = before.load.reduce((sum, load) => sum + load, 0) / ranks;
      const { starts, ranks: rankOf } = one.site.copies;
      for (let expert = 0; expert < experts; expert++) {
        const [a, b] = [starts[expert]!, starts[expert]! + 1];
        const [light, heavy] = before.load[rankOf[a]!]! < before.load[rankOf[b]!]! ? [a, b] : [b, a];
        if (before.load[rankOf[light]!]! < mean && before.load[rankOf[heavy]!]! > mean)
          expect(after.shares[heavy]!).toBeLessThan(before.shares[heavy]!);
      }
    }
  });

  test("are equal before the first batch, and for good with u 0", () => {
    const one = planted(1);
    for (const dispatcher of [dispatcherOf("dual-ascent", one.site, 1), dispatcherOf("dual-ascent", one.site, 0)]) {
      const { shares } = batch(dispatcher, one);
      for (let expert = 0; expert < experts; expert++) {
        const first = one.site.copies.starts[expert]!;
        expect(Math.abs(shares[first]! - shares[first + 1]!)).toBeLessThanOrEqual(1);
      }
    }
    const still = dispatcherOf("dual-ascent", one.site, 0);
    const { shares } = batch(still, one);
    for (let i = 0; i < 10; i++) expect(batch(still, one).shares).toEqual(shares);
  });
});
