import { expect, test } from "vitest";
import { RandomStream } from "../../../src/core/random.ts";
import { chain } from "../../../src/solver/chain/chain.ts";
import { chainBound } from "../../../src/solver/chain/chain-bound.ts";
import { type ChainProblem, chainObjective, chainViolation } from "../../../src/solver/chain/chain-problem.ts";
import { solveHere } from "../../../src/solver/solver.ts";
import { drawn } from "../../drawn.ts";

/** Random traffic between GPUs on nodes of two, or at any distances. */
function anyProblem(seed: number, layers: number, gpus: number): ChainProblem {
  const random = new RandomStream(seed, "chain");
  const nodes = random.below(2) === 0;
  return {
    layers,
    gpus,
    traffic: Float64Array.from({ length: (layers - 1) * gpus * gpus }, () => random.below(100)),
    distance: Float64Array.from({ length: gpus * gpus }, (_, at) => {
      const [a, b] = [Math.floor(at / gpus), at % gpus];
      if (a === b) return 0;
      return nodes ? (a >> 1 === b >> 1 ? 1 : 9) : 1 + random.below(9);
    }),
    minimise: random.below(2) === 0 ? "sum" : "bottleneck",
  };
}

function bruteForce(problem: ChainProblem): number {
  const { layers, gpus } = problem;
  const gpuOf = new Uint16Array(layers * gpus);
  let best = Infinity;
  const place = (at: number): void => {
    if (at === gpuOf.length) {
      if (chainViolation(problem, gpuOf) === null) best = Math.min(best, chainObjective(problem, gpuOf));
      return;
    }
    const first = at - (at % gpus);
    for (let gpu = 0; gpu < gpus; gpu++) {
      if (gpuOf.subarray(first, at).includes(gpu)) continue;
      gpuOf[at] = gpu;
      place(at + 1);
    }
  };
  place(0);
  return best;
}

test("dp finds the optimum, neighbourhoods none below it, and the bound is never above", async () => {
  for (let seed = 0; seed < drawn(40); seed++) {
    const problem = seed % 3 === 0 ? anyProblem(seed, 2, 4) : anyProblem(seed, 4, 3);
    const optimum = bruteForce(problem);
    expect((await solveHere(chain, problem, { solver: "dp" })).objective).toBeCloseTo(optimum, 9);
    expect((await solveHere(chain, problem, { solver: "lns" })).objective).toBeGreaterThanOrEqual(optimum - 1e-9);
    expect(chainBound(problem)).toBeLessThanOrEqual(optimum + 1e-9);
  }
});

test("at the scale of Mixtral dp proves the optimum and planted chains cross no link", async () => {
  const problem = anyProblem(3, 32, 4);
  const answer = await solveHere(chain, problem);
  expect(answer).toMatchObject({ solver: "dp", proved: true });
  const traffic = new Float64Array(31 * 16);
  for (let pair = 0; pair < 31; pair++) for (let c = 0; c < 4; c++) traffic[pair * 16 + c * 4 + ((c + pair) % 4)] = 7;
  expect((await solveHere(chain, { ...problem, traffic })).objective).toBe(0);
});

test("a limit of experts by GPU is kept, and one that cannot hold is refused with its value", async () => {
  const items = { clusterItems: Uint16Array.from([3, 1, 1, 3]), gpuItemsMax: 4 };
  const problem: ChainProblem = { ...anyProblem(1, 2, 2), ...items };
  expect((await solveHere(chain, problem)).solver).toBe("lns");
  await expect(solveHere(chain, { ...problem, gpuItemsMax: 3 })).rejects.toThrow(
    /gpuItemsMax: expected at least 4 of 8 experts on 2 GPUs, found 3/,
  );
});
