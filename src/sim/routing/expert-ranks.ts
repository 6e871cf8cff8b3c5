import type { DispatchChoice, Dispatcher, DispatchTopology, LayerTokens } from "../../policy/dispatch/dispatch.ts";
import { roundRobinDispatch } from "../../policy/dispatch/round-robin.ts";
import { noExpert, type Placement } from "../../policy/placement/placement.ts";
import { type ExpertCopies, ranksOf } from "../../policy/placement/placement-measures.ts";
import { idsPerLayer, noExpertId, type RoutingTable } from "../../trace/routing-table.ts";
import type { CopyChooser } from "./exchange-counts.ts";

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
  /** [copies] tokens of each copy of an expert, indexed as `ExpertRanks.copies`; empty where each expert has one. */
  shares: Float64Array;
}

/** How tokens are dispatched among copies, and between which devices. */
export interface DispatchSetting {
  readonly choice: DispatchChoice;
  readonly topology: DispatchTopology;
  readonly seed: number;
}

/** Copies share evenly. */
export const roundRobin: DispatchChoice = { policy: roundRobinDispatch, values: {}, loads: null };

/** The same on one device. */
const evenly: DispatchSetting = {
  choice: roundRobin,
  topology: { sources: 1, devicesPerSource: 1, devicesPerRank: 1, devicesPerNode: 1 },
  seed: 0,
};

/**
 * Turns tokens per (layer, expert) into work per expert rank under a placement. A dispatch rule divides the tokens of an expert
 * among its copies. The placement may change between steps.
 */
export class ExpertRanks {
  readonly layers: number;
  readonly ranks: number;
  readonly experts: number;
  private readonly layerMap: readonly number[];
  private readonly setting: DispatchSetting;
  /** Where the copies of each expert are, under the placement in use. */
  private map!: ExpertCopies;
  /** Null: pairs are spread evenly over ranks. */
  private dispatcher!: Dispatcher | null;
  /** [layers * experts] index of each expert's counter, by (layer, rank); for experts with one copy. */
  private countIndex!: Uint32Array;
  /** [layers * ranks + 1] */
  private rankStart!: Uint32Array;
  private hasCopies!: boolean;
  private readonly tokens: { counts: Uint32Array; from: number; bySource: readonly Uint32Array[] };

  constructor(placement: Placement, layerMap: readonly number[], setting: DispatchSetting = evenly) {
    this.layerMap = layerMap;
    this.experts = placement.experts;
    this.layers = placement.layers;
    this.ranks = placement.ranks;
    this.setting = setting;
    this.tokens = { counts: new Uint32Array(0), from: 0, bySource: [] } satisfies LayerTokens;
    this.place(placement);
  }

