import type { LayerCopies } from "./layer-copies.ts";
import type { PlacementInput } from "./placement.ts";
import {
  distanceSum,
  type GoalScale,
  type GoalWeights,
  heldBefore,
  nearestCopy,
  receivedCopies,
} from "./placement-objective.ts";

/** Improvement below which a change is rounding noise. */
const leastImprovement = 1e-12;

/** A change of a layer: a copy leaves a rank (-1: none), one comes to a rank (-1: none), and a partner goes the other way. */
interface Change {
  readonly expert: number;
  readonly from: number;
  readonly to: number;
  /** -1: none. */
  readonly partner: number;
  readonly gain: number;
}

/**
 * Improves the copies of one layer while all other layers stay: of each expert in turn the best exchange, move, further copy or
 * dropped copy is made if the weighted goals of the whole placement become less by it.
 */
export class LayerSearch {
  private readonly copies: LayerCopies;
  private readonly weights: GoalWeights;
  private readonly scale: GoalScale;
  private readonly pairs: Float64Array | null;
  private readonly before: readonly ReadonlySet<number>[] | null;
  /** [experts][ranks] tokens that come from a rank, and cost of those that go on from it. */
  private readonly coming: Float64Array;
  private readonly going: Float64Array;
  /** [experts][ranks] cost of one copy of an expert on a rank: what it costs if it is the only one. */
  private readonly alone: Float64Array;
  private busy: Float64Array = new Float64Array();
  /** The three busiest ranks, the first first: one of them is neither of two. */
  private busiest: readonly number[] = [];
  /** [experts] what {@link distanceTogether} worked out since the copies last changed. */
  private readonly together: (Float64Array | undefined)[];

  constructor(
    input: PlacementInput,
    layers: readonly LayerCopies[],
    layer: number,
    weights: GoalWeights,
    scale: GoalScale,
  ) {
    const { experts, ranks, transitions } = input;
    this.copies = layers[layer]!;
    this.weights = weights;
    this.scale = scale;
    this.together = new Array<undefined>(experts).fill(undefined);
    const size = experts * experts;
    this.pairs =
      weights.spread > 0 && scale.pairs > 0 ? (input.pairs?.subarray(layer * size, (layer + 1) * size) ?? null) : null;
    this.before = weights.migrations > 0 ? heldBefore(input, layer) : null;
    this.coming = new Float64Array(experts * ranks);
    this.going = new Float64Array(experts * ranks);
    this.alone = new Float64Array(experts * ranks);
    if (weights.traffic > 0 && transitions !== undefined && scale.transitions > 0)
      this.countTraffic(transitions, layers, layer, weights.traffic / scale.transitions);
    this.countAlone();
    this.findBusiest();
  }

  /** Takes note of where the copies are now. */
  private findBusiest(): void {
    this.together.fill(undefined);
    this.busy = this.copies.busy();
    this.busiest = [...this.busy.keys()].sort((a, b) => this.busy[b]! - this.busy[a]! || a - b).slice(0, 3);
  }

  /** Tokens from the layer before by rank, and distances to the nearest copies of the next layer. */
  private countTraffic(transitions: Float64Array, layers: readonly LayerCopies[], layer: number, weight: number): void {
    const { experts, ranks } = this.copies;
    const above = layers[layer - 1];
    const below = layers[layer + 1];
    const size = experts * experts;
    if (above !== undefined)
      for (const [rank, held] of above.byRank.entries())
        for (const from of held) {
          const base = (layer - 1) * size + from * experts;
          const part = weight / above.counts[from]!;
          for (let to = 0; to < experts; to++) this.coming[to * ranks + rank]! += transitions[base + to]! * part;
        }
    if (below === undefined) return;
    const nearest = nearestCopy(below, this.scale.distance);
    for (let from = 0; from < experts; from++)
      for (let to = 0; to < experts; to++) {
        const tokens = transitions[layer * size + from * experts + to]! * weight;
        if (tokens === 0) continue;
        for (let rank = 0; rank < ranks; rank++)
          this.going[from * ranks + rank]! += tokens * nearest[to * ranks + rank]!;
      }
  }

  private countAlone(): void {
    const { experts, ranks } = this.copies;
    const { distance } = this.scale;
    for (let expert = 0; expert < experts; expert++)
      for (let rank = 0; rank < ranks; rank++) {
        let cost = this.going[expert * ranks + rank]!;
        for (let there = 0; there < ranks; there++)
          cost += this.coming[expert * ranks + there]! * distance[there * ranks + rank]!;
        this.alone[expert * ranks + rank] = cost;
      }
  }

