import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { RandomStream } from "../../src/core/random.ts";
import { groupByAffinity, shareInside } from "../../src/policy/placement/affinity-groups.ts";
import { crossTraffic, crossTrafficBound } from "../../src/policy/placement/cross-traffic.ts";
import { countsBySquares } from "../../src/policy/placement/flashlb.ts";
import { LayerCopies, packCopies, relieveBusiest } from "../../src/policy/placement/layer-copies.ts";
import { layerRanks } from "../../src/policy/placement/layer-ranks.ts";
import { livePlacements } from "../../src/policy/placement/live-placements.ts";
import {
  noExpert,
  type Placement,
  type PlacementInput,
  type PlacementPolicy,
  type PlacementProof,
} from "../../src/policy/placement/placement.ts";
import { copiesByRank, layerLoads } from "../../src/policy/placement/placement-input.ts";
import { balance, movedExperts, rankLoads } from "../../src/policy/placement/placement-measures.ts";
import { goalSum, placementGoals } from "../../src/policy/placement/placement-objective.ts";
import { placements } from "../../src/policy/placement/placements.ts";
import { bestStart } from "../../src/policy/placement/search.ts";
import { shadowedExperts } from "../../src/policy/placement/shadowing.ts";
import { solveHere } from "../../src/solver/solver.ts";
import { assignToRooms } from "../../src/solver/transport.ts";
import { drawn } from "../drawn.ts";

const inputOf = (part: Partial<PlacementInput> & Pick<PlacementInput, "experts" | "ranks">): PlacementInput => ({
  layers: 1,
  nodes: 1,
  groups: 1,
  physicalExperts: Math.ceil(part.experts / part.ranks) * part.ranks,
  loads: null,
  ...part,
});
const place = async (policy: PlacementPolicy, input: PlacementInput, values: object = {}) => {
  const proofs: PlacementProof[] = [];
  const tools = { solve: solveHere, prove: (proof: PlacementProof) => void proofs.push(proof) };
  const placement = await policy.place(input, z.object(policy.parameters).parse(values), tools);
  return { placement, proofs };
};
const rankOfExperts = (placement: Placement, layer = 0): number[] => {
  const out: number[] = [];
  for (const [rank, held] of copiesByRank(placement, layer).entries()) for (const expert of held) out[expert] = rank;
  return out;
};
const drawnLoads = (length: number, seed: number) => {
  const draws = new RandomStream(seed, "loads");
  return Float64Array.from({ length }, () => draws.uniform());
};
const max = (values: ArrayLike<number>) => Math.max(...Array.from(values));

describe("random", () => {
  const input = inputOf({ layers: 2, experts: 24, ranks: 4 });
  test("gives each rank equally many, another seed another map, further layers change none", async () => {
    const of = async (part: Partial<PlacementInput>) =>
      (await place(placements.random, { ...input, ...part })).placement;
    const first = await of({ seed: 1 });
    for (let layer = 0; layer < 2; layer++)
      expect(copiesByRank(first, layer).map(({ length }) => length)).toEqual([6, 6, 6, 6]);
    expect(await of({ seed: 2 })).not.toEqual(first);
    expect((await of({ seed: 1, layers: 1 })).logicalExperts).toEqual(first.logicalExperts.subarray(0, 24));
  });
});

