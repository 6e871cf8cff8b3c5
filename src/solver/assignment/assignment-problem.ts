import type { Problem } from "../../core/errors.ts";

/**
 * Items with loads into bins, each into exactly one, at most so many items to a bin: parallel machine scheduling with a cardinality
 * limit.
 */
export interface AssignmentProblem {
  readonly loads: ArrayLike<number>;
  readonly bins: number;
  /** Items that a bin may hold, of all or of each. */
  readonly binItemsMax: number | ArrayLike<number>;
  /** Items that every bin holds at least; absent: 0. MoETuner's first program has 1. Not together with `groupOf`. */
  readonly binItemsMin?: number;
  /** [bins] relative speed; the heaviest bin is that with the most load by speed. Absent: all alike. */
  readonly binSpeed?: ArrayLike<number>;
  /** [items] two items of one group never share a bin, such as copies of an expert. Absent: any may. */
  readonly groupOf?: ArrayLike<number>;
  /**
   * What is minimised. `heaviest` (absent): load by speed of the heaviest bin. `deviations`: the sum over bins of |load - share|, where
   * a bin's share of the total goes by its speed (MoETuner's first program, arXiv 2502.06643).
   */
  readonly minimise?: "heaviest" | "deviations";
}

/** Items that a bin may hold. */
export const capOf = ({ binItemsMax }: AssignmentProblem, bin: number): number =>
  typeof binItemsMax === "number" ? binItemsMax : binItemsMax[bin]!;

export const speedOf = ({ binSpeed }: AssignmentProblem, bin: number): number => binSpeed?.[bin] ?? 1;

/** Sum of loads in each bin. */
export function binLoads(problem: AssignmentProblem, binOf: Uint16Array): Float64Array {
  const sums = new Float64Array(problem.bins);
  for (let item = 0; item < binOf.length; item++) sums[binOf[item]!]! += problem.loads[item]!;
  return sums;
}

/** [bins] share of the total load by speed. */
export function binShares(problem: AssignmentProblem): Float64Array {
  let load = 0;
  let speed = 0;
  for (let item = 0; item < problem.loads.length; item++) load += problem.loads[item]!;
  for (let bin = 0; bin < problem.bins; bin++) speed += speedOf(problem, bin);
  return Float64Array.from({ length: problem.bins }, (_, bin) => (load * speedOf(problem, bin)) / speed);
}

/** Objective of an assignment. */
export function assignmentObjective(problem: AssignmentProblem, binOf: Uint16Array): number {
  const sums = binLoads(problem, binOf);
  let heaviest = 0;
  for (let bin = 0; bin < sums.length; bin++) heaviest = Math.max(heaviest, sums[bin]! / speedOf(problem, bin));
  if (problem.minimise !== "deviations") return heaviest;
  const shares = binShares(problem);
  return sums.reduce((total, sum, bin) => total + Math.abs(sum - shares[bin]!), 0);
}

/** What an assignment violates; null where it is one. */
export function assignmentViolation(problem: AssignmentProblem, binOf: Uint16Array): string | null {
  if (binOf.length !== problem.loads.length) return `${binOf.length} items instead of ${problem.loads.length}`;
  const held = new Uint32Array(problem.bins);
  const seen = new Set<number>();
  for (const [item, bin] of binOf.entries()) {
    if (!(bin < problem.bins)) return `item ${item} is in bin ${bin} of ${problem.bins}`;
    held[bin]! += 1;
    if (problem.groupOf === undefined) continue;
    const place = problem.groupOf[item]! * problem.bins + bin;
    if (seen.has(place)) return `bin ${bin} holds two items of group ${problem.groupOf[item]}`;
    seen.add(place);
  }
  const full = held.findIndex((items, bin) => items > capOf(problem, bin));
  if (full >= 0) return `bin ${full} holds ${held[full]} items of at most ${capOf(problem, full)}`;
  const poor = held.findIndex((items) => items < (problem.binItemsMin ?? 0));
  return poor < 0 ? null : `bin ${poor} holds ${held[poor]} items of at least ${problem.binItemsMin}`;
}