  /** Cost of the traffic of an expert with copies on these ranks. */
  private trafficOf(expert: number, on: readonly number[]): number {
    const { ranks } = this.copies;
    if (on.length === 1) return this.alone[expert * ranks + on[0]!]!;
    const { distance } = this.scale;
    let cost = 0;
    for (const rank of on) cost += this.going[expert * ranks + rank]! / on.length;
    for (let there = 0; there < ranks; there++) {
      const tokens = this.coming[expert * ranks + there]!;
      if (tokens === 0) continue;
      let nearest = Infinity;
      for (const rank of on) nearest = Math.min(nearest, distance[there * ranks + rank]!);
      cost += tokens * nearest;
    }
    return cost;
  }

  /** The same with one of its copies on another rank. */
  private trafficMoved(expert: number, on: readonly number[], from: number, to: number): number {
    if (on.length === 1) return this.alone[expert * this.copies.ranks + to]!;
    const moved = on.slice();
    moved[moved.indexOf(from)] = to;
    return this.trafficOf(expert, moved);
  }

  /** Part of the weighted goals that the layer's copies decide. */
  cost(): number {
    const { copies, weights, scale } = this;
    let cost = scale.meanBusy === 0 ? 0 : (weights.load * Math.max(...copies.busy())) / scale.meanBusy;
    const ranksOf = this.ranksOfExperts();
    for (let expert = 0; expert < copies.experts; expert++) cost += this.trafficOf(expert, ranksOf[expert]!);
    if (this.pairs !== null)
      cost += (weights.spread / scale.pairs) * distanceSum(this.pairs, 0, copies, nearestCopy(copies, scale.distance));
    cost += (weights.migrations / scale.experts) * receivedCopies(copies, this.before);
    return cost + (weights.further / scale.experts) * copies.counts.reduce((sum, count) => sum + count - 1, 0);
  }

  private ranksOfExperts(): number[][] {
    const out: number[][] = Array.from({ length: this.copies.experts }, () => []);
    for (const [rank, held] of this.copies.byRank.entries()) for (const expert of held) out[expert]!.push(rank);
    return out;
  }

  /** One pass over all experts. Returns how much less the weighted goals are. */
  improve(): number {
    const start = this.cost();
    let now = start;
    for (let expert = 0; expert < this.copies.experts; expert++) {
      const change = this.bestChange(expert);
      if (change === null) continue;
      this.apply(change);
      const after = this.cost();
      // What pairs cost is estimated while changes are compared; only what is less in fact is kept.
      if (after < now - leastImprovement) now = after;
      else this.undo(change);
      this.findBusiest();
    }
    return start - now;
  }

  private bestChange(expert: number): Change | null {
    const { copies, weights, scale } = this;
    const { ranks } = copies;
    const ranksOf = this.ranksOfExperts();
    const mine = ranksOf[expert]!;
    const together = this.distanceTogether(expert);
    const traffic = this.trafficOf(expert, mine);
    let best: Change | null = null;
    const consider = (from: number, to: number, partner: number, gain: number) => {
      if (gain > (best?.gain ?? leastImprovement)) best = { expert, from, to, partner, gain };
    };
    for (const from of new Set(mine)) {
      for (let to = 0; to < ranks; to++) {
        if (to === from || copies.on.rooms[to] === 0 || !copies.mayHold(expert, to)) continue;
        const own =
          traffic -
          this.trafficMoved(expert, mine, from, to) +
          (together[from]! - together[to]!) / mine.length +
          this.migrationGain(expert, from, to);
        const share = copies.share(expert);
        if (copies.hasRoom(to)) consider(from, to, -1, own + this.loadGain(from, to, share));
        for (const partner of copies.byRank[to]!) {
          if (partner === expert || !copies.mayHold(partner, from)) continue;
          const theirs = ranksOf[partner]!;
          const gain =
            own +
            this.trafficOf(partner, theirs) -
            this.trafficMoved(partner, theirs, to, from) +
            this.migrationGain(partner, to, from) +
            this.loadGain(from, to, share - copies.share(partner)) +
            this.pairGain(expert, partner, from, to, theirs.length);
          consider(from, to, partner, gain);
        }
      }
      if (weights.further > 0 && mine.length > 1) {
        const left = mine.slice();
        left.splice(left.indexOf(from), 1);
        const gain = traffic - this.trafficOf(expert, left) + weights.further / scale.experts;
        consider(from, -1, -1, gain + this.countGain(expert, mine, left));
      }
    }
    for (let to = 0; to < ranks; to++) {
      if (!copies.fits(expert, to)) continue;
      const more = [...mine, to];
      const gain = traffic - this.trafficOf(expert, more) - weights.further / scale.experts;
      consider(-1, to, -1, gain + this.migrationGain(expert, -1, to) + this.countGain(expert, mine, more));
    }
    return best;
  }

