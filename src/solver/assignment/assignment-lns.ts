import { RandomStream } from "../../core/random.ts";
import type { Attempt, SolveLimits } from "../solver.ts";
import { assignmentBound } from "./assignment-bound.ts";
import {
  type AssignmentProblem,
  assignmentObjective,
  binLoads,
  binShares,
  capOf,
  speedOf,
} from "./assignment-problem.ts";
import { assignLongestFirst } from "./longest-first.ts";
import { improveBySwaps } from "./swaps.ts";

/** Branches of one small search, and small searches in a row that may fail before it ends. */
const branchesMax = 20_000;
const failuresMax = 200;

/**
 * Large-neighbourhood search: empties the worst bin and one or two others and fills them again by branch and bound, which tries
 * every way unless that takes too many branches. Counts its work, so it is the same on every machine.
 */
export function assignByNeighbourhoods(problem: AssignmentProblem, limits: SolveLimits): Attempt<Uint16Array> {
  const binOf = assignLongestFirst(problem);
  improveBySwaps(problem, binOf);
  const bound = assignmentBound(problem);
  const random = new RandomStream(limits.seed, "assignment neighbourhoods");
  let objective = assignmentObjective(problem, binOf);
  limits.onBetter?.(binOf.slice(), objective, bound);
  for (let failures = 0; failures < failuresMax && objective > bound * (1 + limits.gap) && problem.bins > 1; ) {
    const freed = freedBins(problem, binOf, failures, random);
    if (!refill(problem, binOf, freed)) {
      failures += 1;
      continue;
    }
    improveBySwaps(problem, binOf);
    const reached = assignmentObjective(problem, binOf);
    failures = reached < objective ? 0 : failures + 1;
    objective = reached;
    limits.onBetter?.(binOf.slice(), objective, bound);
  }
  return { solution: binOf, bound, cut: false };
}

/** The bin that is worst, and others: each by itself first, then two drawn at random. */
function freedBins(problem: AssignmentProblem, binOf: Uint16Array, turn: number, random: RandomStream): number[] {
  const loads = binLoads(problem, binOf);
  const shares = binShares(problem);
  const excess = (bin: number) =>
    problem.minimise === "deviations" ? loads[bin]! - shares[bin]! : loads[bin]! / speedOf(problem, bin);
  const byExcess = Array.from(loads.keys()).sort((a, b) => excess(b) - excess(a) || a - b);
  const worst = byExcess[0]!;
  const others = byExcess.slice(1).reverse();
  if (turn < others.length) return [worst, others[turn]!];
  const first = others[random.below(others.length)]!;
  const second = others[random.below(others.length)]!;
  return first === second ? [worst, first] : [worst, first, second];
}

/** Fills emptied bins anew; false, and nothing changed, where no better way was found. */
function refill(problem: AssignmentProblem, binOf: Uint16Array, freed: readonly number[]): boolean {
  const { loads, groupOf, binItemsMin = 0 } = problem;
  const shares = binShares(problem);
  const deviations = problem.minimise === "deviations";
  const pool = [...binOf.keys()].filter((item) => freed.includes(binOf[item]!));
  pool.sort((a, b) => loads[b]! - loads[a]! || a - b);
  const load = new Float64Array(freed.length);
  const count = new Uint16Array(freed.length);
  const chosen = new Uint8Array(pool.length);
  // What is minimised never falls while items are added: the heaviest bin, or what bins are above their shares.
  const cost = (): number => {
    let value = 0;
    for (const [at, bin] of freed.entries())
      if (deviations) value += Math.max(0, load[at]! - shares[bin]!);
      else value = Math.max(value, load[at]! / speedOf(problem, bin));
    return value;
  };
  for (const [index, item] of pool.entries()) {
    const at = freed.indexOf(binOf[item]!);
    chosen[index] = at;
    load[at]! += loads[item]!;
  }
  let best = cost() * (1 - 1e-12);
  let found: Uint8Array | null = null;
  load.fill(0);
  let branches = 0;
  const place = (index: number): void => {
    if (index === pool.length) {
      if (count.some((items) => items < binItemsMin)) return;
      const value = cost();
      if (value >= best) return;
      best = value;
      found = chosen.slice();
      return;
    }
    const item = pool[index]!;
    for (let at = 0; at < freed.length; at++) {
      if (branches >= branchesMax) return;
      if (count[at]! >= capOf(problem, freed[at]!)) continue;
      if (
        groupOf !== undefined &&
        pool.some((other, i) => i < index && chosen[i] === at && groupOf[other] === groupOf[item])
      )
        continue;
      branches += 1;
      const before = load[at]!;
      load[at] = before + loads[item]!;
      count[at]! += 1;
      chosen[index] = at;
      if (cost() < best) place(index + 1);
      load[at] = before;
      count[at]! -= 1;
    }
  };
  place(0);
  if (found === null) return false;
  for (const [index, item] of pool.entries()) binOf[item] = freed[(found as Uint8Array)[index]!]!;
  return true;
}