/** What is wrong with a problem: bad figures, or that no assignment keeps the limits. */
export function assignmentProblems(problem: AssignmentProblem): Problem[] {
  const problems: Problem[] = [];
  const { loads, bins, binItemsMin = 0, groupOf } = problem;
  for (let item = 0; item < loads.length; item++)
    if (!(loads[item]! >= 0 && loads[item]! < Infinity))
      problems.push({ at: `loads[${item}]`, expected: "a load, at least 0", found: loads[item] });
  if (!(bins >= 1 && Number.isInteger(bins)))
    return [...problems, { at: "bins", expected: "one or more bins", found: bins }];
  let room = 0;
  for (let bin = 0; bin < bins; bin++) {
    const cap = capOf(problem, bin);
    if (!(cap >= 0 && Number.isInteger(cap)))
      problems.push({ at: `binItemsMax[${bin}]`, expected: "a whole number of items, at least 0", found: cap });
    else if (cap < binItemsMin)
      problems.push({ at: `binItemsMax[${bin}]`, expected: `room for binItemsMin ${binItemsMin}`, found: cap });
    if (!(speedOf(problem, bin) > 0 && speedOf(problem, bin) < Infinity))
      problems.push({ at: `binSpeed[${bin}]`, expected: "a speed above 0", found: speedOf(problem, bin) });
    room += cap;
  }
  if (room < loads.length)
    problems.push({ at: "binItemsMax", expected: `room for ${loads.length} items`, found: room });
  if (binItemsMin * bins > loads.length)
    problems.push({
      at: "binItemsMin",
      expected: `at most ${loads.length} items for ${bins} bins`,
      found: binItemsMin,
    });
  if (groupOf !== undefined && binItemsMin > 0)
    problems.push({ at: "binItemsMin", expected: "0 where items have groups", found: binItemsMin });
  if (problems.length === 0 && groupOf !== undefined && assignGroups(problem) === null)
    problems.push({
      at: "groupOf",
      expected: `groups whose items fit ${bins} bins of their limits, one of a group to each`,
      found: largestGroup(groupOf, loads.length),
      hint: "the largest group is shown",
    });
  return problems;
}

/**
 * An assignment that keeps the limits and has no two items of a group in a bin, whatever its loads; null where none has.
 * The group with the most items first, its items to the bins with the most room: this finds one if there is one (the
 * construction of Gale and Ryser, 1957). Bins of equal room go by load.
 */
export function assignGroups(problem: AssignmentProblem): Uint16Array | null {
  const { loads, bins, groupOf } = problem;
  const members = new Map<number, number[]>();
  for (let item = 0; item < loads.length; item++) {
    const group = groupOf?.[item] ?? item;
    members.set(group, [...(members.get(group) ?? []), item]);
  }
  const weight = (items: readonly number[]) => items.reduce((sum, item) => sum + loads[item]!, 0);
  const groups = [...members.values()].sort((a, b) => b.length - a.length || weight(b) - weight(a) || a[0]! - b[0]!);
  const room = Array.from({ length: bins }, (_, bin) => capOf(problem, bin));
  const load = new Float64Array(bins);
  const binOf = new Uint16Array(loads.length);
  const order = Array.from({ length: bins }, (_, bin) => bin);
  for (const items of groups) {
    if (items.length > bins) return null;
    order.sort((a, b) => room[b]! - room[a]! || load[a]! - load[b]! || a - b);
    for (const [at, item] of items.entries()) {
      const bin = order[at]!;
      if (room[bin]! === 0) return null;
      room[bin]! -= 1;
      load[bin]! += loads[item]!;
      binOf[item] = bin;
    }
  }
  return binOf;
}

function largestGroup(groupOf: ArrayLike<number>, items: number): number {
  const sizes = new Map<number, number>();
  for (let item = 0; item < items; item++) sizes.set(groupOf[item]!, (sizes.get(groupOf[item]!) ?? 0) + 1);
  return Math.max(...sizes.values());
}
