import type { RandomStream } from "../../core/random.ts";
import { type ChoiceGroups, givesEqually, limitsGroups } from "./choice-groups.ts";

/** Weights (not logs) of one layer in one domain; see RoutingStatistics. All are positive, and so are their products. */
export interface LayerWeights {
  readonly base: Float64Array;
  /** By depth in the LRU stack; the last one is for experts not used in this sequence. */
  readonly recency: Float64Array;
  /** Standard deviation, over experts, of the log weights that a sequence adds to `base`: what its topic favours. */
  readonly topic: number;
  /** [experts][experts] from the layer above, or null. */
  readonly lift: Float32Array | null;
  /** [experts][experts] between experts of one token, or null. */
  readonly pair: Float32Array | null;
  readonly lead: Float64Array;
  readonly leadRepeat: number;
}

/** Where a layer lies in the ids of a table: `stride` ids per row; the layer above lies `topK` before `offset`. */
export interface LayerIds {
  readonly ids: Uint8Array | Uint16Array;
  readonly stride: number;
  readonly offset: number;
}

const perUint32 = 1 / 4294967296;
/** Below this share of the total, what subtraction left of it is rounding error and is summed afresh. */
const smallestShare = 1e-6;

/**
 * Draws the experts of one layer, token after token, without replacement. Experts are kept in LRU order, so that the
 * scan of a draw meets the likely ones first and reordering stops at the deepest expert chosen.
 */
export class LayerSampler {
  readonly #topK: number;
  readonly #groups: number;
  readonly #groupSize: number;
  /** Groups that give a token experts; all: no limit. */
  readonly #groupsKept: number;
  readonly #equally: boolean;
  readonly #limited: boolean;
  /** Experts from the most recent to the least; those not used in this sequence come last. */
  readonly #order: Uint16Array;
  /** By depth in `#order`; 0 once drawn. */
  readonly #weights: Float64Array;
  readonly #product: Float64Array;
  readonly #topical: Float64Array;
  readonly #groupTotals: Float64Array;
  /** [groups] whether a group has given the token at hand an expert. */
  readonly #gave: Uint8Array;

  constructor(experts: number, topK: number, grouping: ChoiceGroups) {
    const { groups, groupsKept = groups } = grouping;
    this.#topK = topK;
    this.#groups = groups;
    this.#groupSize = experts / groups;
    this.#groupsKept = groupsKept;
    this.#equally = givesEqually(grouping);
    this.#limited = limitsGroups(grouping);
    this.#gave = new Uint8Array(groups);
    this.#order = Uint16Array.from({ length: experts }, (_, expert) => expert);
    this.#weights = new Float64Array(experts);
    this.#product = new Float64Array(experts);
    this.#topical = new Float64Array(experts);
    this.#groupTotals = new Float64Array(groups);
  }

