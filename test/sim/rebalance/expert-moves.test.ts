import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { noExpert } from "../../../src/policy/placement/placement.ts";
import { movedExperts } from "../../../src/policy/placement/placement-measures.ts";
import { expertMoves } from "../../../src/sim/rebalance/expert-moves.ts";
import { drawn } from "../../drawn.ts";

/** Two maps of a layer with every expert in both, some slots empty, and the nodes of its ranks. */
const change = fc
  .record({
    ranks: fc.integer({ min: 1, max: 6 }),
    perNode: fc.integer({ min: 1, max: 3 }),
    experts: fc.integer({ min: 1, max: 8 }),
    spare: fc.integer({ min: 0, max: 2 }),
  })
  .chain(({ ranks, perNode, experts, spare }) => {
    const slots = ranks * (Math.ceil(experts / ranks) + spare);
    const some = fc.oneof(
      { weight: 3, arbitrary: fc.nat(experts - 1) },
      { weight: 1, arbitrary: fc.constant(noExpert) },
    );
    const map = fc
      .tuple(
        fc.shuffledSubarray([...Array(slots).keys()], { minLength: experts, maxLength: experts }),
        fc.array(some, { minLength: slots, maxLength: slots }),
      )
      .map(([homes, rest]) => {
        for (const [expert, slot] of homes.entries()) rest[slot] = expert;
        return Uint16Array.from(rest);
      });
    return fc.record({
      experts: fc.constant(experts),
      ranks: fc.constant(ranks),
      nodeOf: fc.constant(Array.from({ length: ranks }, (_, rank) => Math.floor(rank / perNode))),
      before: map,
      after: map,
    });
  });

describe("moves to a new map", () => {
  it("bring every rank what it lacks, once, from the nearest rank that holds it", () => {
    fc.assert(
      fc.property(change, ({ experts, ranks, nodeOf, before, after }) => {
        const size = before.length / ranks;
        const on = (map: Uint16Array, rank: number) =>
          new Set([...map.subarray(rank * size, (rank + 1) * size)].filter((expert) => expert !== noExpert));
        const moves = expertMoves(before, after, nodeOf);
        const lacks = Array.from({ length: ranks }, (_, rank) =>
          [...on(after, rank)]
            .filter((expert) => !on(before, rank).has(expert))
            .map((expert) => `${expert} to ${rank}`),
        ).flat();
        expect(moves.map(({ expert, to }) => `${expert} to ${to}`).sort()).toEqual(lacks.sort());
        for (const { expert, from, to } of moves) {
          const holders = nodeOf.flatMap((_, rank) => (on(before, rank).has(expert) ? [rank] : []));
          expect(holders).toContain(from);
          if (holders.some((rank) => nodeOf[rank] === nodeOf[to])) expect(nodeOf[from]).toBe(nodeOf[to]);
        }
        const placed = (logicalExperts: Uint16Array) => ({
          layers: 1,
          experts,
          ranks,
          physicalExpertsPerRank: size,
          logicalExperts,
        });
        expect(moves.length).toBe(movedExperts(placed(before), placed(after)));
      }),
      { numRuns: drawn(200) },
    );
  });

  it("share what has several holders among them", () => {
    // Experts 0 and 1 are on ranks 0 and 1; ranks 2 and 3 get both.
    const moves = expertMoves([0, 1, 0, 1, 2, 3, 2, 3], [0, 1, 2, 3, 0, 1, 0, 1], [0, 0, 0, 0]);
    const sent = (rank: number) => moves.filter(({ from }) => from === rank).length;
    expect([sent(0), sent(1), sent(2) + sent(3)]).toEqual([2, 2, 2]);
  });
});
