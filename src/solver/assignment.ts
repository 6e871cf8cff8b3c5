/**
 * Assigning items with loads to bins so that the heaviest bin is as light as possible, at most `binItemsMax` items to
 * a bin: parallel machine scheduling with a cardinality limit.
 */
export interface AssignmentProblem {
  readonly loads: ArrayLike<number>;
  readonly bins: number;
  /** Items a bin may hold; bins x binItemsMax must be at least the number of items. */
  readonly binItemsMax: number;
}

/** Longest processing time first: items by descending load (ties by index), each to the lightest bin with room. */
export function assignLongestFirst(problem: AssignmentProblem): Uint16Array {
  const { loads, bins, binItemsMax } = problem;
  const order = Uint32Array.from({ length: loads.length }, (_, item) => item);
  order.sort((a, b) => loads[b]! - loads[a]! || a - b);
  const binOf = new Uint16Array(loads.length);
  const binLoad = new Float64Array(bins);
  const binItems = new Uint32Array(bins);
  for (const item of order) {
    let lightest = -1;
    for (let bin = 0; bin < bins; bin++) {
      if (binItems[bin]! >= binItemsMax) continue;
      if (lightest < 0 || binLoad[bin]! < binLoad[lightest]!) lightest = bin;
    }
    binOf[item] = lightest;
    binLoad[lightest]! += loads[item]!;
    binItems[lightest]! += 1;
  }
  return binOf;
}

/** Relative improvement below which a swap is rounding noise. */
const leastImprovement = 1e-12;

/**
 * Improves an assignment in place: as long as it helps, swaps an item of the heaviest bin with an item of another bin,
 * or moves it to a bin with room, such that the heavier of the two bins becomes as light as possible. Returns the load
 * of the heaviest bin.
 */
export function improveBySwaps(problem: AssignmentProblem, binOf: Uint16Array): number {
  const { loads, bins, binItemsMax } = problem;
  const items = loads.length;
  const binLoad = binLoads(problem, binOf);
  const binItems = new Uint32Array(bins);
  for (const bin of binOf) binItems[bin]! += 1;
  for (;;) {
    const heaviest = indexOfMax(binLoad);
    const current = binLoad[heaviest]!;
    let best = current * (1 - leastImprovement);
    let bestItem = -1;
    let bestPartner = -1;
    let bestBin = -1;
    const consider = (item: number, partner: number, bin: number, moved: number) => {
      const after = Math.max(current - moved, binLoad[bin]! + moved);
      if (after >= best) return;
      best = after;
      bestItem = item;
      bestPartner = partner;
      bestBin = bin;
    };
    for (let item = 0; item < items; item++) {
      if (binOf[item] !== heaviest) continue;
      for (let partner = 0; partner < items; partner++) {
        const bin = binOf[partner]!;
        if (bin !== heaviest) consider(item, partner, bin, loads[item]! - loads[partner]!);
      }
      for (let bin = 0; bin < bins; bin++)
        if (bin !== heaviest && binItems[bin]! < binItemsMax) consider(item, -1, bin, loads[item]!);
    }
    if (bestItem < 0) return current;
    binOf[bestItem] = bestBin;
    if (bestPartner >= 0) binOf[bestPartner] = heaviest;
    else {
      binItems[heaviest]! -= 1;
      binItems[bestBin]! += 1;
    }
    binLoad.set(binLoads(problem, binOf));
  }
}

/** Sum of loads in each bin. */
export function binLoads(problem: AssignmentProblem, binOf: Uint16Array): Float64Array {
  const sums = new Float64Array(problem.bins);
  for (let item = 0; item < binOf.length; item++) sums[binOf[item]!]! += problem.loads[item]!;
  return sums;
}

/** No assignment is lighter than the mean bin or the heaviest item. */
export function simpleLowerBound(problem: AssignmentProblem): number {
  let sum = 0;
  let heaviest = 0;
  for (let item = 0; item < problem.loads.length; item++) {
    sum += problem.loads[item]!;
    heaviest = Math.max(heaviest, problem.loads[item]!);
  }
  return Math.max(sum / problem.bins, heaviest);
}

/**
 * Sharper where the cardinality limit forces it: the other bins hold at most (bins - 1) x binItemsMax items, so the bin
 * of the heaviest item holds at least the rest of them, at best the lightest. Whole loads round the mean up.
 */
export function lowerBound(problem: AssignmentProblem): number {
  const sorted = Float64Array.from(problem.loads).sort();
  const company = sorted.length - (problem.bins - 1) * problem.binItemsMax - 1;
  let forced = sorted.at(-1) ?? 0;
  for (let item = 0; item < company; item++) forced += sorted[item]!;
  const simple = simpleLowerBound(problem);
  const whole = sorted.every(Number.isInteger);
  return Math.max(whole ? Math.ceil(simple) : simple, forced);
}

function indexOfMax(values: Float64Array): number {
  let at = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[at]!) at = i;
  return at;
}
