import {
  type AssignmentProblem,
  assignmentObjective,
  binLoads,
  binShares,
  capOf,
  speedOf,
} from "./assignment-problem.ts";

/** Relative improvement below which a swap is rounding noise. */
const leastImprovement = 1e-12;

/**
 * Improves an assignment in place by swaps and moves, until none helps; returns its objective. For the heaviest bin: swaps an item
 * of it with one of another bin, or moves it to a bin with room, such that the heavier of the two becomes as light as
 * possible. For deviations: the best swap or move between a bin above its share and one below.
 */
export function improveBySwaps(problem: AssignmentProblem, binOf: Uint16Array): number {
  const search = new SwapSearch(problem, binOf);
  if (problem.minimise === "deviations") while (search.relieveDeviations());
  else while (search.relieveHeaviest());
  return assignmentObjective(problem, binOf);
}

class SwapSearch {
  readonly #problem: AssignmentProblem;
  readonly #binOf: Uint16Array;
  readonly #loads: Float64Array;
  readonly #speed: Float64Array;
  readonly #share: Float64Array;
  readonly #binLoad: Float64Array;
  readonly #binItems: Uint32Array;
  /** [groups][bins] whether the bin holds an item of the group; null without groups. */
  readonly #holds: Uint8Array | null;

  constructor(problem: AssignmentProblem, binOf: Uint16Array) {
    const { bins, groupOf } = problem;
    this.#problem = problem;
    this.#binOf = binOf;
    this.#loads = Float64Array.from(problem.loads);
    this.#speed = Float64Array.from({ length: bins }, (_, bin) => speedOf(problem, bin));
    this.#share = binShares(problem);
    this.#binLoad = binLoads(problem, binOf);
    this.#binItems = new Uint32Array(bins);
    for (const bin of binOf) this.#binItems[bin]! += 1;
    this.#holds = null;
    if (groupOf === undefined) return;
    let groups = 0;
    for (let item = 0; item < binOf.length; item++) groups = Math.max(groups, groupOf[item]! + 1);
    this.#holds = new Uint8Array(groups * bins);
    for (const [item, bin] of binOf.entries()) this.#holds[groupOf[item]! * bins + bin] = 1;
  }