  /** Fills rows `from` .. `to` - 1 with one sequence. The hottest loop of synthesis (bench/lru-curve.ts). */
  sequence(model: LayerWeights, layer: LayerIds, from: number, to: number, random: RandomStream): void {
    const { ids, stride, offset } = layer;
    const topK = this.#topK;
    const order = this.#order;
    const weights = this.#weights;
    const experts = order.length;
    const limited = this.#limited;
    const base = model.topic === 0 ? model.base : this.#topical;
    if (model.topic !== 0)
      for (let e = 0; e < experts; e++) base[e] = model.base[e]! * Math.exp(model.topic * random.normal());
    let used = 0;
    let leader = -1;
    for (let row = from; row < to; row++) {
      const at = row * stride + offset;
      let byExpert = base;
      if (model.lift !== null) {
        byExpert = this.#product;
        liftWeights(byExpert, base, model.lift, ids, at - topK, topK);
      }
      const total = weigh(weights, order, byExpert, model.recency, used);
      let fresh = 0;
      let deepest = 0;
      if (this.#equally) {
        deepest = experts - 1;
        fresh = this.#drawFromGroups(ids, at, used, random);
      } else {
        let left = total;
        let open = this.#groupsKept;
        for (let draw = 0; draw < topK; draw++) {
          if (left < total * smallestShare) left = sumOf(weights);
          const depth = pick(weights, random.uint32() * perUint32 * left);
          left -= weights[depth]!;
          weights[depth] = 0;
          ids[at + draw] = order[depth]!;
          if (depth >= used) fresh += 1;
          if (depth > deepest) deepest = depth;
          if (limited && open > 0 && this.#opensGroup(order[depth]!) && --open === 0) left = this.#closeOthers();
          if (model.pair !== null && draw + 1 < topK)
            left = pairWeights(weights, order, model.pair, order[depth]! * experts);
        }
        if (limited) this.#reopen(deepest);
      }
      used += fresh;
      leader = leadBy(model, ids, at, topK, leader, random.uint32() * perUint32);
      let write = deepest;
      for (let depth = deepest; depth >= 0; depth--) {
        if (weights[depth]! === 0) continue;
        order[write] = order[depth]!;
        write -= 1;
      }
      for (let draw = 0; draw < topK; draw++) order[topK - 1 - draw] = ids[at + draw]!;
    }
  }

  /** Whether an expert is the token's first of its group. */
  #opensGroup(expert: number): boolean {
    const group = Math.floor(expert / this.#groupSize);
    if (this.#gave[group] === 1) return false;
    this.#gave[group] = 1;
    return true;
  }

  /** Leaves the token the groups that gave it an expert. Returns the sum of the weights there. */
  #closeOthers(): number {
    const weights = this.#weights;
    let sum = 0;
    for (let depth = 0; depth < weights.length; depth++) {
      if (this.#gave[Math.floor(this.#order[depth]! / this.#groupSize)] === 0) weights[depth] = 0;
      sum += weights[depth]!;
    }
    return sum;
  }

  /** Ends the limit of a token: up to a depth, only drawn experts have a weight of 0 again. */
  #reopen(deepest: number): void {
    for (let depth = 0; depth <= deepest; depth++)
      if (this.#gave[Math.floor(this.#order[depth]! / this.#groupSize)] === 0) this.#weights[depth] = 1;
    this.#gave.fill(0);
  }

  /** Grouped top-k: the same number from each group, stored in random order. Returns the experts not used before. */
  #drawFromGroups(ids: Uint8Array | Uint16Array, at: number, used: number, random: RandomStream): number {
    const order = this.#order;
    const weights = this.#weights;
    const totals = this.#groupTotals;
    const groupSize = this.#groupSize;
    totals.fill(0);
    for (let depth = 0; depth < order.length; depth++)
      totals[Math.floor(order[depth]! / groupSize)]! += weights[depth]!;
    let fresh = 0;
    for (let draw = 0; draw < this.#topK; draw++) {
      const group = draw % this.#groups;
      const depth = pickInGroup(
        weights,
        order,
        group * groupSize,
        groupSize,
        random.uint32() * perUint32 * Math.max(0, totals[group]!),
      );
      totals[group]! -= weights[depth]!;
      weights[depth] = 0;
      if (depth >= used) fresh += 1;
      const place = random.below(draw + 1);
      ids[at + draw] = ids[at + place]!;
      ids[at + place] = order[depth]!;
    }
    return fresh;
  }
}

/** out[e] = base[e] x product over the experts chosen one layer up of lift[chosen][e], four rows of lift at a time. */
function liftWeights(
  out: Float64Array,
  base: Float64Array,
  lift: Float32Array,
  ids: Uint8Array | Uint16Array,
  above: number,
  topK: number,
): void {
  const experts = base.length;
  let source = base;
  let draw = 0;
  for (; draw + 4 <= topK; draw += 4) {
    const a = ids[above + draw]! * experts;
    const b = ids[above + draw + 1]! * experts;
    const c = ids[above + draw + 2]! * experts;
    const d = ids[above + draw + 3]! * experts;
    for (let e = 0; e < experts; e++) out[e] = source[e]! * lift[a + e]! * lift[b + e]! * lift[c + e]! * lift[d + e]!;
    source = out;
  }
  for (; draw < topK; draw++) {
    const a = ids[above + draw]! * experts;
    for (let e = 0; e < experts; e++) out[e] = source[e]! * lift[a + e]!;
    source = out;
  }
}

/** Fills the weights by depth and returns their sum. */
function weigh(
  weights: Float64Array,
  order: Uint16Array,
  byExpert: Float64Array,
  recency: Float64Array,
  used: number,
): number {
  const cold = recency[order.length]!;
  let total = 0;
  for (let depth = 0; depth < used; depth++) {
    const weight = byExpert[order[depth]!]! * recency[depth]!;
    weights[depth] = weight;
    total += weight;
  }
  for (let depth = used; depth < order.length; depth++) {
    const weight = byExpert[order[depth]!]! * cold;
    weights[depth] = weight;
    total += weight;
  }
  return total;
}

/** Multiplies the weights by the row of `pair` that starts at `row`, and returns their sum. */
function pairWeights(weights: Float64Array, order: Uint16Array, pair: Float32Array, row: number): number {
  let sum = 0;
  for (let depth = 0; depth < weights.length; depth++) {
    const weight = weights[depth]! * pair[row + order[depth]!]!;
    weights[depth] = weight;
    sum += weight;
  }
  return sum;
}

function sumOf(weights: Float64Array): number {
  let sum = 0;
  for (let depth = 0; depth < weights.length; depth++) sum += weights[depth]!;
  return sum;
}

/** First depth at which the running sum of weights passes `point`; rounding at the end falls back to the last left. */
function pick(weights: Float64Array, point: number): number {
  let sum = 0;
  for (let depth = 0; depth < weights.length; depth++) {
    sum += weights[depth]!;
    if (sum > point) return depth;
  }
  let depth = weights.length - 1;
  while (weights[depth]! === 0) depth -= 1;
  return depth;
}

/** The same among the experts firstExpert .. firstExpert + size - 1. */
function pickInGroup(
  weights: Float64Array,
  order: Uint16Array,
  firstExpert: number,
  size: number,
  point: number,
): number {
  let sum = 0;
  let last = -1;
  for (let depth = 0; depth < weights.length; depth++) {
    const inside = order[depth]! - firstExpert;
    if (inside < 0 || inside >= size || weights[depth]! === 0) continue;
    last = depth;
    sum += weights[depth]!;
    if (sum > point) return depth;
  }
  return last;
}

/** Moves one of the chosen experts to the front, with probability by lead weight, and returns it. */
function leadBy(
  model: LayerWeights,
  ids: Uint8Array | Uint16Array,
  at: number,
  topK: number,
  leader: number,
  uniform: number,
): number {
  const { lead, leadRepeat } = model;
  let total = 0;
  for (let draw = at; draw < at + topK; draw++) total += lead[ids[draw]!]! * (ids[draw] === leader ? leadRepeat : 1);
  let left = uniform * total;
  let place = at;
  for (; place < at + topK - 1; place++) {
    left -= lead[ids[place]!]! * (ids[place] === leader ? leadRepeat : 1);
    if (left < 0) break;
  }
  const first = ids[place]!;
  for (; place > at; place--) ids[place] = ids[place - 1]!;
  ids[at] = first;
  return first;
}
