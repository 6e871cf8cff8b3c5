import type { RandomStream } from "../../core/random.ts";

/** Weights (not logs) of one layer in one domain; see RoutingStatistics. All are positive. */
export interface LayerWeights {
  readonly base: Float64Array;
  /** By depth in the LRU stack; the last one is for experts not used in this sequence. */
  readonly recency: Float64Array;
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

/**
 * Draws the experts of one layer, token after token, without replacement. Weights lie by expert and are summed by blocks
 * of experts, so that a draw reads the block sums and one block; with grouped top-k the blocks are the groups.
 */
export class LayerSampler {
  readonly #topK: number;
  readonly #groups: number;
  readonly #blockSize: number;
  readonly #blockSums: Float64Array;
  /** By expert; 0 once drawn. */
  readonly #weights: Float64Array;
  /** Experts from the most recent to the least, those not used in this sequence last, and its inverse. */
  readonly #order: Uint16Array;
  readonly #depthOf: Uint16Array;
  /** Recency weight by depth, with the weight of unused experts where they lie. */
  readonly #atDepth: Float64Array;

  constructor(experts: number, topK: number, groups: number) {
    this.#topK = topK;
    this.#groups = groups;
    this.#blockSize = groups > 1 ? experts / groups : 16;
    this.#blockSums = new Float64Array(Math.ceil(experts / this.#blockSize));
    this.#weights = new Float64Array(experts);
    this.#order = Uint16Array.from({ length: experts }, (_, expert) => expert);
    this.#depthOf = Uint16Array.from(this.#order);
    this.#atDepth = new Float64Array(experts);
  }

  /** Fills rows `from` .. `to` - 1 with one sequence; the hottest loop of synthesis (bench/lru-curve.ts). */
  sequence(model: LayerWeights, layer: LayerIds, from: number, to: number, random: RandomStream): void {
    const { ids, stride, offset } = layer;
    const topK = this.#topK;
    const weights = this.#weights;
    const depthOf = this.#depthOf;
    const atDepth = this.#atDepth.fill(model.recency[weights.length]!);
    let used = 0;
    let leader = -1;
    for (let row = from; row < to; row++) {
      const at = row * stride + offset;
      weigh(weights, model, atDepth, depthOf, ids, at - topK, topK);
      for (let block = 0; block < this.#blockSums.length; block++) this.#sumBlock(block);
      let deepest = 0;
      let fresh = 0;
      for (let draw = 0; draw < topK; draw++) {
        const expert = this.#pick(draw, random.uint32() * perUint32);
        ids[at + draw] = expert;
        if (depthOf[expert]! > deepest) deepest = depthOf[expert]!;
        if (depthOf[expert]! >= used) fresh += 1;
        if (model.pair !== null && draw + 1 < topK) this.#applyPairs(model.pair, expert * weights.length);
      }
      for (; fresh > 0; fresh--, used++) atDepth[used] = model.recency[used]!;
      if (this.#groups > 1) shuffle(ids, at, topK, random);
      leader = leadBy(model, ids, at, topK, leader, random.uint32() * perUint32);
      this.#touch(ids, at, deepest);
    }
  }

  #sumBlock(block: number): void {
    const end = Math.min(this.#weights.length, (block + 1) * this.#blockSize);
    let sum = 0;
    for (let expert = block * this.#blockSize; expert < end; expert++) sum += this.#weights[expert]!;
    this.#blockSums[block] = sum;
  }

  /** Draws one expert by weight from all blocks, or from the group whose turn it is, and takes its weight away. */
  #pick(draw: number, uniform: number): number {
    const sums = this.#blockSums;
    let block = 0;
    let point: number;
    if (this.#groups > 1) {
      block = draw % this.#groups;
      point = uniform * sums[block]!;
    } else {
      let total = 0;
      for (let at = 0; at < sums.length; at++) total += sums[at]!;
      point = uniform * total;
      // Rounding may leave the point beyond the last block; it then falls into the last one that has weight.
      let last = 0;
      for (; block < sums.length; block++) {
        if (point < sums[block]!) break;
        if (sums[block]! > 0) last = block;
        point -= sums[block]!;
      }
      if (block === sums.length) block = last;
    }
    const weights = this.#weights;
    const end = Math.min(weights.length, (block + 1) * this.#blockSize);
    let expert = block * this.#blockSize;
    let chosen = expert;
    for (; expert < end; expert++) {
      const weight = weights[expert]!;
      if (weight === 0) continue;
      chosen = expert;
      if (point < weight) break;
      point -= weight;
    }
    weights[chosen] = 0;
    this.#sumBlock(block);
    return chosen;
  }

  /** Multiplies the weights by the row of `pair` that starts at `row`. */
  #applyPairs(pair: Float32Array, row: number): void {
    const weights = this.#weights;
    const sums = this.#blockSums;
    const blockSize = this.#blockSize;
    let expert = 0;
    for (let block = 0; block < sums.length; block++) {
      const end = Math.min(weights.length, expert + blockSize);
      let sum = 0;
      for (; expert < end; expert++) {
        const weight = weights[expert]! * pair[row + expert]!;
        weights[expert] = weight;
        sum += weight;
      }
      sums[block] = sum;
    }
  }

  /** Moves the token's experts to the front of the LRU order, the last stored one first; `deepest` is their depth. */
  #touch(ids: Uint8Array | Uint16Array, at: number, deepest: number): void {
    const order = this.#order;
    const depthOf = this.#depthOf;
    const weights = this.#weights;
    let write = deepest;
    for (let depth = deepest; depth >= 0; depth--) {
      const expert = order[depth]!;
      if (weights[expert]! === 0) continue;
      order[write] = expert;
      depthOf[expert] = write;
      write -= 1;
    }
    for (let draw = 0; draw < this.#topK; draw++) {
      const expert = ids[at + this.#topK - 1 - draw]!;
      order[draw] = expert;
      depthOf[expert] = draw;
    }
  }
}

/** weights[e] = base x recency x product over the experts chosen one layer up of lift[chosen][e], four rows at a time. */
function weigh(
  weights: Float64Array,
  model: LayerWeights,
  atDepth: Float64Array,
  depthOf: Uint16Array,
  ids: Uint8Array | Uint16Array,
  above: number,
  topK: number,
): void {
  const { base, lift } = model;
  const experts = weights.length;
  for (let e = 0; e < experts; e++) weights[e] = base[e]! * atDepth[depthOf[e]!]!;
  if (lift === null) return;
  let draw = 0;
  for (; draw + 4 <= topK; draw += 4) {
    const a = ids[above + draw]! * experts;
    const b = ids[above + draw + 1]! * experts;
    const c = ids[above + draw + 2]! * experts;
    const d = ids[above + draw + 3]! * experts;
    for (let e = 0; e < experts; e++)
      weights[e] = weights[e]! * (lift[a + e]! * lift[b + e]!) * (lift[c + e]! * lift[d + e]!);
  }
  for (; draw < topK; draw++) {
    const a = ids[above + draw]! * experts;
    for (let e = 0; e < experts; e++) weights[e] = weights[e]! * lift[a + e]!;
  }
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

/** Groups are drawn in turn; their order must not show in the stored order. */
function shuffle(ids: Uint8Array | Uint16Array, at: number, topK: number, random: RandomStream): void {
  for (let left = topK - 1; left > 0; left--) {
    const other = at + random.below(left + 1);
    const expert = ids[at + left]!;
    ids[at + left] = ids[other]!;
    ids[other] = expert;
  }
}