  /** Whether a swap or move made the heaviest bin lighter. */
  relieveHeaviest(): boolean {
    const { bins } = this.#problem;
    const [loads, speed, binLoad, binOf] = [this.#loads, this.#speed, this.#binLoad, this.#binOf];
    let heaviest = 0;
    for (let bin = 1; bin < bins; bin++)
      if (binLoad[bin]! / speed[bin]! > binLoad[heaviest]! / speed[heaviest]!) heaviest = bin;
    const current = binLoad[heaviest]!;
    const ownSpeed = speed[heaviest]!;
    let best = (current / ownSpeed) * (1 - leastImprovement);
    let bestItem = -1;
    let bestPartner = -1;
    let bestBin = -1;
    for (let item = 0; item < binOf.length; item++) {
      if (binOf[item] !== heaviest) continue;
      const load = loads[item]!;
      for (let partner = 0; partner < binOf.length; partner++) {
        const moved = load - loads[partner]!;
        const own = (current - moved) / ownSpeed;
        if (own >= best) continue;
        const bin = binOf[partner]!;
        const other = (binLoad[bin]! + moved) / speed[bin]!;
        const after = Math.max(own, other);
        if (after >= best || bin === heaviest || !this.#mayTrade(item, partner, bin)) continue;
        best = after;
        bestItem = item;
        bestPartner = partner;
        bestBin = bin;
      }
      for (let bin = 0; bin < bins; bin++) {
        const after = Math.max((current - load) / ownSpeed, (binLoad[bin]! + load) / speed[bin]!);
        if (after >= best || bin === heaviest || !this.#mayTrade(item, -1, bin)) continue;
        best = after;
        bestItem = item;
        bestPartner = -1;
        bestBin = bin;
      }
    }
    if (bestItem < 0) return false;
    this.#trade(bestItem, bestPartner, bestBin);
    return true;
  }

  /** Whether a swap or move brought two bins nearer to their shares: of the bin that is most above its share, if one helps. */
  relieveDeviations(): boolean {
    const excess = (bin: number) => this.#binLoad[bin]! - this.#share[bin]!;
    const above = Array.from(this.#binLoad.keys()).filter((bin) => excess(bin) > 0);
    above.sort((a, b) => excess(b) - excess(a) || a - b);
    return above.some((bin) => this.#relieveDeviation(bin));
  }

  #relieveDeviation(from: number): boolean {
    const { bins } = this.#problem;
    const [loads, binLoad, share, binOf] = [this.#loads, this.#binLoad, this.#share, this.#binOf];
    const above = binLoad[from]! - share[from]!;
    let best = -leastImprovement * (above + share[from]!);
    let bestItem = -1;
    let bestPartner = -1;
    let bestBin = -1;
    for (let item = 0; item < binOf.length; item++) {
      if (binOf[item] !== from) continue;
      // Partners are the items, then an empty place of every bin.
      for (let partner = 0; partner < binOf.length + bins; partner++) {
        const moves = partner >= binOf.length;
        const bin = moves ? partner - binOf.length : binOf[partner]!;
        const moved = moves ? loads[item]! : loads[item]! - loads[partner]!;
        const below = binLoad[bin]! - share[bin]!;
        if (below >= 0 || moved <= 0) continue;
        const change = Math.abs(above - moved) + Math.abs(below + moved) - above + below;
        if (change >= best || !this.#mayTrade(item, moves ? -1 : partner, bin)) continue;
        best = change;
        bestItem = item;
        bestPartner = moves ? -1 : partner;
        bestBin = bin;
      }
    }
    if (bestItem < 0) return false;
    this.#trade(bestItem, bestPartner, bestBin);
    return true;
  }

  /** Whether the limits allow an item to go to a bin, in exchange for one of its items (-1: for none). */
  #mayTrade(item: number, partner: number, bin: number): boolean {
    const { bins, binItemsMin = 0, groupOf } = this.#problem;
    const from = this.#binOf[item]!;
    if (partner < 0 && (this.#binItems[bin]! >= capOf(this.#problem, bin) || this.#binItems[from]! <= binItemsMin))
      return false;
    if (this.#holds === null || groupOf === undefined) return true;
    const group = groupOf[item]!;
    const other = partner < 0 ? -1 : groupOf[partner]!;
    if (group === other) return true;
    return this.#holds[group * bins + bin] === 0 && (other < 0 || this.#holds[other * bins + from] === 0);
  }

  #trade(item: number, partner: number, bin: number): void {
    const { bins, groupOf } = this.#problem;
    const from = this.#binOf[item]!;
    this.#binOf[item] = bin;
    if (partner >= 0) this.#binOf[partner] = from;
    else {
      this.#binItems[from]! -= 1;
      this.#binItems[bin]! += 1;
    }
    if (this.#holds !== null && groupOf !== undefined) {
      this.#holds[groupOf[item]! * bins + from] = 0;
      if (partner >= 0) this.#holds[groupOf[partner]! * bins + bin] = 0;
      this.#holds[groupOf[item]! * bins + bin] = 1;
      if (partner >= 0) this.#holds[groupOf[partner]! * bins + from] = 1;
    }
    // Summed anew, in the order of the items, so that rounding does not depend on the way here.
    let [left, gained] = [0, 0];
    for (let other = 0; other < this.#binOf.length; other++) {
      if (this.#binOf[other] === from) left += this.#loads[other]!;
      else if (this.#binOf[other] === bin) gained += this.#loads[other]!;
    }
    this.#binLoad[from] = left;
    this.#binLoad[bin] = gained;
  }
}