describe("eplb", () => {
  /** The rules of the reference, written down again without its data layout. */
  function naive(loads: number[], slots: number, groups: number, nodes: number, ranks: number): number[] {
    const f = Math.fround;
    const pack = (weights: number[], packs: number): number[][] => {
      const size = weights.length / packs;
      const out: number[][] = Array.from({ length: packs }, () => []);
      if (size === 1) return weights.map((_, at) => [at]);
      const sums = new Array<number>(packs).fill(0);
      for (const [item, weight] of [...weights.entries()].sort((a, b) => b[1] - a[1])) {
        const open = [...sums.keys()].filter((at) => out[at]!.length < size);
        const chosen = open.reduce((least, at) => (sums[at]! < sums[least]! ? at : least), open[0]!);
        out[chosen]!.push(item);
        sums[chosen] = f(sums[chosen]! + weight);
      }
      return out;
    };
    const hierarchical = groups % nodes === 0;
    const [g, n] = hierarchical ? [groups, nodes] : [1, 1];
    const size = loads.length / g;
    const groupLoads = Array.from({ length: g }, (_, at) =>
      loads.slice(at * size, (at + 1) * size).reduce((sum, load) => f(sum + f(load)), 0),
    );
    return pack(groupLoads, n).flatMap((own) => {
      const local = own.flatMap((group) => Array.from({ length: size }, (_, at) => group * size + at));
      const copies = local.map((expert) => ({ expert, count: 1 }));
      const order = local.slice();
      while (order.length < slots / n) {
        const shares = copies.map(({ expert, count }) => f(f(loads[expert]!) / count));
        const at = shares.indexOf(Math.max(...shares));
        copies[at]!.count += 1;
        order.push(copies[at]!.expert);
      }
      const shares = order.map((expert) => f(f(loads[expert]!) / copies.find((of) => of.expert === expert)!.count));
      return pack(shares, ranks / n).flatMap((held) => held.map((at) => order[at]!));
    });
  }

  test("equals a naive version on random matrices without ties, global and hierarchical", () => {
    fc.assert(
      fc.property(
        fc.record({
          nodes: fc.constantFrom(1, 2, 4),
          groupsPerNode: fc.integer({ min: 1, max: 3 }),
          groupSize: fc.integer({ min: 1, max: 5 }),
          ranksPerNode: fc.integer({ min: 1, max: 3 }),
          extra: fc.nat(2),
          uneven: fc.boolean(),
          seed: fc.nat(10_000),
        }),
        ({ nodes, groupsPerNode, groupSize, ranksPerNode, extra, uneven, seed }) => {
          const groups = nodes * groupsPerNode;
          const experts = groups * groupSize;
          const ranks = nodes * ranksPerNode;
          const physicalExperts = (Math.ceil(experts / ranks) + extra) * ranks;
          // Copies of one expert weigh the same, and a product of primes makes shares of two experts differ.
          const loads = drawnLoads(experts, seed).map((load) => 1 + load * 997);
          // Groups that the nodes do not divide: the global algorithm.
          const stated = uneven && nodes > 1 && experts % (groups + 1) !== 0 ? 1 : groups;
          const { logicalExperts } = placements.eplb.place(
            inputOf({ experts, ranks, nodes, groups: stated, physicalExperts, loads }),
          );
          expect([...logicalExperts]).toEqual(naive([...loads], physicalExperts, stated, nodes, ranks));
        },
      ),
      { numRuns: drawn(120) },
    );
  });

  test("without twins has no rank with two copies of an expert, and balances by speed", async () => {
    const loads = Float64Array.from([90, 10, 10, 10]);
    const input = inputOf({ experts: 4, ranks: 4, physicalExperts: 12, loads });
    const { placement } = await place(placements.eplb, { ...input, twins: false });
    for (const held of copiesByRank(placement, 0)) expect(new Set(held).size).toBe(held.length);
    expect(placement.logicalExperts.includes(noExpert)).toBe(false);
    const even = drawnLoads(64, 4);
    const unequal = inputOf({ experts: 64, ranks: 4, physicalExperts: 80, loads: even });
    const rankSpeed = Float64Array.from([1, 1, 1, 2]);
    const fast = (await place(placements.eplb, { ...unequal, rankSpeed })).placement;
    const busy = rankLoads(fast, even).map((load, rank) => load / rankSpeed[rank]!);
    expect(balance(busy)).toBeLessThan(
      balance(rankLoads(placements.eplb.place(unequal), even).map((load, rank) => load / rankSpeed[rank]!)),
    );
  });
});

describe("biased", () => {
  test("puts the hottest experts on every rank and each other one somewhere", async () => {
    const loads = drawnLoads(16, 1);
    const input = inputOf({ experts: 16, ranks: 4, physicalExperts: 28, loads });
    const byLoad = [...loads.keys()].sort((a, b) => loads[b]! - loads[a]!);
    for (const [values, hot] of [
      [{}, 4],
      [{ top: 2 }, 2],
      [{ top: 0 }, 0],
    ] as const) {
      const { placement } = await place(placements.biased, input, values);
      const ranks = copiesByRank(placement, 0);
      for (const expert of byLoad.slice(0, hot)) expect(ranks.every((held) => held.includes(expert))).toBe(true);
      for (const held of ranks) expect(new Set(held).size).toBe(held.length);
    }
  });

  test("refuses more than fit, and says how many redundant experts they take", async () => {
    const input = inputOf({ experts: 8, ranks: 4, physicalExperts: 12, loads: new Float64Array(8) });
    await expect(place(placements.biased, input, { top: 2 })).rejects.toThrow(/placement.top.*at most 1.*redundant: 6/);
  });
});

