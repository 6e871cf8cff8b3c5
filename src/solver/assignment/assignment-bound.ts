import { type AssignmentProblem, binShares, capOf, speedOf } from "./assignment-problem.ts";

/** No assignment is lighter than the mean bin or than the heaviest item in the fastest bin. */
export function simpleLowerBound(problem: AssignmentProblem): number {
  let sum = 0;
  let heaviest = 0;
  for (let item = 0; item < problem.loads.length; item++) {
    sum += problem.loads[item]!;
    heaviest = Math.max(heaviest, problem.loads[item]!);
  }
  let speed = 0;
  let fastest = 0;
  for (let bin = 0; bin < problem.bins; bin++) {
    speed += speedOf(problem, bin);
    fastest = Math.max(fastest, speedOf(problem, bin));
  }
  return Math.max(sum / speed, heaviest / fastest);
}

/**
 * Load by speed that the heaviest bin is never below. Sharper than {@link simpleLowerBound} where the limit of items forces it. The other
 * bins hold at most their limits, so the bin of the heaviest item holds at least the rest, at best the lightest. And of the n x bins + 1 heaviest items,
 * n + 1 share a bin. Whole loads round the mean up.
 */
function heaviestBound(problem: AssignmentProblem): number {
  const sorted = Float64Array.from(problem.loads).sort();
  const items = sorted.length;
  let [room, capLeast, fastest] = [0, Infinity, 0];
  for (let bin = 0; bin < problem.bins; bin++) {
    const cap = capOf(problem, bin);
    room += cap;
    if (cap > 0) capLeast = Math.min(capLeast, cap);
    fastest = Math.max(fastest, speedOf(problem, bin));
  }
  // The heaviest item leaves the most room to the others in the bin that has the least.
  const company = Math.max(items - (room - capLeast) - 1, (problem.binItemsMin ?? 0) - 1);
  let forced = sorted.at(-1) ?? 0;
  for (let item = 0; item < company; item++) forced += sorted[item]!;
  // Of the n x bins + 1 heaviest, n + 1 share a bin: at best the lightest of them.
  let shared = 0;
  for (let each = 1; each * problem.bins + 1 <= items; each++) {
    let sum = 0;
    const lightest = items - (each * problem.bins + 1);
    for (let item = 0; item <= each; item++) sum += sorted[lightest + item]!;
    shared = Math.max(shared, sum);
  }
  const simple = simpleLowerBound(problem);
  const whole = problem.binSpeed === undefined && sorted.every(Number.isInteger);
  return Math.max(whole ? Math.ceil(simple) : simple, forced / fastest, shared / fastest);
}

/** No assignment has a smaller objective. */
export function assignmentBound(problem: AssignmentProblem): number {
  const heaviest = heaviestBound(problem);
  if (problem.minimise !== "deviations") return heaviest;
  // A bin that is above its share by some load leaves the others below theirs by as much. Which bin it is, is open.
  const shares = binShares(problem);
  let above = Infinity;
  for (let bin = 0; bin < problem.bins; bin++) above = Math.min(above, heaviest * speedOf(problem, bin) - shares[bin]!);
  return Math.max(0, 2 * above, 2 * hottestAbove(problem, shares));
}

/**
 * Load above their shares of the bins that hold the k heaviest items, for the k that says most; 0 where speeds differ. In m bins these
 * have the company of the m x least - k lightest at least, and m, at most k, is open.
 */
function hottestAbove({ loads, bins, binSpeed, binItemsMin = 0 }: AssignmentProblem, shares: Float64Array): number {
  if (binSpeed !== undefined) return 0;
  const sorted = Float64Array.from(loads).sort();
  const items = sorted.length;
  const lightest = new Float64Array(items + 1);
  for (let item = 0; item < items; item++) lightest[item + 1] = lightest[item]! + sorted[item]!;
  const total = lightest[items]!;
  let above = 0;
  for (let heaviest = 1; heaviest <= Math.min(bins, items); heaviest++) {
    const held = total - lightest[items - heaviest]!;
    let least = Infinity;
    for (let used = 1; used <= heaviest; used++)
      least = Math.min(least, held + lightest[Math.max(0, used * binItemsMin - heaviest)]! - used * shares[0]!);
    above = Math.max(above, least);
  }
  // Sums of many loads: nothing above what rounding leaves.
  return Math.max(0, above - 1e-12 * total);
}
