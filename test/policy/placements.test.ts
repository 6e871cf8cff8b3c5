import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { InfeasibleError, InvalidInputError } from "../../src/core/errors.ts";
import { RandomStream } from "../../src/core/random.ts";
import {
  needsOf,
  noExpert,
  type Placement,
  type PlacementInput,
  type PlacementPolicy,
  type PlacementProof,
  type PlacementTools,
} from "../../src/policy/placement/placement.ts";
import { copiesByRank } from "../../src/policy/placement/placement-input.ts";
import {
  balance,
  movedExperts,
  placementProblems,
  rankLoads,
  ranksOf,
} from "../../src/policy/placement/placement-measures.ts";
import { placements } from "../../src/policy/placement/placements.ts";
import { assignmentBound } from "../../src/solver/assignment/assignment-bound.ts";
import { binLoads } from "../../src/solver/assignment/assignment-problem.ts";
import { assignLongestFirst } from "../../src/solver/assignment/longest-first.ts";
import { solveHere } from "../../src/solver/solver.ts";
import { drawn } from "../drawn.ts";

const policies = Object.values(placements);

const inputOf = (part: Partial<PlacementInput> & Pick<PlacementInput, "experts" | "ranks">): PlacementInput => ({
  layers: 1,
  nodes: 1,
  groups: 1,
  physicalExperts: Math.ceil(part.experts / part.ranks) * part.ranks,
  loads: null,
  ...part,
});

/** Counts that are spread over a range, some of them 0. */
const counts = (length: number, seed: number): Float64Array => {
  const draws = new RandomStream(seed, "counts");
  return Float64Array.from({ length }, () => Math.max(0, draws.below(1000) - 100));
};

/** Symmetric counts of pairs without a diagonal. */
const pairsOf = (layers: number, experts: number, seed: number): Float64Array => {
  const drawnCounts = counts(layers * experts * experts, seed);
  return drawnCounts.map((_, at) => {
    const [base, a, b] = [at - (at % (experts * experts)), Math.floor(at / experts) % experts, at % experts];
    return a === b ? 0 : drawnCounts[base + Math.min(a, b) * experts + Math.max(a, b)]!;
  });
};

/** What policies may ask for. */
const withStatistics = (input: PlacementInput, seed: number): PlacementInput => {
  const { layers, experts } = input;
  return {
    ...input,
    windows: [1, 2, 3].map((window) => counts(layers * experts, seed + window)),
    transitions: counts((layers - 1) * experts * experts, seed + 4),
    pairs: pairsOf(layers, experts, seed + 5),
    seed,
  };
};

/** Shapes of every kind: experts that ranks do not divide, empty physical experts, several layers, integer loads. */
const anyInput: fc.Arbitrary<PlacementInput> = fc
  .record({
    layers: fc.integer({ min: 1, max: 3 }),
    experts: fc.integer({ min: 1, max: 24 }),
    ranks: fc.integer({ min: 1, max: 8 }),
    extra: fc.nat(2),
    seed: fc.nat(1000),
  })
  .chain(({ layers, experts, ranks, extra, seed }) =>
    fc.array(fc.nat(1000), { minLength: layers * experts, maxLength: layers * experts }).map((loads) =>
      withStatistics(
        {
          ...inputOf({ layers, experts, ranks }),
          physicalExperts: (Math.ceil(experts / ranks) + extra) * ranks,
          loads: Float64Array.from(loads),
        },
        seed,
      ),
    ),
  );

/** Limits of the ranks beside: fewer copies on some, further places for experts that lose one, a total, speeds, no twins. */
const unequalInput: fc.Arbitrary<PlacementInput> = fc
  .tuple(
    anyInput,
    fc.array(fc.record({ speed: fc.integer({ min: 1, max: 4 }), less: fc.nat(3) }), { minLength: 8, maxLength: 8 }),
    fc.constantFrom(true, false, undefined),
    fc.boolean(),
  )
  .map(([input, each, twins, total]) => {
    const { layers, experts, ranks } = input;
    const places = input.physicalExperts / ranks + 3;
    const most = Uint16Array.from({ length: ranks }, (_, rank) => places - each[rank]!.less);
    // No more than an expert each is the tightest that may be asked for; less is refused.
    const spare = Math.max(0, sum(most) * layers - layers * experts);
    const rankCopiesTotal = Uint32Array.from(
      most,
      (of, rank) => of * layers - (rank === 0 ? Math.min(spare, of * layers) : 0),
    );
    return {
      ...input,
      physicalExperts: places * ranks,
      rankCopiesMax: most,
      rankSpeed: Float64Array.from({ length: ranks }, (_, rank) => each[rank]!.speed),
      ...(total ? { rankCopiesTotal } : {}),
      ...(twins === undefined ? {} : { twins }),
    };
  });

const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((total, value) => total + value, 0);

const proofs: PlacementProof[] = [];
const tools: PlacementTools = { solve: solveHere, prove: (proof) => proofs.push(proof) };
const place = async (policy: PlacementPolicy, input: PlacementInput, values: object = {}): Promise<Placement> =>
  policy.place(input, z.object(policy.parameters).parse(values), tools);

/** Policies that fill every place, as long as twins or limits do not forbid it. */
const fillAll = ["eplb", "biased", "flashlb", "swift"];
const parts = ["pairs", "transitions", "windows"] as const;