describe("shadowing", () => {
  const values = (form: "inference" | "training") => ({
    form,
    choices: 1000,
    hidden: 64,
    expand: 2,
    bandwidthGbps: 8e-3,
    tflops: 1e-3,
    bytes: 4,
  });

  test("equals the published rule, which stops at the first expert that does not pay", () => {
    const naive = (loads: number[], form: "inference" | "training") => {
      const sum = loads.reduce((a, b) => a + b, 0);
      const sorted = loads.map((load) => (load * 1000) / sum).sort((a, b) => b - a);
      const ts = (64 * 4) / 1e6;
      const tm = (2 * 2 * 64 * 64 * 4) / 1e6;
      const tc = (4 * 2 * 64 * 64) / 1e9;
      const of = (b: number) => (form === "training" ? 3 * tc * b + 4 * ts * b : tc * b + 2 * ts * b);
      let best = of(sorted[0]!);
      let shadows = 0;
      for (let i = 1; i < sorted.length && of(sorted[i]!) + i * tm < best; i++) {
        best = of(sorted[i]!) + i * tm;
        shadows = i;
      }
      return shadows;
    };
    const seen = new Set<number>();
    for (let seed = 0; seed < 40; seed++)
      for (const form of ["inference", "training"] as const) {
        const loads = drawnLoads(12, seed).map((load) => load * load * load * load);
        const shadowed = shadowedExperts(loads, values(form));
        expect(shadowed.length).toBe(naive([...loads], form));
        expect(shadowed).toEqual([...loads.keys()].sort((a, b) => loads[b]! - loads[a]!).slice(0, shadowed.length));
        seen.add(shadowed.length);
      }
    expect(seen.size).toBeGreaterThan(2);
  });

  test("shadows an expert on every rank that has a place, the others stay where they are", async () => {
    const loads = Float64Array.from([1, 1, 1, 1, 1, 1000, 1, 1]);
    const input = inputOf({ experts: 8, ranks: 4, physicalExperts: 12, loads });
    const { placement } = await place(placements.shadowing, input);
    expect(copiesByRank(placement, 0)).toEqual([
      [0, 1, 5],
      [2, 3, 5],
      [4, 5],
      [6, 7, 5],
    ]);
  });
});

describe("grouped", () => {
  test("gives whole groups to each rank, so that a token of such a router loads all ranks alike", async () => {
    const { placement } = await place(placements.grouped, inputOf({ experts: 64, ranks: 4, groups: 8 }));
    const rankOf = rankOfExperts(placement);
    const draws = new RandomStream(3, "tokens");
    for (let token = 0; token < 50; token++) {
      const held = [0, 0, 0, 0];
      for (let group = 0; group < 8; group++) held[rankOf[group * 8 + draws.below(8)]!]! += 1;
      expect(held).toEqual([2, 2, 2, 2]);
    }
  });

  test("refuses groups that do not divide", async () => {
    await expect(place(placements.grouped, inputOf({ experts: 63, ranks: 3, groups: 8 }))).rejects.toThrow(
      /placement.groups.*that 3 ranks divide.*\nplacement.experts.*that 8 groups/,
    );
  });
});

