import type { CostModel } from "../hardware/cost.ts";
import type { GroupedGemmOp } from "../hardware/op.ts";
import { expectedBusiestRank, expectedDistinct } from "../models/expected-experts.ts";
import { expectedRanksPerToken } from "../models/ranks-per-token.ts";
import type { MoeFeedForward } from "../models/spec.ts";
import type { ExpertGroups } from "./expert-groups.ts";
import type { OffloadState } from "./offload-state.ts";
import type { RoutingReplay } from "./routing-replay.ts";

/** Routed work of the step being timed, per MoE layer and expert group. */
export interface ExpertSource {
  /** Whether all MoE layers of one shape have the same work, so that one of them stands for all. */
  readonly layersAlike: boolean;
  pairs(layer: number, group: number): number;
  distinct(layer: number, group: number): number;
  /** Mean distinct groups per token at a layer. */
  spread(layer: number): number;
  offload(layer: number, group: number): OffloadState | null;
  /** Runs a layer call with an expert cache at absolute time `atNs`; returns its duration. */
  serve(layer: number, group: number, atNs: number, op: GroupedGemmOp, cost: CostModel): number;
}

/** Work counted from replayed routing. `offloads` holds the caches of [replicas][pipeline stages][expert groups]. */
export class ReplayedExperts implements ExpertSource {
  readonly layersAlike = false;
  private readonly groups: ExpertGroups;
  private readonly replay: RoutingReplay;
  private readonly spreads: Float64Array;
  private readonly offloads: readonly OffloadState[];
  private readonly layerMap: readonly number[];
  /** [MoE layers] pipeline stage that runs the layer. */
  private readonly stageOf: readonly number[];
  private readonly stages: number;
  private replica = 0;
  private readonly order: Uint32Array;
  private readonly keys: Uint32Array;
  private readonly keyNs: Float64Array;

  constructor(
    groups: ExpertGroups,
    replay: RoutingReplay,
    layerMap: readonly number[],
    offloads: readonly OffloadState[],
    stageOf: readonly number[],
    stages: number,
  ) {
    this.groups = groups;
    this.stageOf = stageOf;
    this.stages = stages;
    this.replay = replay;
    this.layerMap = layerMap;
    this.offloads = offloads;
    this.spreads = groups.meanSpread(replay.table);
    this.order = new Uint32Array(replay.table.experts);
    this.keys = new Uint32Array(replay.table.experts);
    this.keyNs = new Float64Array(replay.table.experts);
  }

  /** Selects the replica whose caches serve the coming step. */
  setReplica(replica: number): void {
    this.replica = replica;
  }

  pairs(layer: number, group: number): number {
    return this.groups.work.pairs[layer * this.groups.work.groups + group]!;
  }
  distinct(layer: number, group: number): number {
    return this.groups.work.distinct[layer * this.groups.work.groups + group]!;
  }
  spread(layer: number): number {
    return this.spreads[layer]!;
  }
  offload(layer: number, group: number): OffloadState | null {
    const stage = this.replica * this.stages + this.stageOf[layer]!;
    return this.offloads[stage * this.groups.work.groups + group] ?? null;
  }

  serve(layer: number, group: number, atNs: number, op: GroupedGemmOp, cost: CostModel): number {
    const offload = this.offload(layer, group)!;
    const { experts } = this.replay.table;
    const traceLayer = this.layerMap[layer]!;
    const met = this.replay.distinctInOrder(traceLayer, this.order);
    const single = this.groups.work.groups === 1;
    let count = 0;
    for (let i = 0; i < met; i++) {
      const expert = this.order[i]!;
      if (single || this.groups.groupOf(layer, expert) === group) this.keys[count++] = layer * experts + expert;
    }
    if (count === 0) return 0;
    offload.residency(count, this.keys);
    let hitPairs = 0;
    let hits = 0;
    for (let i = 0; i < count; i++) {
      const tokens = this.replay.counts[traceLayer * experts + (this.keys[i]! - layer * experts)]!;
      if (offload.wasHit(i)) {
        hitPairs += tokens;
        hits++;
        continue;
      }
      op.pairs = tokens;
      op.distinctExperts = 1;
      this.keyNs[i] = cost.opNs(op);
    }
    op.pairs = hitPairs;
    op.distinctExperts = hits;
    const hitNs = hits === 0 ? 0 : cost.opNs(op);
    return offload.serve(atNs, count, this.keys, hitNs, this.keyNs) - atNs;
  }
}

/** Expected work of one layer call: of the most loaded group, and of each of the others. */
interface ExpectedWork {
  readonly busiest: { readonly pairs: number; readonly distinct: number };
  readonly others: { readonly pairs: number; readonly distinct: number };
}

/**
 * Work expected of independently routed tokens over experts of unequal popularity (coefficient of variation
 * `popularityCv`; 0 is uniform). The first group stands for the most loaded one; the others share the rest.
 */
export class UniformExperts implements ExpertSource {
  readonly layersAlike = true;
  private readonly shapes: readonly MoeFeedForward[];
  private readonly groupCount: number;
  private tokens = 0;
  /** By token count, filled on first use; all MoE layers of a model have one shape. */
  private readonly memo = new Map<number, ExpectedWork>();
  private work: ExpectedWork = { busiest: { pairs: 0, distinct: 0 }, others: { pairs: 0, distinct: 0 } };

  private readonly popularityCv: number;
  private readonly meanSpread: number;

  constructor(shapes: readonly MoeFeedForward[], groups: number, popularityCv: number) {
    this.shapes = shapes;
    this.groupCount = groups;
    this.popularityCv = popularityCv;
    const [moe] = shapes;
    this.meanSpread =
      moe === undefined
        ? 0
        : expectedRanksPerToken({ experts: moe.experts, topK: moe.topK, ranks: groups, groups: moe.router.groups });
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
    const ranks = this.groupCount;
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

  pairs(_layer: number, group: number): number {
    return group === 0 ? this.work.busiest.pairs : this.work.others.pairs;
  }
  distinct(_layer: number, group: number): number {
    return group === 0 ? this.work.busiest.distinct : this.work.others.distinct;
  }
  spread(): number {
    return this.meanSpread;
  }
  offload(): null {
    return null;
  }
  serve(): never {
    throw new Error("uniform routing has no expert cache");
  }
}
