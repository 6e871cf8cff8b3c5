import { type AssignmentProblem, capOf } from "../../src/solver/assignment/assignment-problem.ts";

/** Smallest possible load of the heaviest bin, by trying every assignment that keeps the limit of items per bin. */
export function lightestHeaviestBin(problem: AssignmentProblem): number {
  const sums = Array.from({ length: problem.bins }, () => 0);
  const counts = Array.from({ length: problem.bins }, () => 0);
  let best = Infinity;
  const place = (item: number): void => {
    if (item === problem.loads.length) {
      best = Math.min(best, Math.max(...sums));
      return;
    }
    const load = problem.loads[item] ?? 0;
    for (let bin = 0; bin < problem.bins; bin++) {
      const [sum, count] = [sums[bin] ?? 0, counts[bin] ?? 0];
      if (count === capOf(problem, bin) || sum + load >= best) continue;
      sums[bin] = sum + load;
      counts[bin] = count + 1;
      place(item + 1);
      sums[bin] = sum;
      counts[bin] = count;
      if (count === 0) break; // empty bins are alike
    }
  };
  place(0);
  return best;
}