describe("flashlb", () => {
  test("spends copies as an exhaustive search on the sum of squares does", () => {
    for (let seed = 0; seed < 20; seed++) {
      const stages = [drawnLoads(4, seed), drawnLoads(4, seed + 100)];
      const on = { rooms: [2, 2, 2, 2], speeds: [1, 1, 1, 1], twins: false };
      const cost = (counts: ArrayLike<number>) =>
        stages.reduce((sum, stage) => sum + stage.reduce((part, load, at) => part + (load * load) / counts[at]!, 0), 0);
      let least = Infinity;
      for (let a = 1; a <= 4; a++)
        for (let b = 1; b <= 4; b++)
          for (let c = 1; c <= 4; c++) {
            const d = 8 - a - b - c;
            if (d >= 1 && d <= 4) least = Math.min(least, cost([a, b, c, d]));
          }
      expect(cost(countsBySquares(stages, on, 8))).toBeCloseTo(least, 9);
    }
  });

  test("leaves layers alone that are as good as a new map, and solves the worst ones again", async () => {
    const layers = 6;
    const loads = drawnLoads(layers * 16, 7);
    const windows = [loads];
    const input = inputOf({ layers, experts: 16, ranks: 4, physicalExperts: 20, loads, windows });
    const first = (await place(placements.flashlb, { ...input, previous: null })).placement;
    const again = (await place(placements.flashlb, { ...input, previous: first })).placement;
    expect(again).toEqual(first);
    // Two layers get other loads, one of them much worse than the other.
    const shifted = loads.slice();
    shifted[2 * 16 + 3]! += 9;
    shifted[4 * 16 + 3]! += 3;
    const next = { ...input, loads: shifted, windows: [shifted], previous: first };
    const changed = (of: Placement) =>
      [...Array(layers).keys()].filter((layer) =>
        of.logicalExperts
          .subarray(layer * 20, (layer + 1) * 20)
          .some((expert, at) => expert !== first.logicalExperts[layer * 20 + at]),
      );
    expect(changed((await place(placements.flashlb, next)).placement)).toEqual([2, 4]);
    expect(changed((await place(placements.flashlb, next, { layersPerUpdate: 1 })).placement)).toHaveLength(1);
    expect(changed((await place(placements.flashlb, next, { worsened: 100 })).placement)).toEqual([]);
  });

  test("leaves copies that stay on a rank at their places", async () => {
    const loads = drawnLoads(16, 2);
    const previous = placements.contiguous.place(inputOf({ experts: 16, ranks: 4, physicalExperts: 20 }));
    const input = inputOf({ experts: 16, ranks: 4, physicalExperts: 20, loads, windows: [loads], previous });
    const { placement } = await place(placements.flashlb, input, { worsened: 1 });
    const [before, after] = [copiesByRank(previous, 0), copiesByRank(placement, 0)];
    let stayed = 0;
    for (let rank = 0; rank < 4; rank++)
      for (const expert of after[rank]!) {
        if (!before[rank]!.includes(expert)) continue;
        const at = previous.logicalExperts.subarray(rank * 5, rank * 5 + 5).indexOf(expert);
        expect(placement.logicalExperts[rank * 5 + at]).toBe(expert);
        stayed += 1;
      }
    expect(stayed).toBeGreaterThan(0);
  });
});

describe("swift", () => {
  test("changes at most two copies a swap, and never makes the busiest rank busier", async () => {
    for (let seed = 0; seed < 10; seed++) {
      const loads = drawnLoads(32, seed);
      const previous = placements.contiguous.place(inputOf({ experts: 32, ranks: 4 }));
      const input = inputOf({ experts: 32, ranks: 4, loads, previous });
      for (const swaps of [0, 1, 3]) {
        const { placement } = await place(placements.swift, input, { swaps });
        expect(movedExperts(previous, placement)).toBeLessThanOrEqual(2 * swaps);
        expect(max(rankLoads(placement, loads))).toBeLessThanOrEqual(max(rankLoads(previous, loads)) + 1e-12);
      }
    }
  });

  test("starts from vLLM's first map", async () => {
    const input = inputOf({ experts: 6, ranks: 4, physicalExperts: 8, loads: new Float64Array(6) });
    expect([...(await place(placements.swift, input)).placement.logicalExperts]).toEqual([0, 1, 2, 3, 4, 5, 0, 1]);
  });
});

test("exchanges of copies equal the best first exchange of a naive search", () => {
  for (let seed = 0; seed < 20; seed++) {
    const loads = drawnLoads(8, seed);
    const on = { rooms: [4, 4, 4], speeds: [1, 2, 1], twins: false };
    const byRank = [
      [0, 1, 2, 3],
      [0, 4, 5],
      [6, 7, 1],
    ];
    const busyOf = (of: number[][]) => {
      const count = (expert: number) => of.flat().filter((other) => other === expert).length;
      return of.map(
        (held, rank) => held.reduce((sum, expert) => sum + loads[expert]! / count(expert), 0) / on.speeds[rank]!,
      );
    };
    const busy = busyOf(byRank);
    const from = busy.indexOf(Math.max(...busy));
    let best = busy[from]!;
    for (let to = 0; to < 3; to++)
      for (const expert of byRank[from]!)
        for (const partner of [-1, ...byRank[to]!]) {
          if (to === from || byRank[to]!.includes(expert) || byRank[from]!.includes(partner)) continue;
          if (partner < 0 && byRank[to]!.length === 4) continue;
          const next = byRank.map((held) => [...held]);
          next[from] = next[from]!.filter((of) => of !== expert).concat(partner < 0 ? [] : [partner]);
          next[to] = next[to]!.filter((of) => of !== partner).concat([expert]);
          const after = busyOf(next);
          best = Math.min(best, Math.max(after[from]!, after[to]!));
        }
    const copies = new LayerCopies(loads, on, byRank);
    relieveBusiest(copies, 1);
    const after = copies.busy();
    const touched = [0, 1, 2].filter((rank) => Math.abs(after[rank]! - busy[rank]!) > 1e-15);
    expect(touched.length === 0 ? busy[from] : Math.max(...touched.map((rank) => after[rank]!))).toBeCloseTo(best, 12);
  }
});

