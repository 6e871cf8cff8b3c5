import { type AssignmentProblem, assignGroups, capOf } from "./assignment-problem.ts";

/**
 * Longest processing time first: items by descending load (ties by index), each to the bin with room that is the lightest, or with
 * speeds the one that is done with it first. Where groups leave an item without a bin, the construction of Gale and Ryser
 * stands in, which finds an assignment if there is one.
 */
export function assignLongestFirst(problem: AssignmentProblem): Uint16Array {
  const { loads, bins, binSpeed, groupOf, binItemsMin = 0 } = problem;
  const order = Uint32Array.from({ length: loads.length }, (_, item) => item);
  order.sort((a, b) => loads[b]! - loads[a]! || a - b);
  const binOf = new Uint16Array(loads.length);
  const binLoad = new Float64Array(bins);
  const binItems = new Uint32Array(bins);
  const taken = new Set<number>();
  // Places that must still be filled so that every bin has its fewest items.
  let owed = binItemsMin * bins;
  let left = loads.length;
  for (const item of order) {
    let best = -1;
    let bestTime = Infinity;
    for (let bin = 0; bin < bins; bin++) {
      if (binItems[bin]! >= capOf(problem, bin)) continue;
      if (left <= owed && binItems[bin]! >= binItemsMin) continue;
      if (groupOf !== undefined && taken.has(groupOf[item]! * bins + bin)) continue;
      const time = binSpeed === undefined ? binLoad[bin]! : (binLoad[bin]! + loads[item]!) / binSpeed[bin]!;
      if (time >= bestTime) continue;
      best = bin;
      bestTime = time;
    }
    if (best < 0) return assignGroups(problem) ?? binOf;
    if (binItems[best]! < binItemsMin) owed -= 1;
    left -= 1;
    binOf[item] = best;
    binLoad[best]! += loads[item]!;
    binItems[best]! += 1;
    if (groupOf !== undefined) taken.add(groupOf[item]! * bins + best);
  }
  return binOf;
}
