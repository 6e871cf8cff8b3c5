import { describe, expect, test } from "vitest";
import { z } from "zod";
import { RandomStream } from "../../../src/core/random.ts";
import type { DispatchPolicy, DispatchSite, DispatchTopology } from "../../../src/policy/dispatch/dispatch.ts";
import { dispatches } from "../../../src/policy/dispatch/dispatches.ts";
import { noExpert } from "../../../src/policy/placement/placement.ts";
import { rankLoadsOf, ranksOf } from "../../../src/policy/placement/placement-measures.ts";
import { drawn } from "../../drawn.ts";

const rules = Object.values<DispatchPolicy>(dispatches).filter(({ whatIf }) => whatIf !== true);

/** Four expert ranks on four devices of two nodes, two data-parallel ranks of two devices each. */
const topology: DispatchTopology = { sources: 2, devicesPerSource: 2, devicesPerRank: 1, devicesPerNode: 2 };
const [layers, experts, ranks, perRank] = [2, 6, 4, 3] as const;

interface Case {
  readonly site: DispatchSite;
  /** [layers][experts] tokens of each data-parallel rank. */
  readonly bySource: readonly Uint32Array[];
  readonly counts: Uint32Array;
}

/** Copies of experts that lie so on ranks. */
const copiesOf = (placed: readonly number[], of: { layers: number; experts: number; ranks: number }) =>
  ranksOf({
    ...of,
    physicalExpertsPerRank: placed.length / of.layers / of.ranks,
    logicalExperts: Uint16Array.from(placed),
  });

/** A random placement with copies, and tokens of a step. */
function anyCase(seed: number, copies = ranks * perRank): Case {
  const random = new RandomStream(seed, "dispatch test");
  const placed = Array.from({ length: layers }, () => {
    const all = Array.from({ length: ranks * perRank }, (_, i) =>
      i < experts ? i : i < copies ? random.below(experts) : noExpert,
    );
    for (let i = all.length - 1; i > 0; i--) {
      const j = random.below(i + 1);
      [all[i], all[j]] = [all[j]!, all[i]!];
    }
    return all;
  }).flat();
  const most = [1, 3, 40, 900][random.below(4)]!;
  const bySource = [0, 1].map(() => Uint32Array.from({ length: layers * experts }, () => random.below(most + 1)));
  return {
    site: {
      layers,
      experts,
      ranks,
      copies: copiesOf(placed, { layers, experts, ranks }),
      topology,
      loads: Float64Array.from({ length: layers * experts }, () => 1 + random.below(100)),
      seed,
    },
    bySource,
    counts: Uint32Array.from(bySource[0]!, (tokens, i) => tokens + bySource[1]![i]!),
  };
}

const withDefaults = (policy: DispatchPolicy) => z.object(policy.parameters).parse({});

/** [copies] tokens of each copy in a step. */
function sharesOf(policy: DispatchPolicy, { site, counts, bySource }: Case): Float64Array {
  const shares = new Float64Array(site.copies.ranks.length).fill(-1);
  const dispatcher = policy.create(site, withDefaults(policy))!;
  for (let layer = 0; layer < layers; layer++)
    dispatcher.share(layer, { counts, from: layer * experts, bySource }, shares);
  return shares;
}

/** [layers] tokens of the heaviest rank. */
function heaviest({ site: { copies } }: Case, shares: Float64Array): number[] {
  return Array.from({ length: layers }, (_, layer) => {
    const load = new Array<number>(ranks).fill(0);
    for (let copy = copies.starts[layer * experts]!; copy < copies.starts[(layer + 1) * experts]!; copy++)
      load[copies.ranks[copy]!]! += shares[copy]!;
    return Math.max(...load);
  });
}

describe.each(rules.map((rule) => [rule.name, rule] as const))("%s", (_name, rule) => {
  test("gives the copies of an expert whole tokens, all that it has", () => {
    for (let seed = 0; seed < drawn(60); seed++) {
      const one = anyCase(seed);
      const shares = sharesOf(rule, one);
      const { starts } = one.site.copies;
      for (let entry = 0; entry < layers * experts; entry++) {
        const own = shares.subarray(starts[entry]!, starts[entry + 1]!);
        for (const share of own) expect(Number.isInteger(share) && share >= 0).toBe(true);
        expect(own.reduce((sum, share) => sum + share, 0)).toBe(one.counts[entry]);
      }
    }
  });

  test("does as every other where each expert has one copy", () => {
    const one = anyCase(3, experts);
    expect(sharesOf(rule, one)).toEqual(Float64Array.from(one.counts));
  });

  test("divides a batch alike again unless it says that it remembers", () => {
    const differs = Array.from({ length: drawn(40) }, (_, seed) => {
      const { site, counts, bySource } = anyCase(seed);
      const dispatcher = rule.create(site, withDefaults(rule))!;
      const [first, second] = [0, 1].map(() => {
        const shares = new Float64Array(site.copies.ranks.length);
        for (let layer = 0; layer < layers; layer++)
          dispatcher.share(layer, { counts, from: layer * experts, bySource }, shares);
        return shares.join();
      });
      return first !== second;
    });
    expect(differs.some(Boolean)).toBe(rule.remembers === true);
  });

  test("is the same for the same seed", () => {
    const one = anyCase(11);
    expect(sharesOf(rule, one)).toEqual(sharesOf(rule, one));
  });
});