test("copies find a place by a chain of moves wherever there is one", () => {
  // Counts that the greatest first fit alone does not place: every rank but the full one holds expert 0 already.
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 5 }),
      fc.integer({ min: 2, max: 8 }),
      fc.nat(1000),
      (ranks, experts, seed) => {
        const draws = new RandomStream(seed, "counts");
        const counts = Array.from({ length: experts }, () => 1 + draws.below(ranks));
        const loads = drawnLoads(experts, seed);
        const room = Math.ceil(counts.reduce((sum, of) => sum + of, 0) / ranks);
        const on = {
          rooms: new Array<number>(ranks).fill(room),
          speeds: new Array<number>(ranks).fill(1),
          twins: false,
        };
        // Equal rooms, and no count above the ranks: a placement exists (Gale and Ryser).
        expect([...packCopies(loads, counts, on).counts]).toEqual(counts);
      },
    ),
    { numRuns: drawn(200) },
  );
});

test("assigning to rooms costs as little as the best of all assignments", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 6 }), fc.nat(1000), (bins, items, seed) => {
      const draws = new RandomStream(seed, "costs");
      const costs = Float64Array.from({ length: items * bins }, () => draws.below(20) - 5);
      const rooms = Array.from({ length: bins }, () => draws.below(items + 1));
      let least = Infinity;
      for (let code = 0; code < bins ** items; code++) {
        const used = new Array<number>(bins).fill(0);
        let cost = 0;
        for (let item = 0, rest = code; item < items; item++, rest = Math.floor(rest / bins)) {
          used[rest % bins]! += 1;
          cost += costs[item * bins + (rest % bins)]!;
        }
        if (used.every((of, bin) => of <= rooms[bin]!)) least = Math.min(least, cost);
      }
      const solved = assignToRooms(costs, rooms);
      if (solved === null) expect(least).toBe(Infinity);
      else expect(solved.reduce((sum, bin, item) => sum + costs[item * bins + bin]!, 0)).toBe(least);
    }),
    { numRuns: drawn(200) },
  );
});

/** Experts of each layer in blocks of equal size, tokens inside a block alone, experts of a layer in a drawn order. */
function planted(layers: number, experts: number, blocks: number, seed: number) {
  const draws = new RandomStream(seed, "planted");
  const size = experts / blocks;
  const blockOf = Array.from({ length: layers }, () => {
    const order = Array.from({ length: experts }, (_, expert) => expert);
    for (let left = experts; left > 1; left--) {
      const at = draws.below(left);
      [order[left - 1], order[at]] = [order[at]!, order[left - 1]!];
    }
    return Array.from({ length: experts }, (_, expert) => Math.floor(order.indexOf(expert) / size));
  });
  const transitions = new Float64Array((layers - 1) * experts * experts);
  for (let layer = 0; layer + 1 < layers; layer++)
    for (let a = 0; a < experts; a++)
      for (let b = 0; b < experts; b++)
        if (blockOf[layer]![a] === blockOf[layer + 1]![b])
          transitions[(layer * experts + a) * experts + b] = 1 + draws.below(5);
  const pairs = new Float64Array(layers * experts * experts);
  for (let layer = 0; layer < layers; layer++)
    for (let a = 0; a < experts; a++)
      for (let b = 0; b < a; b++)
        if (blockOf[layer]![a] === blockOf[layer]![b])
          pairs[(layer * experts + a) * experts + b] = pairs[(layer * experts + b) * experts + a] = 1 + draws.below(5);
  return { transitions, pairs, blockOf };
}

test("policies that a running engine can ask go by what it counts, loads, and knows, the map in use", () => {
  for (const { needs } of Object.values(livePlacements))
    for (const need of needs) expect(["loads", "windows", "previous"]).toContain(need);
});

