import { InvariantError } from "../../core/errors.ts";
import { expectedBusiestRank, expectedDistinct } from "../../models/expected-experts.ts";
import { expectedRanksPerToken } from "../../models/ranks-per-token.ts";
import type { MoeFeedForward } from "../../models/spec.ts";
import type { OffloadState } from "../offload/offload-state.ts";
import type { ExpertTime } from "../step/expert-time.ts";
import { type ExpertRanks, shareOf } from "./expert-ranks.ts";
import type { RoutingReplay } from "./routing-replay.ts";

/** Routed work of the step being timed, per MoE layer and expert rank. */
export interface ExpertSource {
  /** Whether all MoE layers of one shape have the same work: one of them then stands for all. */
  readonly layersAlike: boolean;
  pairs(layer: number, rank: number): number;
  distinct(layer: number, rank: number): number;
  /** Mean distinct ranks per token at a layer. */
  spread(layer: number): number;
  /**
   * Serves one layer call of all ranks from absolute time `atNs`. Each rank's cache decides hits and misses, missing
   * experts are fetched, and `time` gives what computing takes; {@link offload} then holds the time of the call.
   * Returns false, doing nothing, where there are no caches: all experts lie on the devices.
   */
  serve(layer: number, atNs: number, time: ExpertTime): boolean;
  /** The cache of a rank at a layer, with the time of its last call. */
  offload(layer: number, rank: number): OffloadState;
}

/** Work counted from replayed routing. `offloads` holds the caches, [replicas][pipeline stages][expert ranks]. */
export class ReplayedExperts implements ExpertSource {
  readonly layersAlike = false;
  private readonly expertRanks: ExpertRanks;
  private readonly replay: RoutingReplay;
  private readonly spreads: Float64Array;
  private readonly offloads: readonly OffloadState[];
  private readonly layerMap: readonly number[];
  /** [MoE layers] pipeline stage that runs the layer. */
  private readonly stageOf: readonly number[];
  private readonly stages: number;
  private replica = 0;
  private readonly order: Uint32Array;

  constructor(
    expertRanks: ExpertRanks,
    replay: RoutingReplay,
    layerMap: readonly number[],
    offloads: readonly OffloadState[],
    stageOf: readonly number[],
    stages: number,
  ) {
    this.expertRanks = expertRanks;
    this.stageOf = stageOf;
    this.stages = stages;
    this.replay = replay;
    this.layerMap = layerMap;
    this.offloads = offloads;
    this.spreads = expertRanks.meanSpread(replay.table);
    this.order = new Uint32Array(replay.table.experts);
  }

  /** Selects the replica whose caches serve the coming step. */
  setReplica(replica: number): void {
    this.replica = replica;
  }

  pairs(layer: number, rank: number): number {
    return this.expertRanks.work.pairs[layer * this.expertRanks.work.ranks + rank]!;
  }
  distinct(layer: number, rank: number): number {
    return this.expertRanks.work.distinct[layer * this.expertRanks.work.ranks + rank]!;
  }
  spread(layer: number): number {
    return this.spreads[layer]!;
  }
  offload(layer: number, rank: number): OffloadState {
    const stage = this.replica * this.stages + this.stageOf[layer]!;
    return this.offloads[stage * this.expertRanks.work.ranks + rank]!;
  }

  serve(layer: number, atNs: number, time: ExpertTime): boolean {
    if (this.offloads.length === 0) return false;
    const { ranks } = this.expertRanks.work;
    this.gather(layer, ranks);
    for (let rank = 0; rank < ranks; rank++) {
      const offload = this.offload(layer, rank);
      const hits = offload.judge();
      for (let i = 0; i < offload.count; i++)
        if (!offload.wasHit(i)) offload.keyNs[i] = time.aloneNs(offload.tokens[i]!);
      offload.start(atNs, hits === 0 ? 0 : time.togetherNs(offload.hitTokens, hits));
    }
    // The ranks of a node take turns at its memory and disks: transfers are booked in the order in which they begin.
    for (;;) {
      let first = this.offload(layer, 0);
      for (let rank = 1; rank < ranks; rank++) {
        const offload = this.offload(layer, rank);
        if (offload.nextNs < first.nextNs) first = offload;
      }
      if (first.nextNs === Number.POSITIVE_INFINITY) return true;
      first.fetchNext();
    }
  }

