import { noExpert, type Placement } from "../../policy/placement/placement.ts";
import { ranksOf } from "../../policy/placement/placement-measures.ts";
import { idsPerLayer, noExpertId, type RoutingTable } from "../../trace/routing-table.ts";

/** Work of the routed experts in one step: pairs computed and experts touched, per (MoE layer, expert rank). */
export interface ExpertWork {
  readonly layers: number;
  readonly ranks: number;
  /** [layers][ranks] (token, expert) pairs. */
  readonly pairs: Float64Array;
  /** [layers][ranks] experts (or copies of experts) with at least one token. */
  readonly distinct: Float64Array;
  /** [layers] choices without an expert. */
  readonly none: Float64Array;
}

/**
 * Turns tokens per (layer, expert) into work per expert rank under a placement. The copies of an expert share its
 * tokens evenly. The remainder goes to the first copies after a rotation by the expert id.
 */
export class ExpertRanks {
  readonly layers: number;
  readonly ranks: number;
  private readonly layerMap: readonly number[];
  readonly experts: number;
  /** [layers * experts + 1] first copy of each expert in `copyRank`. */
  private readonly copyStart: Uint32Array;
  private readonly copyRank: Uint16Array;
  /** [layers * experts] index of each expert's counter, by (layer, rank); for experts with one copy. */
  private readonly countIndex: Uint32Array;
  /** [layers * ranks + 1] */
  private readonly rankStart: Uint32Array;
  private readonly hasCopies: boolean;

  constructor(placement: Placement, layerMap: readonly number[]) {
    const { layers, experts, ranks, physicalExpertsPerRank, logicalExperts } = placement;
    this.layerMap = layerMap;
    this.experts = experts;
    this.layers = layers;
    this.ranks = ranks;
    const copies = ranksOf(placement);
    this.copyStart = copies.starts;
    this.copyRank = copies.ranks;
    this.hasCopies = copies.starts.some((start, at) => at > 0 && start - copies.starts[at - 1]! > 1);
    this.countIndex = new Uint32Array(this.copyRank.length);
    this.rankStart = new Uint32Array(layers * ranks + 1);
    let at = 0;
    for (let rank = 0; rank < layers * ranks; rank++) {
      const first = layerMap[Math.floor(rank / ranks)]! * idsPerLayer(placement);
      for (let p = rank * physicalExpertsPerRank; p < (rank + 1) * physicalExpertsPerRank; p++)
        if (logicalExperts[p] !== noExpert) this.countIndex[at++] = first + logicalExperts[p]!;
      this.rankStart[rank + 1] = at;
    }
  }

  /** Room for the work of a step. */
  newWork(): ExpertWork {
    const { layers, ranks } = this;
    return {
      layers,
      ranks,
      pairs: new Float64Array(layers * ranks),
      distinct: new Float64Array(layers * ranks),
      none: new Float64Array(layers),
    };
  }

  /** Rank of an expert's first copy. */
  rankOf(layer: number, expert: number): number {
    return this.copyRank[this.copyStart[layer * this.experts + expert]!]!;
  }

  /** Copies of an expert. */
  copies(layer: number, expert: number): number {
    const at = layer * this.experts + expert;
    return this.copyStart[at + 1]! - this.copyStart[at]!;
  }

  /** Rank of the copy that takes the `turn`-th share of an expert's tokens. */
  sharingRank(layer: number, expert: number, turn: number): number {
    const copies = this.copies(layer, expert);
    return this.copyRank[this.copyStart[layer * this.experts + expert]! + ((turn + expert) % copies)]!;
  }

  /** Whether a rank holds a copy of an expert. */
  holds(layer: number, expert: number, rank: number): boolean {
    for (let turn = 0; turn < this.copies(layer, expert); turn++)
      if (this.sharingRank(layer, expert, turn) === rank) return true;
    return false;
  }

  /** Fills `work` from the counts of a step, [trace layers][experts + 1]. */
  split(counts: Uint32Array, work: ExpertWork): void {
    const { layers, ranks, pairs, distinct, none } = work;
    const perLayer = idsPerLayer(this);
    for (let layer = 0; layer < layers; layer++)
      none[layer] = counts[this.layerMap[layer]! * perLayer + noExpertId(this)]!;
    if (this.hasCopies) {
      this.splitCopies(counts, work);
      return;
    }
    // Whole-number sums in registers, over counters in precomputed order, without a branch on the (unpredictable) empty
    // ones. Three times as fast as walking layers, ranks and physical experts.
    const { countIndex, rankStart } = this;
    let i = 0;
    for (let r = 0; r < layers * ranks; r++) {
      const end = rankStart[r + 1]!;
      let sum = 0;
      let touched = 0;
      for (; i < end; i++) {
        const tokens = counts[countIndex[i]!]! | 0;
        sum = (sum + tokens) | 0;
        touched = (touched + (-tokens >>> 31)) | 0;
      }
      pairs[r] = sum;
      distinct[r] = touched;
    }
  }

  private splitCopies(counts: Uint32Array, { layers, ranks, pairs, distinct }: ExpertWork): void {
    pairs.fill(0);
    distinct.fill(0);
    const { experts } = this;
    for (let layer = 0; layer < layers; layer++) {
      const from = this.layerMap[layer]! * idsPerLayer(this);
      for (let e = 0; e < experts; e++) {
        const tokens = counts[from + e]!;
        if (tokens === 0) continue;
        const copies = this.copies(layer, e);
        for (let turn = 0; turn < copies; turn++) {
          const share = shareOf(tokens, copies, turn);
          if (share === 0) break;
          const at = layer * ranks + this.sharingRank(layer, e, turn);
          pairs[at]! += share;
          distinct[at]!++;
        }
      }
    }
  }

  /**
   * [layers] distinct ranks of a token's experts, 0 for a token without any: mean over at most 8,192 evenly spaced
   * recorded rows.
   */
  meanSpread(table: RoutingTable): Float64Array {
    const { layers, ranks } = this;
    const stride = Math.ceil(table.rows / 8192);
    const sampled = Math.ceil(table.rows / stride);
    const spread = new Float64Array(layers);
    const stamp = new Int32Array(ranks).fill(-1);
    const none = noExpertId(table);
    let mark = 0;
    for (let layer = 0; layer < layers; layer++) {
      let sum = 0;
      for (let row = 0; row < table.rows; row += stride) {
        const from = (row * table.layers + this.layerMap[layer]!) * table.topK;
        for (let i = from; i < from + table.topK; i++) {
          const expert = table.ids[i]!;
          if (expert === none) continue;
          const rank = this.rankOf(layer, expert);
          if (stamp[rank] !== mark) {
            stamp[rank] = mark;
            sum++;
          }
        }
        mark++;
      }
      spread[layer] = sum / sampled;
    }
    return spread;
  }
}

/** Share of an expert's tokens for one copy. Shares are even; the first ones take the remainder. */
export function shareOf(tokens: number, copies: number, turn: number): number {
  const each = Math.floor(tokens / copies);
  return each + (turn < tokens - each * copies ? 1 : 0);
}
