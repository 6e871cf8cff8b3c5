import { RandomStream } from "../../core/random.ts";
import type { Attempt, SolveLimits } from "../solver.ts";
import { chainBound } from "./chain-bound.ts";
import { ChainExchanges } from "./chain-exchanges.ts";
import type { LinkNorm } from "./chain-links.ts";
import { type ChainProblem, chainObjective, chainViolation } from "./chain-problem.ts";
import { repairChain, startChain } from "./chain-start.ts";
import { chainBySweeps } from "./chain-sweeps.ts";

/** Links whose times are looked at while the search goes on, and searches that find nothing better before it ends. */
const linksMax = 5e8;
const failuresMax = 40;

/**
 * Norms of the times of links that slowest links are improved by, one after the other. The largest alone does not tell an exchange that
 * leaves one slow link of two from one that leaves both.
 */
const norms: readonly LinkNorm[] = [{ kind: "powers", doublings: 2 }, { kind: "largest" }];

/**
 * Iterated large-neighbourhood search from what sweeps find: two GPUs exchange their clusters in the layers where it helps, pair after pair
 * until none does; then the best chain is changed at random behind some layer, and improved again. Counts its work, so it is the same on
 * every machine.
 */
export function chainByNeighbourhoods(problem: ChainProblem, limits: SolveLimits): Attempt<Uint16Array> {
  // Something to have where a limit of time comes before the sweeps are done.
  const first = startChain(problem);
  if (chainViolation(problem, first) === null) limits.onBetter?.(first, chainObjective(problem, first), -Infinity);
  const { solution: start } = chainBySweeps(problem, limits);
  if (start === null) return { solution: null, bound: -Infinity, cut: false };
  const bound = chainBound(problem);
  let best = start;
  let objective = chainObjective(problem, best);
  limits.onBetter?.(best, objective, bound);
  const random = new RandomStream(limits.seed, "chain neighbourhoods");
  const links = problem.traffic.length;
  let looked = 0;
  let changed = start;
  for (let failures = 0; failures < failuresMax && looked < linksMax && links > 0; failures++) {
    if (objective <= bound * (1 + limits.gap)) break;
    for (const norm of problem.minimise === "sum" ? [{ kind: "sum" } as const] : norms) {
      const search = new ChainExchanges(problem, changed, norm);
      looked += links * improved(search, problem.gpus, random);
      changed = search.gpuOf;
    }
    const reached = chainObjective(problem, changed);
    if (reached < objective * (1 - 1e-12)) {
      [best, objective, failures] = [changed, reached, -1];
      limits.onBetter?.(best, objective, bound);
    }
    changed = shaken(problem, best, random);
  }
  return { solution: best, bound, cut: false };
}

/** Tries pairs of GPUs until none helps. Returns how many were tried. */
function improved(search: ChainExchanges, gpus: number, random: RandomStream): number {
  const pairs = Array.from({ length: gpus }, (_, a) => Array.from({ length: a }, (_, b) => [a, b] as const)).flat();
  let tried = 0;
  for (let failures = 0; failures < pairs.length; )
    for (const [a, b] of random.shuffle(pairs)) {
      failures = search.improve(a, b) ? 0 : failures + 1;
      tried++;
      if (failures === pairs.length) break;
    }
  return tried;
}

/** The chain with GPUs renamed at random from some layer on, three in turn. */
function shaken(problem: ChainProblem, best: Uint16Array, random: RandomStream): Uint16Array {
  const { layers, gpus } = problem;
  const gpuOf = best.slice();
  const from = random.below(layers);
  const turned = random.shuffle(Array.from({ length: gpus }, (_, gpu) => gpu)).slice(0, 3);
  for (let at = from * gpus; at < gpuOf.length; at++) {
    const place = turned.indexOf(gpuOf[at]!);
    if (place >= 0) gpuOf[at] = turned[(place + 1) % turned.length]!;
  }
  return repairChain(problem, gpuOf) ? gpuOf : best;
}