test("round-robin is the batch dealt out one token after the other", () => {
  for (let seed = 0; seed < drawn(40); seed++) {
    const one = anyCase(seed);
    const { starts } = one.site.copies;
    const dealt = new Float64Array(one.site.copies.ranks.length);
    for (let entry = 0; entry < layers * experts; entry++)
      for (let token = 0; token < one.counts[entry]!; token++)
        dealt[starts[entry]! + ((token + (entry % experts)) % (starts[entry + 1]! - starts[entry]!))]!++;
    expect(sharesOf(dispatches["round-robin"], one)).toEqual(dealt);
  }
});

test("the heaviest rank of lp has the least that whole tokens allow, by all sets of ranks, and so no more than that of any rule", () => {
  for (let seed = 0; seed < drawn(80); seed++) {
    const one = anyCase(seed);
    const { starts, ranks: rankOf } = one.site.copies;
    const best = heaviest(one, sharesOf(dispatches.lp, one));
    for (const rule of rules)
      for (const [layer, load] of heaviest(one, sharesOf(rule, one)).entries())
        expect(load).toBeGreaterThanOrEqual(best[layer]!);
    for (let layer = 0; layer < layers; layer++) {
      let least = 0;
      for (let set = 1; set < 1 << ranks; set++) {
        let tokens = 0;
        let size = 0;
        for (let rank = 0; rank < ranks; rank++) size += (set >> rank) & 1;
        for (let entry = layer * experts; entry < (layer + 1) * experts; entry++)
          if (rankOf.subarray(starts[entry]!, starts[entry + 1]!).every((rank) => (set >> rank) & 1))
            tokens += one.counts[entry]!;
        least = Math.max(least, Math.ceil(tokens / size));
      }
      expect(best[layer]).toBe(least);
    }
  }
});

test("static-nearest and weighted leave no tokens for a copy on another node where their own has one", () => {
  for (const rule of [dispatches["static-nearest"], dispatches.weighted] as readonly DispatchPolicy[])
    for (let seed = 0; seed < drawn(60); seed++) {
      const one = anyCase(seed);
      const { starts, ranks: rankOf } = one.site.copies;
      // All tokens come from the data-parallel rank on the first node.
      const shares = sharesOf(rule, {
        ...one,
        counts: one.bySource[0]!,
        bySource: [one.bySource[0]!, new Uint32Array(layers * experts)],
      });
      for (let entry = 0; entry < layers * experts; entry++) {
        const own = rankOf.subarray(starts[entry]!, starts[entry + 1]!);
        if (!own.some((rank) => rank < 2)) continue;
        for (const [copy, rank] of own.entries()) if (rank >= 2) expect(shares[starts[entry]! + copy]).toBe(0);
      }
    }
});

test("a device of static-nearest stays with the copy that it holds", () => {
  for (let seed = 0; seed < drawn(40); seed++) {
    const { site } = anyCase(seed);
    const { starts, ranks: rankOf } = site.copies;
    const dispatcher = (dispatches["static-nearest"] as DispatchPolicy).create(site, { seed: 7 })!;
    for (let entry = 0; entry < layers * experts; entry++) {
      const own = [...rankOf.subarray(starts[entry]!, starts[entry + 1]!)];
      for (let device = 0; device < 4; device++) {
        const chosen = own[dispatcher.copyOf!(Math.floor(entry / experts), entry % experts, device, 0)];
        if (own.includes(device)) expect(chosen).toBe(device);
      }
    }
  }
});

test("weighted shares of many tokens on one node are as the loads of the ranks ask", () => {
  // Expert 0 on both ranks of node 0, the others once; rank 0 is predicted 3 times as busy.
  const placed = [0, 1, 0, noExpert, 2, 3, 4, 5];
  const site: DispatchSite = {
    layers: 1,
    experts,
    ranks,
    copies: copiesOf(placed, { layers: 1, experts, ranks }),
    topology,
    loads: Float64Array.of(20, 20, 5, 5, 5, 5),
    seed: 1,
  };
  expect(rankLoadsOf(site.copies, { layers: 1, experts, ranks }, site.loads!).slice(0, 2)).toEqual(
    Float64Array.of(30, 10),
  );
  const shares = new Float64Array(site.copies.ranks.length);
  const tokens = Uint32Array.of(1000, 0, 0, 0, 0, 0);
  (dispatches.weighted as DispatchPolicy)
    .create(site, {})!
    .share(0, { counts: tokens, from: 0, bySource: [new Uint32Array(experts), tokens] }, shares);
  // 1/30 to 1/10, for two devices on the other node with 500 tokens each.
  expect(Math.abs(shares[0]! - 250)).toBeLessThanOrEqual(2);
  expect(shares[0]! + shares[1]!).toBe(1000);
});

test("random gives each of three copies a third, as widely spread as drawn tokens are", () => {
  const site: DispatchSite = {
    layers: 1,
    experts: 1,
    ranks: 3,
    copies: copiesOf([0, 0, 0], { layers: 1, experts: 1, ranks: 3 }),
    topology,
    loads: null,
    seed: 5,
  };
  const dispatcher = (dispatches.random as DispatchPolicy).create(site, {})!;
  const shares = new Float64Array(3);
  const [draws, tokens] = [2000, 90];
  let sum = 0;
  let squares = 0;
  for (let draw = 0; draw < draws; draw++) {
    dispatcher.share(0, { counts: Uint32Array.of(tokens), from: 0, bySource: [] }, shares);
    sum += shares[1]!;
    squares += (shares[1]! - tokens / 3) * (shares[1]! - tokens / 3);
  }
  // Mean 30 with a standard error of 0.1; variance 90 x 1/3 x 2/3 = 20 with one of 0.63.
  expect(Math.abs(sum / draws - 30)).toBeLessThan(0.4);
  expect(Math.abs(squares / draws - 20)).toBeLessThan(2.5);
});
