import { expect, test } from "vitest";
import { RandomStream } from "../../../src/core/random.ts";
import { chain } from "../../../src/solver/chain/chain.ts";
import { type ChainProblem, itemsByGpu } from "../../../src/solver/chain/chain-problem.ts";
import { reachableItemsMax, repairChain, startChain } from "../../../src/solver/chain/chain-start.ts";
import { leastThresholds } from "../../../src/solver/chain/two-bottlenecks.ts";
import { solveHere } from "../../../src/solver/solver.ts";
import { drawn, further } from "../../drawn.ts";

function anyProblem(seed: number, layers: number, gpus: number): ChainProblem {
  const random = new RandomStream(seed, "chain solvers");
  return {
    layers,
    gpus,
    traffic: Float64Array.from({ length: (layers - 1) * gpus * gpus }, () => random.below(100)),
    distance: Float64Array.from({ length: gpus * gpus }, (_, at) =>
      Math.floor(at / gpus) === at % gpus ? 0 : Math.floor(at / gpus) >> 1 === (at % gpus) >> 1 ? 1 : 9,
    ),
    minimise: seed % 2 === 0 ? "sum" : "bottleneck",
  };
}

/** Clusters of one to four experts. */
function unequal(seed: number, layers: number, gpus: number): ChainProblem {
  const random = new RandomStream(seed, "chain sizes");
  const clusterItems = Uint16Array.from({ length: layers * gpus }, () => 1 + random.below(4));
  const total = clusterItems.reduce((sum, items) => sum + items, 0);
  return { ...anyProblem(seed, layers, gpus), clusterItems, gpuItemsMax: Math.ceil(total / gpus) };
}

test("HiGHS and GLPK confirm the optimum of the dynamic program", async () => {
  for (const seed of [1, ...further([0])]) {
    const problem = anyProblem(seed, 3, 3);
    const { objective } = await solveHere(chain, problem, { solver: "dp" });
    for (const solver of ["highs", "glpk"]) {
      const answer = await solveHere(chain, problem, { solver, gap: 0 });
      expect(answer).toMatchObject({ proved: true });
      expect(answer.objective).toBeCloseTo(objective, 6);
    }
  }
});

test("two bottlenecks are the least over all assignments", () => {
  const random = new RandomStream(1, "two bottlenecks");
  for (let turn = 0; turn < drawn(100); turn++) {
    const n = 2 + random.below(4);
    const cost = () => Float64Array.from({ length: n * n }, () => random.below(turn % 2 === 0 ? 4 : 50));
    const [first, second] = [cost(), cost()];
    let least = Infinity;
    const place = (row: number, columns: readonly number[], a: number, b: number): void => {
      if (row === n) least = Math.min(least, a + b);
      for (let column = 0; column < n; column++)
        if (!columns.includes(column)) {
          const at = row * n + column;
          place(row + 1, [...columns, column], Math.max(a, first[at]!), Math.max(b, second[at]!));
        }
    };
    place(0, [], 0, 0);
    const limits = leastThresholds(first, second, n);
    expect(limits.first + limits.second).toBe(least);
  }
});

test("sweeps and neighbourhoods are near the optimum, and exact where no GPU is nearer than another", async () => {
  let [optimum, swept, searched] = [0, 0, 0];
  for (let seed = 0; seed < drawn(40); seed++) {
    const problem = anyProblem(seed, 5, 4);
    optimum += (await solveHere(chain, problem, { solver: "dp" })).objective;
    swept += (await solveHere(chain, problem, { solver: "sweeps" })).objective;
    searched += (await solveHere(chain, problem, { solver: "lns" })).objective;
    const flat = { ...problem, distance: problem.distance.map((each) => Math.min(each, 1)) };
    expect((await solveHere(chain, flat, { solver: "sweeps" })).proved).toBe(true);
  }
  expect(swept / optimum).toBeLessThan(1.05);
  expect(searched / optimum).toBeLessThan(1.002);
});

test("slowest links between nodes end within two hundredths of the optimum, where sweeps alone do not", async () => {
  const random = new RandomStream(1, "chain of two nodes");
  let [optimum, swept, searched] = [0, 0, 0];
  for (const _ of [0, ...further([1, 2])]) {
    const [layers, gpus] = [16, 8];
    const problem: ChainProblem = {
      layers,
      gpus,
      traffic: Float64Array.from({ length: (layers - 1) * gpus * gpus }, () =>
        Math.round(1000 * Math.exp(0.5 * random.normal())),
      ),
      distance: Float64Array.from({ length: gpus * gpus }, (_, at) =>
        Math.floor(at / gpus) === at % gpus ? 0 : Math.floor(at / gpus) >> 2 === (at % gpus) >> 2 ? 1 : 9,
      ),
      minimise: "bottleneck",
    };
    optimum += (await solveHere(chain, problem, { solver: "dp" })).objective;
    swept += (await solveHere(chain, problem, { solver: "sweeps" })).objective;
    searched += (await solveHere(chain, problem, { solver: "lns" })).objective;
  }
  expect(swept / optimum).toBeGreaterThan(1.02);
  expect(searched / optimum).toBeLessThan(1.02);
});

test("the same number of experts on every GPU, or as near as a brute force over exchanges comes", async () => {
  let met = 0;
  for (let seed = 0; seed < drawn(40); seed++) {
    const problem = unequal(seed, 6, 4);
    const reached = reachableItemsMax(problem);
    expect(reached).toBeGreaterThanOrEqual(problem.gpuItemsMax!);
    if (reached === problem.gpuItemsMax) met += 1;
    const loose = { ...problem, gpuItemsMax: reached };
    const gpuOf = startChain(loose);
    expect(repairChain(loose, gpuOf)).toBe(true);
    for (const solver of ["local", "sweeps", "lns"]) {
      const { solution } = await solveHere(chain, loose, { solver });
      expect(Math.max(...itemsByGpu(loose, solution))).toBeLessThanOrEqual(reached);
    }
  }
  expect(met / drawn(40)).toBeGreaterThan(0.9);
});

test("with a limit of experts HiGHS and GLPK agree, and exchanges find none below", async () => {
  const problem = unequal(4, 3, 3);
  const { objective } = await solveHere(chain, problem, { solver: "highs", gap: 0 });
  expect((await solveHere(chain, problem, { solver: "glpk", gap: 0 })).objective).toBeCloseTo(objective, 6);
  expect((await solveHere(chain, problem, { solver: "lns" })).objective).toBeGreaterThanOrEqual(objective - 1e-6);
});