  /** [ranks] weighted distance of the experts that are chosen with one, were it on each rank. */
  private distanceTogether(expert: number): Float64Array {
    const { copies, pairs, scale, weights } = this;
    const { ranks, experts } = copies;
    const known = this.together[expert];
    if (known !== undefined) return known;
    const out = new Float64Array(ranks);
    this.together[expert] = out;
    if (pairs === null) return out;
    // Each pair stands in the matrix twice.
    const weight = (2 * weights.spread) / scale.pairs;
    for (const [there, held] of copies.byRank.entries())
      for (const other of held) {
        const tokens = (pairs[expert * experts + other]! * weight) / copies.counts[other]!;
        if (tokens > 0)
          for (let rank = 0; rank < ranks; rank++) out[rank]! += tokens * scale.distance[rank * ranks + there]!;
      }
    return out;
  }

  /** What the partner of an exchange gains in distance to the experts that are chosen with it. */
  private pairGain(expert: number, partner: number, from: number, to: number, copiesOfPartner: number): number {
    const { pairs, scale, weights, copies } = this;
    if (pairs === null) return 0;
    const together = this.distanceTogether(partner);
    const both = (2 * weights.spread * pairs[expert * copies.experts + partner]!) / scale.pairs;
    return (together[to]! - together[from]!) / copiesOfPartner - 2 * both * scale.distance[from * copies.ranks + to]!;
  }

  /** Gain in load where so much goes from one rank to another. */
  private loadGain(from: number, to: number, moved: number): number {
    const { busy, weights, scale, copies } = this;
    if (weights.load === 0 || scale.meanBusy === 0) return 0;
    let others = 0;
    for (const rank of this.busiest)
      if (rank !== from && rank !== to) {
        others = busy[rank]!;
        break;
      }
    const { speeds } = copies.on;
    const was = Math.max(others, busy[from]!, busy[to]!);
    const is = Math.max(others, busy[from]! - moved / speeds[from]!, busy[to]! + moved / speeds[to]!);
    return (weights.load * (was - is)) / scale.meanBusy;
  }

  /** Gain in load where an expert has other copies than before. */
  private countGain(expert: number, was: readonly number[], is: readonly number[]): number {
    const { busy, weights, scale, copies } = this;
    if (weights.load === 0 || scale.meanBusy === 0) return 0;
    const after = busy.slice();
    const load = copies.loads[expert]!;
    for (const rank of was) after[rank]! -= load / was.length / copies.on.speeds[rank]!;
    for (const rank of is) after[rank]! += load / is.length / copies.on.speeds[rank]!;
    return (weights.load * (Math.max(...busy) - Math.max(...after))) / scale.meanBusy;
  }

  private migrationGain(expert: number, from: number, to: number): number {
    const { before, weights, scale, copies } = this;
    if (before === null) return 0;
    const leaves = from >= 0 && !before[from]!.has(expert) ? 1 : 0;
    const comes = to >= 0 && !before[to]!.has(expert) && !copies.holds(to, expert) ? 1 : 0;
    return (weights.migrations * (leaves - comes)) / scale.experts;
  }

  private apply({ expert, from, to, partner }: Change): void {
    if (partner >= 0) this.copies.swap(expert, from, partner, to);
    else {
      if (from >= 0) this.copies.remove(expert, from);
      if (to >= 0) this.copies.add(expert, to);
    }
  }

  private undo({ expert, from, to, partner }: Change): void {
    if (partner >= 0) this.copies.swap(expert, to, partner, from);
    else {
      if (to >= 0) this.copies.remove(expert, to);
      if (from >= 0) this.copies.add(expert, from);
    }
  }
}