  /** Hands the experts of a layer call to the ranks that compute them, in the order in which they are met. */
  private gather(layer: number, ranks: number): void {
    const { experts } = this.replay.table;
    const traceLayer = this.layerMap[layer]!;
    for (let rank = 0; rank < ranks; rank++) this.offload(layer, rank).clear();
    const met = this.replay.distinctInOrder(traceLayer, this.order);
    for (let i = 0; i < met; i++) {
      const expert = this.order[i]!;
      const tokens = this.replay.counts[traceLayer * experts + expert]!;
      const copies = this.expertRanks.copies(layer, expert);
      for (let turn = 0; turn < copies; turn++) {
        const share = shareOf(tokens, copies, turn);
        if (share === 0) break;
        this.offload(layer, this.expertRanks.sharingRank(layer, expert, turn)).add(layer * experts + expert, share);
      }
    }
  }
}

/** Expected work of one layer call, for the most loaded rank and for each other rank. */
interface ExpectedWork {
  readonly busiest: { readonly pairs: number; readonly distinct: number };
  readonly others: { readonly pairs: number; readonly distinct: number };
}

/**
 * Expected work of independently routed tokens. `popularityCv` is the coefficient of variation of the experts'
 * popularity; 0 is uniform. The first rank stands for the most loaded one; the others share the rest.
 */
export class UniformExperts implements ExpertSource {
  readonly layersAlike = true;
  private readonly shapes: readonly MoeFeedForward[];
  private readonly ranks: number;
  private tokens = 0;
  /** Work by token count, filled on first use. All MoE layers of a model have one shape. */
  private readonly memo = new Map<number, ExpectedWork>();
  private work: ExpectedWork = { busiest: { pairs: 0, distinct: 0 }, others: { pairs: 0, distinct: 0 } };

  private readonly popularityCv: number;
  private readonly meanSpread: number;

  constructor(shapes: readonly MoeFeedForward[], ranks: number, popularityCv: number) {
    this.shapes = shapes;
    this.ranks = ranks;
    this.popularityCv = popularityCv;
    const [moe] = shapes;
    this.meanSpread =
      moe === undefined
        ? 0
        : expectedRanksPerToken({ experts: moe.experts, topK: moe.topK, ranks, groups: moe.router.groups });
  }

  setTokens(tokens: number): void {
    if (tokens === this.tokens || this.shapes.length === 0) return;
    this.tokens = tokens;
    let work = this.memo.get(tokens);
    if (work === undefined) {
      work = this.expected(tokens);
      this.memo.set(tokens, work);
    }
    this.work = work;
  }

  private expected(tokens: number): ExpectedWork {
    const { experts, topK, router } = this.shapes[0]!;
    const ranks = this.ranks;
    const { popularityCv } = this;
    const busiest = expectedBusiestRank({ experts, topK, tokens, ranks, groups: router.groups, popularityCv });
    const share = (whole: number, most: number) => (ranks === 1 ? most : Math.max(0, whole - most) / (ranks - 1));
    return {
      busiest,
      others: {
        pairs: share(tokens * topK, busiest.pairs),
        distinct: share(expectedDistinct(experts, topK, tokens, popularityCv), busiest.distinct),
      },
    };
  }

  pairs(_layer: number, rank: number): number {
    return rank === 0 ? this.work.busiest.pairs : this.work.others.pairs;
  }
  distinct(_layer: number, rank: number): number {
    return rank === 0 ? this.work.busiest.distinct : this.work.others.distinct;
  }
  spread(): number {
    return this.meanSpread;
  }
  serve(): false {
    return false;
  }
  offload(): never {
    throw new InvariantError("offload-needs-replay", "uniform routing has no expert cache");
  }
}
