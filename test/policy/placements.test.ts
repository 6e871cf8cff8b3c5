import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InvalidInputError } from "../../src/core/errors.ts";
import { noExpert, type Placement, type PlacementInput } from "../../src/policy/placement/placement.ts";
import {
  balance,
  movedExperts,
  placementProblems,
  rankLoads,
  ranksOf,
  toPhysicalToLogical,
} from "../../src/policy/placement/placement-measures.ts";
import { placements } from "../../src/policy/placement/placements.ts";
import { assignmentBound } from "../../src/solver/assignment/assignment-bound.ts";
import { binLoads } from "../../src/solver/assignment/assignment-problem.ts";
import { assignLongestFirst } from "../../src/solver/assignment/longest-first.ts";

const policies = Object.values(placements);

const inputOf = (part: Partial<PlacementInput> & Pick<PlacementInput, "experts" | "ranks">): PlacementInput => ({
  layers: 1,
  nodes: 1,
  groups: 1,
  physicalExperts: Math.ceil(part.experts / part.ranks) * part.ranks,
  loads: null,
  ...part,
});

/** Shapes of every kind: experts that ranks do not divide, empty physical experts, several layers, integer loads. */
const anyInput: fc.Arbitrary<PlacementInput> = fc
  .record({
    layers: fc.integer({ min: 1, max: 3 }),
    experts: fc.integer({ min: 1, max: 24 }),
    ranks: fc.integer({ min: 1, max: 8 }),
    extra: fc.nat(2),
  })
  .chain(({ layers, experts, ranks, extra }) =>
    fc.array(fc.nat(1000), { minLength: layers * experts, maxLength: layers * experts }).map((loads) => ({
      ...inputOf({ layers, experts, ranks }),
      physicalExperts: (Math.ceil(experts / ranks) + extra) * ranks,
      loads: Float64Array.from(loads),
    })),
  );

const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((total, value) => total + value, 0);

describe.each(policies)("$name", (policy) => {
  test("places every expert of every layer and conserves the load", () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const placement = policy.place(input);
        expect(placementProblems(placement)).toEqual([]);
        expect(placement.physicalExpertsPerRank * placement.ranks).toBe(input.physicalExperts);
        expect(sum(rankLoads(placement, input.loads ?? new Float64Array()))).toBeCloseTo(sum(input.loads ?? []), 6);
      }),
    );
  });

  test("fills every physical expert if it makes copies, one per expert otherwise", () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const filled = policy.place(input).logicalExperts.filter((expert) => expert !== noExpert).length;
        expect(filled).toBe(input.layers * (policy.makesCopies ? input.physicalExperts : input.experts));
      }),
    );
  });

  test("is deterministic and does not change its input", () => {
    const loads = Float64Array.from({ length: 32 }, (_, i) => (i * 37) % 11);
    const input = inputOf({ layers: 2, experts: 16, ranks: 4, physicalExperts: 20, loads });
    const first = policy.place(input);
    expect(policy.place({ ...input, loads: Float64Array.from(loads) })).toEqual(first);
    expect(loads[5]).toBe((5 * 37) % 11);
  });

  test("refuses physical experts that do not divide over ranks, too few of them and bad loads, all at once", () => {
    const input = inputOf({ experts: 8, ranks: 3, physicalExperts: 7, loads: Float64Array.from([1, -1, Number.NaN]) });
    try {
      policy.place(input);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(InvalidInputError);
      expect((error as InvalidInputError).problems.map((problem) => problem.at)).toEqual([
        "placement.physicalExperts",
        "placement.physicalExperts",
        "placement.loads",
        "placement.loads[1]",
      ]);
    }
  });
});

test("contiguous keeps neighbours together and gives a remainder to the first ranks", () => {
  const placement = placements.contiguous.place(inputOf({ experts: 10, ranks: 4 }));
  const none = noExpert;
  expect([...placement.logicalExperts]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, none, 8, 9, none]);
});

test("round-robin deals experts out in turn", () => {
  const placement = placements["round-robin"].place(inputOf({ experts: 7, ranks: 3 }));
  expect([...placement.logicalExperts]).toEqual([0, 3, 6, 1, 4, noExpert, 2, 5, noExpert]);
});

test("lpt balances every layer at least as well as heaviest-first without swaps", () => {
  fc.assert(
    fc.property(anyInput, (input) => {
      const { experts, ranks, physicalExperts } = input;
      const loads = input.loads ?? new Float64Array();
      const sums = rankLoads(placements.lpt.place(input), loads);
      for (let layer = 0; layer < input.layers; layer++) {
        const problem = {
          loads: loads.subarray(layer * experts, (layer + 1) * experts),
          bins: ranks,
          binItemsMax: physicalExperts / ranks,
        };
        const plain = Math.max(...binLoads(problem, assignLongestFirst(problem)));
        const heaviest = Math.max(...sums.subarray(layer * ranks, (layer + 1) * ranks));
        expect(heaviest).toBeLessThanOrEqual(plain);
        expect(heaviest).toBeGreaterThanOrEqual(assignmentBound(problem) - 1e-9);
      }
    }),
  );
});