describe("exflow", () => {
  test("finds planted blocks: no token changes the rank, and that is proved", async () => {
    for (const seed of [1, 2, 3]) {
      const { transitions } = planted(5, 32, 4, seed);
      const input = inputOf({ layers: 5, experts: 32, ranks: 4, transitions, loads: null });
      const { placement, proofs } = await place(placements.exflow, input);
      const rankOf = Array.from({ length: 5 }, (_, layer) => rankOfExperts(placement, layer)).flat();
      expect(crossTraffic(input, rankOf)).toBe(0);
      expect(proofs).toMatchObject([{ objective: 0, bound: 0, proved: true }]);
    }
  });

  test("is never worse than contiguous nor than chance, and never below the bound", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1000), fc.boolean(), async (seed, far) => {
        const transitions = drawnLoads(2 * 144, seed);
        const distance = Float64Array.from({ length: 16 }, (_, at) => {
          const [a, b] = [Math.floor(at / 4), at % 4];
          return a === b ? 0 : Math.floor(a / 2) === Math.floor(b / 2) ? 1 : 9;
        });
        const input = inputOf({ layers: 3, experts: 12, ranks: 4, transitions, ...(far ? { distance } : {}) });
        const { placement, proofs } = await place(placements.exflow, input);
        const cost = (of: Placement) =>
          crossTraffic(
            input,
            [0, 1, 2].flatMap((layer) => rankOfExperts(of, layer)),
          );
        expect(cost(placement)).toBeCloseTo(proofs[0]!.objective, 9);
        for (const other of [placements.contiguous, placements["round-robin"], placements.random])
          expect(cost(placement)).toBeLessThanOrEqual(cost(other.place(input)) + 1e-9);
        expect(crossTrafficBound(input, new Uint16Array(12).fill(3))).toBeLessThanOrEqual(cost(placement) + 1e-9);
      }),
      { numRuns: drawn(40) },
    );
  });
});

describe("moetuner", () => {
  test("follows planted chains: no traffic between ranks, proved, by dp and by local search", async () => {
    for (const [experts, solver] of [
      [4, "dp"],
      [8, "sweeps"],
    ] as const) {
      const { transitions } = planted(6, experts, experts, 3);
      const input = inputOf({
        layers: 6,
        experts,
        ranks: experts,
        transitions,
        loads: new Float64Array(6 * experts).fill(1),
      });
      const { placement, proofs } = await place(placements.moetuner, input, { solver });
      const rankOf = Array.from({ length: 6 }, (_, layer) => rankOfExperts(placement, layer)).flat();
      expect(crossTraffic(input, rankOf)).toBe(0);
      expect(proofs).toMatchObject([{ objective: 0 }, { objective: 0, proved: true, solver }]);
    }
  });

  test("balances no worse than round-robin, holds equally many experts on each rank, and says how good it is", async () => {
    for (let seed = 0; seed < 5; seed++) {
      const [layers, experts, ranks] = [4, 12, 4];
      const loads = drawnLoads(layers * experts, seed);
      const transitions = drawnLoads((layers - 1) * experts * experts, seed + 1);
      const input = inputOf({ layers, experts, ranks, physicalExperts: 20, transitions, loads });
      const deviations = (of: Placement) => {
        const sums = rankLoads(of, loads);
        let total = 0;
        for (let layer = 0; layer < layers; layer++) {
          const own = sums.subarray(layer * ranks, (layer + 1) * ranks);
          const mean = own.reduce((sum, load) => sum + load, 0) / ranks;
          total += own.reduce((sum, load) => sum + Math.abs(load - mean), 0);
        }
        return total;
      };
      const { placement, proofs } = await place(placements.moetuner, input);
      expect(deviations(placement)).toBeLessThanOrEqual(deviations(placements["round-robin"].place(input)) + 1e-9);
      expect(deviations(placement)).toBeCloseTo(proofs[0]!.objective, 9);
      for (let layer = 0; layer < layers; layer++)
        expect(copiesByRank(placement, layer).map(({ length }) => length)).toEqual([3, 3, 3, 3]);
      expect(proofs[1]).toMatchObject({ solver: "dp", proved: true });
      const local = await place(placements.moetuner, input, { solver: "local" });
      expect(local.proofs[1]!.objective).toBeGreaterThanOrEqual(proofs[1]!.objective - 1e-9);
      expect(proofs[1]!.bound).toBeLessThanOrEqual(proofs[1]!.objective + 1e-9);
    }
  });

  test("refuses unequal ranks", async () => {
    const input = {
      ...inputOf({ experts: 4, ranks: 2, loads: new Float64Array(4) }),
      rankSpeed: Float64Array.from([1, 2]),
    };
    await expect(place(placements.moetuner, input)).rejects.toThrow(/placement.rankSpeed.*moetuner/);
  });
});