  /**
   * Puts another placement of the same layers, experts and ranks in use. Steps that are split from then on follow it; behind expert
   * caches none may be in flight, because a call looks its copies up when it is served.
   */
  place(placement: Placement): void {
    const { layers, ranks, layerMap, experts } = this;
    const { physicalExpertsPerRank, logicalExperts } = placement;
    const { choice, topology, seed } = this.setting;
    const copies = ranksOf(placement);
    this.map = copies;
    // Experts that a model has lost have no copy, so that their number tells nothing.
    this.hasCopies = copies.starts.some((start, at) => at > 0 && start - copies.starts[at - 1]! > 1);
    const site = { layers, experts, ranks, copies, topology, loads: choice.loads, seed };
    this.dispatcher = choice.policy.create(site, choice.values);
    this.countIndex = new Uint32Array(copies.ranks.length);
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
      shares: new Float64Array(0),
    };
  }

  /** Rank of an expert's first copy. */
  rankOf(layer: number, expert: number): number {
    return this.map.ranks[this.map.starts[layer * this.experts + expert]!]!;
  }

  /** Copies of an expert. */
  copies(layer: number, expert: number): number {
    const at = layer * this.experts + expert;
    return this.map.starts[at + 1]! - this.map.starts[at]!;
  }

  /** First copy of an expert; its others follow. */
  firstCopy(layer: number, expert: number): number {
    return this.map.starts[layer * this.experts + expert]!;
  }

  /** Rank that holds a copy. */
  rankOfCopy(copy: number): number {
    return this.map.ranks[copy]!;
  }

  /** Which copies tokens take, one by one. */
  chooser(): CopyChooser {
    const choose = this.hasCopies ? this.dispatcher?.copyOf : undefined;
    return {
      bySource: choose !== undefined,
      rankFor: (layer, expert, device, turn) => {
        const { starts, ranks } = this.map;
        const entry = layer * this.experts + expert;
        const first = starts[entry]!;
        const count = starts[entry + 1]! - first;
        if (count === 1) return ranks[first]!;
        return ranks[first + (choose === undefined ? (turn + expert) % count : choose(layer, expert, device, turn))]!;
      },
    };
  }

  /** Whether a rank holds a copy of an expert. */
  holds(layer: number, expert: number, rank: number): boolean {
    const first = this.firstCopy(layer, expert);
    return this.map.ranks.subarray(first, first + this.copies(layer, expert)).includes(rank);
  }

  /**
   * Fills `work` from the counts of a step, [trace layers][experts + 1]. `bySource` holds them by data-parallel rank, where the
   * dispatch rule needs them so.
   */
  split(counts: Uint32Array, work: ExpertWork, bySource: readonly Uint32Array[] = []): void {
    const { layers, ranks, pairs, distinct, none } = work;
    const perLayer = idsPerLayer(this);
    for (let layer = 0; layer < layers; layer++)
      none[layer] = counts[this.layerMap[layer]! * perLayer + noExpertId(this)]!;
    if (this.dispatcher === null) {
      this.spreadEvenly(counts, work);
      return;
    }
    if (this.hasCopies) {
      this.splitCopies(this.dispatcher, counts, work, bySource);
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

  private splitCopies(
    dispatcher: Dispatcher,
    counts: Uint32Array,
    work: ExpertWork,
    bySource: readonly Uint32Array[],
  ): void {
    const { layers, ranks, pairs, distinct } = work;
    const { experts, tokens } = this;
    const { starts, ranks: rankOfCopy } = this.map;
    if (work.shares.length !== rankOfCopy.length) work.shares = new Float64Array(rankOfCopy.length);
    const { shares } = work;
    pairs.fill(0);
    distinct.fill(0);
    tokens.counts = counts;
    tokens.bySource = bySource;
    let copy = 0;
    for (let layer = 0; layer < layers; layer++) {
      tokens.from = this.layerMap[layer]! * idsPerLayer(this);
      dispatcher.share(layer, tokens, shares);
      const end = starts[(layer + 1) * experts]!;
      for (; copy < end; copy++) {
        const share = shares[copy]!;
        if (share === 0) continue;
        const at = layer * ranks + rankOfCopy[copy]!;
        pairs[at]! += share;
        distinct[at]!++;
      }
    }
  }

  /**
   * Pairs, and the experts that are touched at all, spread evenly over ranks. No rule gives its busiest rank fewer: the ranks with
   * a pair more come first, those with an expert more come last where that leaves none with an expert more than pairs.
   */
  private spreadEvenly(counts: Uint32Array, { layers, ranks, pairs, distinct }: ExpertWork): void {
    for (let layer = 0; layer < layers; layer++) {
      const from = this.layerMap[layer]! * idsPerLayer(this);
      let routed = 0;
      let touched = 0;
      for (let expert = 0; expert < this.experts; expert++) {
        routed += counts[from + expert]!;
        if (counts[from + expert]! > 0) touched++;
      }
      const eachPairs = Math.floor(routed / ranks);
      const eachExperts = Math.floor(touched / ranks);
      const morePairs = routed - eachPairs * ranks;
      const moreExperts = touched - eachExperts * ranks;
      const apart = eachExperts > 0 && eachExperts < eachPairs;
      for (let rank = 0; rank < ranks; rank++) {
        pairs[layer * ranks + rank] = eachPairs + (rank < morePairs ? 1 : 0);
        const place = apart ? ranks - 1 - rank : rank;
        // Whoever computes a pair reads an expert, also where there are fewer experts than ranks.
        const read = eachExperts + (place < moreExperts ? 1 : 0);
        distinct[layer * ranks + rank] = pairs[layer * ranks + rank] === 0 ? 0 : Math.max(1, read);
      }
    }
  }

  /**
   * [layers] distinct ranks of a token's experts, 0 for a token without any: mean over at most 8,192 evenly spaced
   * recorded rows. With `changed`, those layers of `spread` are counted anew.
   */
  meanSpread(table: RoutingTable, spread = new Float64Array(this.layers), changed?: readonly number[]): Float64Array {
    const { ranks } = this;
    const stride = Math.ceil(table.rows / 8192);
    const sampled = Math.ceil(table.rows / stride);
    const stamp = new Int32Array(ranks).fill(-1);
    const none = noExpertId(table);
    let mark = 0;
    for (const layer of changed ?? spread.keys()) {
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