test("eplb copies the hottest expert until the load per copy is even", () => {
  const loads = Float64Array.from([90, 10, 10, 10]);
  const placement = placements.eplb.place(inputOf({ experts: 4, ranks: 4, physicalExperts: 12, loads }));
  const copies = ranksOf(placement);
  expect([0, 1, 2, 3].map((expert) => copies.starts[expert + 1]! - copies.starts[expert]!)).toEqual([9, 1, 1, 1]);
  expect(balance(rankLoads(placement, loads))).toBeCloseTo(1, 12);
});

test("eplb settles ties by the first expert, copy and rank", () => {
  const loads = new Float64Array(4).fill(1);
  const placement = placements.eplb.place(inputOf({ experts: 4, ranks: 2, physicalExperts: 6, loads }));
  // Copies of 0 and 1; then 2 and 3 (load 1), the halves of 0 and 1, and their second halves, rank by rank.
  expect([...placement.logicalExperts]).toEqual([2, 0, 0, 3, 1, 1]);
});

test("hierarchical eplb keeps the experts of a group on one node", () => {
  const loads = Float64Array.from({ length: 16 }, (_, expert) => 1 + ((expert * 7) % 13));
  const input = inputOf({ experts: 16, ranks: 8, nodes: 2, groups: 4, physicalExperts: 24, loads });
  const placement = placements.eplb.place(input);
  const nodeOfGroup = new Map<number, Set<number>>();
  placement.logicalExperts.forEach((expert, p) => {
    const nodes = nodeOfGroup.get(Math.floor(expert / 4)) ?? new Set();
    nodeOfGroup.set(Math.floor(expert / 4), nodes.add(Math.floor(p / 12)));
  });
  expect([...nodeOfGroup.values()].map((nodes) => nodes.size)).toEqual([1, 1, 1, 1]);
});

test("eplb with groups that nodes do not divide equals eplb with one group and one node", () => {
  const loads = Float64Array.from({ length: 12 }, (_, expert) => 1 + ((expert * 5) % 17));
  const input = inputOf({ experts: 12, ranks: 4, physicalExperts: 16, loads });
  expect(placements.eplb.place({ ...input, nodes: 2, groups: 3 })).toEqual(placements.eplb.place(input));
});

test("eplb refuses groups and nodes that do not divide experts and ranks", () => {
  const input = inputOf({
    experts: 10,
    ranks: 5,
    physicalExperts: 10,
    nodes: 2,
    groups: 4,
    loads: new Float64Array(10),
  });
  expect(() => placements.eplb.place(input)).toThrow(/multiple of 4 groups.*\n.*multiple of 2 nodes/);
});

test("lists of copies agree with a scan of the physical experts", () => {
  fc.assert(
    fc.property(anyInput, (input) => {
      const placement = placements.eplb.place(input);
      const { starts, physicalExperts, ranks } = ranksOf(placement);
      for (let layer = 0; layer < input.layers; layer++)
        for (let expert = 0; expert < input.experts; expert++) {
          const expected: number[] = [];
          for (let p = 0; p < input.physicalExperts; p++)
            if (placement.logicalExperts[layer * input.physicalExperts + p] === expert) expected.push(p);
          const [from, to] = [starts[layer * input.experts + expert]!, starts[layer * input.experts + expert + 1]!];
          expect([...physicalExperts.subarray(from, to)]).toEqual(expected);
          expect([...ranks.subarray(from, to)]).toEqual(
            expected.map((p) => Math.floor(p / placement.physicalExpertsPerRank)),
          );
        }
    }),
  );
});

test("balance is the heaviest rank over the mean", () => {
  expect(balance(Float64Array.from([3, 1, 2]))).toBe(1.5);
  expect(balance(new Float64Array(4))).toBe(1);
});

test("moved experts counts what each rank has to receive", () => {
  const at = (logicalExperts: number[]): Placement => ({
    layers: 1,
    experts: 4,
    ranks: 2,
    physicalExpertsPerRank: 3,
    logicalExperts: Uint16Array.from(logicalExperts),
  });
  const before = at([0, 1, noExpert, 2, 3, noExpert]);
  expect(movedExperts(before, before)).toBe(0);
  expect(movedExperts(before, at([1, 0, 0, 3, 2, noExpert]))).toBe(0);
  expect(movedExperts(before, at([0, 2, 3, 1, 3, 2]))).toBe(3);
  expect(movedExperts(at([0, 1, 2, 2, 3, 0]), before)).toBe(0);
});

test("problems of a placement name layer, physical expert and expert", () => {
  const placement = {
    layers: 1,
    experts: 3,
    ranks: 2,
    physicalExpertsPerRank: 2,
    logicalExperts: Uint16Array.from([0, 7, 1, 1]),
  };
  expect(placementProblems(placement).map((problem) => problem.at)).toEqual(["placement[0][1]", "placement[0]"]);
  expect(placementProblems({ ...placement, layers: 2 })).toHaveLength(1);
});

test("the SGLang map lists the logical expert of every physical one and refuses empty ones", () => {
  const full = placements.contiguous.place(inputOf({ layers: 2, experts: 4, ranks: 2 }));
  expect(toPhysicalToLogical(full)).toEqual([
    [0, 1, 2, 3],
    [0, 1, 2, 3],
  ]);
  const padded = placements.contiguous.place(inputOf({ experts: 5, ranks: 2 }));
  expect(() => toPhysicalToLogical(padded)).toThrow(/placement\[0\]\[5\].*an empty one/);
});

test("every policy is listed under its own name", () => {
  for (const [name, policy] of Object.entries(placements)) expect(policy.name).toBe(name);
});