describe("grace", () => {
  test("finds planted groups, on ranks and on nodes first", async () => {
    for (const seed of [1, 2, 3])
      for (const nodes of [1, 2]) {
        const { pairs, blockOf } = planted(2, 24, 4, seed);
        const input = inputOf({ layers: 2, experts: 24, ranks: 4, nodes, pairs, loads: new Float64Array(48).fill(1) });
        const { placement } = await place(placements.grace, input);
        for (let layer = 0; layer < 2; layer++)
          for (const held of copiesByRank(placement, layer))
            expect(new Set(held.map((expert) => blockOf[layer]![expert])).size).toBe(1);
      }
  });

  test("copies the heaviest experts of the heaviest rank to the lightest ones", async () => {
    // Two groups of two; the first has loads 30 and 10, the second 1 and 1: max/mean 1.90, n = 1, above half of 40.
    const pairs = Float64Array.from([0, 9, 0, 0, 9, 0, 0, 0, 0, 0, 0, 9, 0, 0, 9, 0]);
    const loads = Float64Array.from([30, 10, 1, 1]);
    const { placement } = await place(
      placements.grace,
      inputOf({ experts: 4, ranks: 2, physicalExperts: 6, pairs, loads }),
    );
    const ranks = copiesByRank(placement, 0);
    expect(ranks.map((held) => [...held].sort())).toContainEqual([0, 2, 3]);
    expect(ranks.map((held) => [...held].sort())).toContainEqual([0, 1]);
    const without = await place(placements.grace, inputOf({ experts: 4, ranks: 2, physicalExperts: 6, pairs, loads }), {
      replicate: false,
    });
    expect(without.placement.logicalExperts.filter((expert) => expert !== noExpert)).toHaveLength(4);
  });

  test("lets sizes differ where that keeps groups together and there are places", async () => {
    // Groups of 6 and 2 on two ranks: equal sizes cut the larger one.
    const pairs = new Float64Array(64);
    for (let a = 0; a < 8; a++) for (let b = 0; b < 8; b++) if (a !== b && a < 6 === b < 6) pairs[a * 8 + b] = 10;
    const at = async (looseness: number) => {
      const input = inputOf({ experts: 8, ranks: 2, physicalExperts: 12, pairs, loads: new Float64Array(8).fill(1) });
      const { placement } = await place(placements.grace, input, { looseness, replicate: false });
      return copiesByRank(placement, 0)
        .map(({ length }) => length)
        .sort();
    };
    expect(await at(0)).toEqual([4, 4]);
    expect(await at(0.5)).toEqual([2, 6]);
  });

  test("groups so that no exchange helps, and mostly as well as any grouping", () => {
    const [items, seeds] = [8, 100];
    let best = 0;
    for (let seed = 0; seed < seeds; seed++) {
      const draws = new RandomStream(seed, "affinity");
      const affinity = new Float64Array(items * items);
      for (let a = 0; a < items; a++)
        for (let b = 0; b < a; b++) affinity[a * items + b] = affinity[b * items + a] = draws.uniform();
      const found = groupByAffinity(affinity, { least: [4, 4], most: [4, 4] });
      const inside = shareInside(affinity, found);
      for (let a = 0; a < items; a++)
        for (let b = 0; b < a; b++) {
          const exchanged = found.slice();
          [exchanged[a], exchanged[b]] = [found[b]!, found[a]!];
          expect(shareInside(affinity, exchanged)).toBeLessThanOrEqual(inside + 1e-9);
        }
      let most = 0;
      for (let code = 0; code < 1 << items; code++) {
        const groupOf = Array.from({ length: items }, (_, item) => (code >> item) & 1);
        if (groupOf.reduce((sum, of) => sum + of, 0) === items / 2)
          most = Math.max(most, shareInside(affinity, groupOf));
      }
      if (inside >= most - 1e-12) best++;
    }
    // 260 of the first 300 seeds; the least of them reaches 92 % of the best.
    expect(best / seeds).toBeGreaterThan(0.8);
  });
});

