import { expect, test } from "vitest";
import { RandomStream } from "../../../src/core/random.ts";
import { LayerStep } from "../../../src/solver/partition/layer-step.ts";
import { partition } from "../../../src/solver/partition/partition.ts";
import { partitionBound } from "../../../src/solver/partition/partition-bound.ts";
import {
  type PartitionProblem,
  partitionObjective,
  partitionViolation,
} from "../../../src/solver/partition/partition-problem.ts";
import { inOrder } from "../../../src/solver/partition/sweeps.ts";
import { solveHere } from "../../../src/solver/solver.ts";
import { drawn, further } from "../../drawn.ts";

/** Drawn counts, parts on nodes of two, sizes equal or not. */
function anyProblem(seed: number, layers: number, items: number, parts: number): PartitionProblem {
  const random = new RandomStream(seed, "partition");
  const sizes = new Uint16Array(layers * parts);
  for (let layer = 0; layer < layers; layer++)
    for (let item = 0; item < items; item++)
      sizes[layer * parts + (seed % 2 === 0 ? item % parts : random.below(parts))]! += 1;
  return {
    layers,
    items,
    parts,
    traffic: Float64Array.from({ length: (layers - 1) * items * items }, () => random.below(20)),
    distance: Float64Array.from({ length: parts * parts }, (_, at) => {
      const [a, b] = [Math.floor(at / parts), at % parts];
      return a === b ? 0 : a >> 1 === b >> 1 ? 1 : 9;
    }),
    sizes,
  };
}

function bruteForce(problem: PartitionProblem, fixed?: Uint16Array, free?: number): number {
  const { layers, items, parts } = problem;
  const partOf = fixed?.slice() ?? new Uint16Array(layers * items);
  const [first, last] = free === undefined ? [0, layers * items] : [free * items, (free + 1) * items];
  let best = Infinity;
  const place = (at: number): void => {
    if (at === last) {
      if (partitionViolation(problem, partOf) === null) best = Math.min(best, partitionObjective(problem, partOf));
      return;
    }
    for (let part = 0; part < parts; part++) {
      partOf[at] = part;
      place(at + 1);
    }
  };
  place(first);
  return best;
}

test("no solver is below the optimum, the bound neither above it, and searches nearly reach it", async () => {
  let [optima, reached] = [0, 0];
  for (let seed = 0; seed < drawn(40); seed++) {
    const problem = seed % 3 === 0 ? anyProblem(seed, 2, 4, 4) : anyProblem(seed, 3, 4, 2);
    const optimum = bruteForce(problem);
    optima += optimum;
    expect(partitionBound(problem)).toBeLessThanOrEqual(optimum + 1e-9);
    for (const solver of ["sweeps", "bipartition", "lns"]) {
      const { objective } = await solveHere(partition, problem, { solver });
      expect(objective).toBeGreaterThanOrEqual(optimum - 1e-9);
      if (solver === "lns") reached += objective;
    }
  }
  expect(reached / optima).toBeLessThan(1.02);
});

test("HiGHS and GLPK find the optimum", async () => {
  for (const seed of [1, ...further([2, 3])]) {
    const problem = anyProblem(seed, 2, 4, 2);
    const optimum = bruteForce(problem);
    for (const solver of ["highs", "glpk"]) {
      const answer = await solveHere(partition, problem, { solver, gap: 0 });
      expect(answer.objective).toBeCloseTo(optimum, 6);
      expect(answer.proved).toBe(true);
    }
  }
});

test("a layer is placed exactly for its neighbours", () => {
  for (let seed = 0; seed < drawn(60); seed++) {
    const problem = anyProblem(seed, 3, 6, 3);
    const partOf = Uint16Array.from([0, 1, 2].flatMap((layer) => [...inOrder(problem, layer)]));
    const optimum = bruteForce(problem, partOf, 1);
    new LayerStep(problem).place(partOf, 1, "both");
    expect(partitionViolation(problem, partOf)).toBeNull();
    expect(partitionObjective(problem, partOf)).toBeCloseTo(optimum, 9);
  }
});

/** Items of each layer in equal blocks, in a drawn order; tokens stay in their block. */
function planted(layers: number, items: number, parts: number, seed: number): PartitionProblem {
  const random = new RandomStream(seed, "planted blocks");
  const blockOf = Array.from({ length: layers }, () => {
    const blocks = Array.from({ length: items }, (_, item) => item % parts);
    for (let at = items - 1; at > 0; at--) {
      const other = random.below(at + 1);
      [blocks[at], blocks[other]] = [blocks[other]!, blocks[at]!];
    }
    return blocks;
  });
  const traffic = Float64Array.from({ length: (layers - 1) * items * items }, (_, at) => {
    const [layer, from, to] = [Math.floor(at / (items * items)), Math.floor(at / items) % items, at % items];
    return blockOf[layer]![from] === blockOf[layer + 1]![to] ? 1 + random.below(5) : 0;
  });
  return {
    ...anyProblem(0, layers, items, parts),
    traffic,
    start: Uint16Array.from(blockOf[0]!),
    sizes: new Uint16Array(layers * parts).fill(items / parts),
  };
}

test("planted blocks cross no link, from a start that has them", async () => {
  const problem = planted(6, 32, 4, 1);
  for (const solver of ["sweeps", "lns"])
    expect(await solveHere(partition, problem, { solver })).toMatchObject({ objective: 0, bound: 0, proved: true });
});

test("two blocks are found by halves without a start", async () => {
  const { start: _given, ...problem } = planted(6, 32, 2, 2);
  expect((await solveHere(partition, problem, { solver: "bipartition" })).objective).toBe(0);
});

test("sizes that do not hold the items and a start of other sizes are refused with their values", async () => {
  const problem = anyProblem(2, 2, 4, 2);
  await expect(solveHere(partition, { ...problem, sizes: Uint16Array.of(2, 2, 3, 2) })).rejects.toThrow(
    /sizes of layer 1: expected 4 places in all, found 5/,
  );
  await expect(solveHere(partition, { ...problem, start: Uint16Array.of(0, 0, 0, 1) })).rejects.toThrow(
    /start: expected 2 items in part 0, found 3/,
  );
});