describe.each(policies)("$name", (policy: PlacementPolicy) => {
  /** Groups that ranks divide, for a policy that demands it. */
  const suiting = (input: PlacementInput): PlacementInput => {
    if (policy.name === "moetuner") {
      const { rankCopiesTotal: _all, rankCopiesMax: _each, rankSpeed: _speed, ...alike } = input;
      return alike;
    }
    if (policy.name !== "grouped") return input;
    const experts = input.ranks * 2;
    const { layers, physicalExperts, ranks } = input;
    const loads = counts(layers * experts, 1);
    const {
      pairs: _pairs,
      transitions: _transitions,
      windows: _windows,
      rankCopiesMax: _most,
      rankCopiesTotal: _total,
      ...rest
    } = input;
    return { ...rest, experts, groups: ranks, physicalExperts: Math.max(physicalExperts, experts), loads };
  };

  test("places every expert of every layer and conserves the load", async () => {
    await fc.assert(
      fc.asyncProperty(anyInput.map(suiting), async (input) => {
        const placement = await place(policy, input);
        expect(placementProblems(placement)).toEqual([]);
        expect(placement.physicalExpertsPerRank * placement.ranks).toBe(input.physicalExperts);
        expect(sum(rankLoads(placement, input.loads ?? new Float64Array()))).toBeCloseTo(sum(input.loads ?? []), 6);
      }),
      { numRuns: drawn(60) },
    );
  });

  test("fills every physical expert if it copies what it can, one per expert if it makes no copies", async () => {
    await fc.assert(
      fc.asyncProperty(anyInput.map(suiting), async (given) => {
        const input = { ...given, twins: true };
        const placement = await place(policy, input);
        const filled = placement.logicalExperts.filter((expert) => expert !== noExpert).length;
        const { layers, experts, physicalExperts, ranks } = input;
        const most = policy.name === "biased" ? ranks * Math.min(experts, physicalExperts / ranks) : physicalExperts;
        if (fillAll.includes(policy.name)) expect(filled).toBe(layers * most);
        else if (!policy.makesCopies) expect(filled).toBe(layers * experts);
        expect(filled).toBeGreaterThanOrEqual(layers * experts);
      }),
      { numRuns: drawn(60) },
    );
  });

  test("keeps to limits and to places without twins on unequal ranks, with every expert placed", async () => {
    await fc.assert(
      fc.asyncProperty(unequalInput.map(suiting), async (input) => {
        const placement = await place(policy, input);
        expect(placementProblems(placement)).toEqual([]);
        const held = new Uint32Array(input.ranks);
        for (let layer = 0; layer < input.layers; layer++)
          for (const [rank, experts] of copiesByRank(placement, layer).entries()) {
            expect(experts.length).toBeLessThanOrEqual(input.rankCopiesMax?.[rank] ?? Infinity);
            if (input.twins === false) expect(new Set(experts).size).toBe(experts.length);
            held[rank]! += experts.length;
          }
        for (const [rank, copies] of held.entries())
          expect(copies).toBeLessThanOrEqual(input.rankCopiesTotal?.[rank] ?? Infinity);
      }),
      { numRuns: drawn(60) },
    );
  });

  test("is deterministic and does not change its input", async () => {
    const loads = Float64Array.from({ length: 32 }, (_, i) => (i * 37) % 11);
    const input = withStatistics(
      inputOf({ layers: 2, experts: 16, ranks: 4, groups: 4, physicalExperts: 20, loads }),
      3,
    );
    const before = structuredClone(input);
    const first = await place(policy, input);
    expect(await place(policy, structuredClone(before))).toEqual(first);
    expect(input).toEqual(before);
  });

  test("refuses physical experts that do not divide over ranks, too few of them and bad statistics, all at once", async () => {
    const input = {
      ...inputOf({ experts: 8, ranks: 3, physicalExperts: 7, loads: Float64Array.from([1, -1, Number.NaN]) }),
      rankSpeed: Float64Array.from([1, 0, 1]),
      pairs: new Float64Array(3),
    };
    const error: unknown = await place(policy, input).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(InvalidInputError);
    expect((error as InvalidInputError).problems.map((problem) => problem.at)).toEqual([
      "placement.physicalExperts",
      "placement.physicalExperts",
      "placement.loads",
      "placement.loads[1]",
      "placement.pairs",
      "placement.rankSpeed[1]",
    ]);
  });

  test("refuses limits that leave experts out, with the sum", async () => {
    const input = {
      ...inputOf({ layers: 2, experts: 8, ranks: 2, groups: 2, loads: new Float64Array(16) }),
      rankCopiesTotal: Uint32Array.from([8, 7]),
    };
    const error: unknown = await place(policy, input).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(InfeasibleError);
    expect(String(error)).toContain("15 expert copies over 2 layers (8 + 7), but the model has 2 x 8 = 16 experts");
  });

  test("refuses a placement in use of another shape", async () => {
    const previous = placements.contiguous.place(inputOf({ experts: 6, ranks: 2 }));
    const input = { ...inputOf({ experts: 8, ranks: 2, groups: 2, loads: new Float64Array(8) }), previous };
    await expect(place(policy, input)).rejects.toThrow(/placement.previous.*1 layers of 8 experts.*of 6 experts/);
  });

  test("places what it asks for and no more: other statistics change nothing", async () => {
    const loads = counts(48, 9);
    const input = withStatistics(
      inputOf({ layers: 2, experts: 24, ranks: 4, groups: 4, physicalExperts: 28, loads }),
      5,
    );
    const asked = needsOf(policy, z.object(policy.parameters).parse({}));
    const less: PlacementInput = Object.fromEntries(
      Object.entries(input).filter(([key]) => !parts.includes(key as "pairs") || asked.has(key as "pairs")),
    ) as unknown as PlacementInput;
    expect(await place(policy, { ...less, loads: asked.has("loads") ? loads : null })).toEqual(
      await place(policy, input),
    );
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

test("every policy is listed under its own name", () => {
  for (const [name, policy] of Object.entries(placements)) expect(policy.name).toBe(name);
});
