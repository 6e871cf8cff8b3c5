import fc from "fast-check";
import { expect, test } from "vitest";
import type { SlotBounds } from "../../src/policy/cache/slots-over-layers.ts";
import { evenSlots, slotsByDemand } from "../../src/policy/cache/slots-over-layers.ts";
import { byGain } from "../../src/solver/slots/by-gain.ts";
import { byLayer } from "../../src/solver/slots/by-layer.ts";
import { slotsOverLayers } from "../../src/solver/slots/slots.ts";
import { defaultLimits, solveHere } from "../../src/solver/solver.ts";

const most = 4;
const slotsByMisses = (misses: readonly number[][], bounds: SlotBounds): Uint32Array =>
  (byLayer.solve({ misses, ...bounds }, defaultLimits) as { solution: Uint32Array }).solution;
/** Misses that fall with slots in any steps. */
const curve = fc.array(fc.nat(20), { minLength: most, maxLength: most }).map((drops) => {
  const misses = [100];
  for (const drop of drops) misses.push(misses.at(-1)! - drop);
  return misses;
});
const cases = fc.array(curve, { minLength: 1, maxLength: 4 }).chain((curves) =>
  fc.nat(1).chain((least) =>
    fc.record({
      curves: fc.constant(curves),
      least: fc.constant(least),
      total: fc.integer({ min: least * curves.length, max: most * curves.length }),
    }),
  ),
);
const missesWith = (curves: readonly number[][], slots: ArrayLike<number>): number =>
  curves.reduce((sum, misses, layer) => sum + misses[slots[layer]!]!, 0);
const sumOf = (slots: Uint32Array): number => slots.reduce((a, b) => a + b, 0);

/** Every allotment within the bounds. */
function* allotments(layers: number, least: number, total: number): Generator<number[]> {
  if (layers === 0) {
    if (total === 0) yield [];
    return;
  }
  for (let slots = least; slots <= Math.min(most, total); slots++)
    for (const others of allotments(layers - 1, least, total - slots)) yield [slots, ...others];
}

test("slots by misses are the best of all allotments, and keep the sum", () => {
  fc.assert(
    fc.property(cases, ({ curves, least, total }) => {
      const slots = slotsByMisses(curves, { total, least, most });
      const best = Math.min(...[...allotments(curves.length, least, total)].map((all) => missesWith(curves, all)));
      expect(missesWith(curves, slots)).toBe(best);
      expect(sumOf(slots)).toBe(total);
      for (const count of slots) expect(count).toBeGreaterThanOrEqual(least);
    }),
  );
});

test("slots by misses are never worse than even ones or those by demand", () => {
  fc.assert(
    fc.property(cases, fc.array(fc.nat(9), { minLength: 4, maxLength: 4 }), ({ curves, total }, demand) => {
      const bounds = { total, least: 0, most };
      const misses = missesWith(curves, slotsByMisses(curves, bounds));
      expect(misses).toBeLessThanOrEqual(missesWith(curves, evenSlots(curves.length, bounds)));
      expect(misses).toBeLessThanOrEqual(missesWith(curves, slotsByDemand(demand.slice(0, curves.length), bounds)));
    }),
  );
});

test("slots by demand keep the sum and the bounds, and are in proportion where nothing is cut off", () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(9), { minLength: 1, maxLength: 6 }),
      fc.nat(1),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (demand, least, share) => {
        const total = Math.round(demand.length * (least + share * (most - least)));
        const slots = slotsByDemand(demand, { total, least, most });
        expect(sumOf(slots)).toBe(total);
        for (const [layer, count] of slots.entries()) {
          expect(count).toBeGreaterThanOrEqual(least);
          expect(count).toBeLessThanOrEqual(most);
          // Who wants more gets no less.
          for (const [other, wanted] of demand.entries())
            if (demand[layer]! > wanted) expect(count).toBeGreaterThanOrEqual(slots[other]!);
        }
      },
    ),
  );
  expect([...slotsByDemand([10, 20, 30], { total: 60, least: 0, most: 100 })]).toEqual([10, 20, 30]);
  expect([...slotsByDemand([1, 1, 98], { total: 20, least: 2, most: 8 })]).toEqual([6, 6, 8]);
});

test("even slots differ by one at most, the first layers first", () => {
  expect([...evenSlots(3, { total: 8, least: 0, most: 4 })]).toEqual([3, 3, 2]);
  expect([...evenSlots(3, { total: 12, least: 0, most: 4 })]).toEqual([4, 4, 4]);
});

test("greedy is as good as dynamic programming on convex curves, and refuses others", async () => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ curves, least, total }) => {
      const problem = { misses: curves, total, least, most };
      const steepestFirst = (of: readonly number[]) => {
        const drops = of.slice(1).map((value, i) => of[i]! - value);
        const curve = [100];
        for (const drop of drops.sort((a, b) => b - a)) curve.push(curve.at(-1)! - drop);
        return curve;
      };
      const convex = { ...problem, misses: curves.map(steepestFirst) };
      const [dp, greedy] = [
        await solveHere(slotsOverLayers, convex),
        await solveHere(slotsOverLayers, convex, { solver: "greedy" }),
      ];
      expect(greedy.objective).toBe(dp.objective);
      if (byGain.misfit!(problem) !== null)
        await expect(solveHere(slotsOverLayers, problem, { solver: "greedy" })).rejects.toThrow("expected dp: slot");
      else expect((await solveHere(slotsOverLayers, problem, { solver: "greedy" })).proved).toBe(true);
    }),
  );
});

test.each([
  [{ total: 9 }, "total: expected from 0 to 8 slots for 2 layers, found 9"],
  [{ least: 5 }, "least: expected a whole number up to 4, found 5"],
  [{ misses: [] }, "misses: expected one layer or more"],
  [
    {
      misses: [
        [1, 1, 1, 1, 1],
        [1, 1],
      ],
    },
    "misses[1][2]: expected a finite number >= 0",
  ],
])("slots of %j are refused", async (wrong, message) => {
  const right = {
    misses: [
      [1, 1, 1, 1, 1],
      [1, 1, 1, 1, 1],
    ],
    total: 4,
    least: 0,
    most,
  };
  await expect(solveHere(slotsOverLayers, { ...right, ...wrong })).rejects.toThrow(message);
});
