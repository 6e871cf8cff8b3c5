import fc from "fast-check";
import { expect, test } from "vitest";
import { contiguous } from "../../src/policy/placement/contiguous.ts";
import { eplb } from "../../src/policy/placement/eplb.ts";
import { keptOf, leftInPlace, mostHeld, placeKept } from "../../src/policy/placement/kept-experts.ts";
import { lpt } from "../../src/policy/placement/lpt.ts";
import { type LivePlacementPolicy, noExpert } from "../../src/policy/placement/placement.ts";
import { placementProblems } from "../../src/policy/placement/placement-measures.ts";
import { drawn } from "../drawn.ts";

const cases = fc
  .record({
    layers: fc.integer({ min: 1, max: 4 }),
    experts: fc.integer({ min: 4, max: 20 }),
    ranks: fc.integer({ min: 1, max: 4 }),
  })
  .chain(({ layers, experts, ranks }) =>
    fc.record({
      layers: fc.constant(layers),
      experts: fc.constant(experts),
      ranks: fc.constant(ranks),
      kept: fc.array(fc.integer({ min: 0, max: 1 }), { minLength: layers * experts, maxLength: layers * experts }),
      loads: fc.array(fc.integer({ min: 0, max: 99 }), { minLength: layers * experts, maxLength: layers * experts }),
    }),
  )
  .map(({ layers, experts, ranks, kept, loads }) => {
    const mask = Uint8Array.from(kept);
    for (let layer = 0; layer < layers; layer++) mask[layer * experts] = 1;
    return {
      mask,
      input: { layers, experts, ranks, nodes: 1, groups: 1, physicalExperts: 0, loads: Float64Array.from(loads) },
    };
  });

test.each<[string, LivePlacementPolicy]>([
  ["contiguous", contiguous],
  ["lpt", lpt],
  ["eplb", eplb],
])("%s places the experts that are left, each once, as evenly as ranks allow, and no other", async (_name, policy) => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ mask, input }) => {
      const { layers, experts, ranks } = input;
      const placement = await placeKept(input, mask, 0, (of) => policy.place(of));
      expect(placementProblems(placement)).toEqual([]);
      const perLayer = ranks * placement.physicalExpertsPerRank;
      for (let layer = 0; layer < layers; layer++) {
        const row = placement.logicalExperts.subarray(layer * perLayer, (layer + 1) * perLayer);
        const placed = Array.from(row).filter((expert) => expert !== noExpert);
        const kept = keptOf(mask, experts, layer);
        // EPLB fills the places that rounding leaves with copies.
        expect([...new Set(placed)].sort((a, b) => a - b)).toEqual(kept);
        if (policy !== eplb) expect(placed).toHaveLength(kept.length);
        expect(mostHeld(placement, [layer])).toBeLessThanOrEqual(Math.ceil(kept.length / ranks));
      }
    }),
    { numRuns: drawn(40) },
  );
});

test("a redundant copy goes to an expert that is left", async () => {
  const input = {
    layers: 1,
    experts: 6,
    ranks: 2,
    nodes: 1,
    groups: 1,
    physicalExperts: 8,
    loads: Float64Array.of(9, 1, 99, 1, 50, 1),
  };
  const placement = await placeKept(input, Uint8Array.of(1, 1, 0, 1, 0, 0), 1, (of) => eplb.place(of));
  expect(Array.from(placement.logicalExperts).sort()).toEqual([0, 0, 1, 3]);
});

test("left in place: the fullest and the emptiest rank of a contiguous layout", () => {
  expect(leftInPlace(Uint8Array.of(1, 1, 1, 0, 0, 0, 1, 0, 1, 0, 1, 0), 6, 2)).toEqual({
    fewest: 0,
    most: 3,
    meanMost: 2.5,
  });
});

test("of every layer go by that layer's loads", async () => {
  // Two experts are as heavy as the others together, other ones in each layer.
  const loads = Float64Array.of(9, 9, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 9, 1, 9, 1);
  const input = { layers: 2, experts: 8, ranks: 2, nodes: 1, groups: 1, physicalExperts: 0, loads };
  const { logicalExperts } = await placeKept(input, new Uint8Array(16).fill(1), 0, (each) => lpt.place(each));
  for (const [layer, heavy] of [
    [0, [0, 1]],
    [1, [4, 6]],
  ] as const) {
    const rankOf = (expert: number) => Math.floor(logicalExperts.indexOf(expert, 8 * layer) / 4) - 2 * layer;
    expect(heavy.map(rankOf).sort()).toEqual([0, 1]);
  }
});