describe("search", () => {
  const goals = ["load", "traffic", "spread", "migrations", "further"] as const;
  const weightsOf = (part: object) => ({ load: 0, traffic: 0, spread: 0, migrations: 0, further: 0, ...part });
  const inputFor = (seed: number, unequal: boolean): PlacementInput => {
    const [layers, experts, ranks] = [3, 12, 4];
    const input = inputOf({
      layers,
      experts,
      ranks,
      physicalExperts: 20,
      loads: drawnLoads(layers * experts, seed),
      transitions: drawnLoads((layers - 1) * experts * experts, seed + 1),
      pairs: planted(layers, experts, 3, seed).pairs,
      twins: false,
    });
    const previous = placements.random.place({ ...input, seed });
    return {
      ...input,
      previous,
      ...(unequal ? { rankSpeed: Float64Array.from([1, 1, 2, 3]), rankCopiesMax: Uint16Array.from([5, 2, 5, 5]) } : {}),
    };
  };
  const copiesOf = (input: PlacementInput, placement: Placement) =>
    layerRanks(input, false).map(
      (on, layer) => new LayerCopies(layerLoads(input, layer), on, copiesByRank(placement, layer)),
    );

  test("is never worse than its best start, and never below its bound", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(1000),
        fc.boolean(),
        fc.record(Object.fromEntries(goals.map((goal) => [goal, fc.constantFrom(0, 0.5, 1)]))),
        async (seed, unequal, part) => {
          const weights = weightsOf(part);
          if (Object.values(weights).every((value) => value === 0)) weights.load = 1;
          const input = inputFor(seed, unequal);
          const { placement, proofs } = await place(placements.search, input, weights);
          const found = goalSum(placementGoals(input, copiesOf(input, placement)), weights);
          const start = bestStart(input, layerRanks(input, false), weights);
          expect(found).toBeLessThanOrEqual(goalSum(placementGoals(input, start), weights) + 1e-9);
          expect(proofs[0]!.objective).toBeCloseTo(found, 9);
          expect(proofs[0]!.bound).toBeLessThanOrEqual(found + 1e-12);
        },
      ),
      { numRuns: drawn(60) },
    );
  });

  test("with a weight on one goal alone is as good at it as the policy made for it, or better", async () => {
    const input = inputFor(5, false);
    const goalsOf = (placement: Placement) => placementGoals(input, copiesOf(input, placement));
    const found = async (part: object) => goalsOf((await place(placements.search, input, weightsOf(part))).placement);
    expect((await found({ load: 1 })).load).toBeLessThanOrEqual(goalsOf(placements.lpt.place(input)).load + 1e-9);
    const { placement: chained } = await place(placements.exflow, input);
    expect((await found({ traffic: 1 })).traffic).toBeLessThanOrEqual(goalsOf(chained).traffic + 1e-9);
    expect((await found({ spread: 1 })).spread).toBeLessThanOrEqual(
      goalsOf(placements.grace.place(input)).spread + 1e-9,
    );
    expect((await found({ migrations: 1 })).migrations).toBe(0);
    expect((await found({ load: 1e-9, further: 1 })).further).toBe(0);
  });

  test("a larger weight on migrations moves no more", async () => {
    const input = inputFor(6, false);
    const moved: number[] = [];
    for (const migrations of [0.01, 0.3, 10])
      moved.push(
        movedExperts(input.previous!, (await place(placements.search, input, { load: 1, migrations })).placement),
      );
    expect(moved).toEqual([...moved].sort((a, b) => b - a));
    expect(moved[0]).toBeGreaterThan(moved[2]!);
  });

  test("goals equal sums over single copies", () => {
    const input = inputFor(8, false);
    const placement = placements["round-robin"].place(input);
    const found = placementGoals(input, copiesOf(input, placement));
    const rankOf = [0, 1, 2].flatMap((layer) => rankOfExperts(placement, layer));
    const sum = (values: ArrayLike<number>) => Array.from(values).reduce((total, value) => total + value, 0);
    expect(found.traffic).toBeCloseTo(crossTraffic(input, rankOf) / sum(input.transitions!), 12);
    let apart = 0;
    for (const [at, count] of input.pairs!.entries()) {
      const layer = Math.floor(at / 144);
      if (rankOf[layer * 12 + (Math.floor(at / 12) % 12)] !== rankOf[layer * 12 + (at % 12)]) apart += count;
    }
    expect(found.spread).toBeCloseTo(apart / sum(input.pairs!), 12);
    const loads = rankLoads(placement, input.loads!);
    const heaviest = [0, 1, 2].reduce((total, layer) => total + max(loads.subarray(layer * 4, layer * 4 + 4)), 0);
    expect(found.load).toBeCloseTo((heaviest * 4) / sum(loads), 12);
    expect(found.migrations).toBeCloseTo(movedExperts(input.previous!, placement) / 36, 12);
    expect(found.further).toBe(0);
  });
});
