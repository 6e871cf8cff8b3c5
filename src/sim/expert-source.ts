import { pow } from "../core/pow.ts";
import type { CostModel } from "../hardware/cost.ts";
import type { GroupedGemmOp } from "../hardware/op.ts";
import type { MoeFeedForward } from "../models/spec.ts";
import type { ExpertGroups } from "./expert-groups.ts";
import type { OffloadState } from "./offload-state.ts";
import type { RoutingReplay } from "./routing-replay.ts";

/** Routed work of the step being timed, per MoE layer and expert group. */
export interface ExpertSource {
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

/**
 * Work expected under independent uniform top-k: experts/groups x (1 - (1 - k/E)^tokens) distinct experts a group and an
 * even share of the pairs. Imbalance is not modelled here; the ledger says so.
 */
export class UniformExperts implements ExpertSource {
  private readonly shapes: readonly MoeFeedForward[];
  private readonly groupCount: number;
  private tokens = 0;
  /** Distinct experts per layer by token count, filled on first use; all MoE layers of one shape share a row. */
  private readonly memo = new Map<number, number>();

  constructor(shapes: readonly MoeFeedForward[], groups: number) {
    this.shapes = shapes;
    this.groupCount = groups;
  }

  setTokens(tokens: number): void {
    this.tokens = tokens;
  }
  pairs(layer: number): number {
    return (this.tokens * this.shapes[layer]!.topK) / this.groupCount;
  }
  distinct(layer: number): number {
    const known = this.memo.get(this.tokens);
    if (known !== undefined) return known;
    const moe = this.shapes[layer]!;
    const touched = moe.experts * (1 - pow(1 - moe.topK / moe.experts, this.tokens));
    const distinct = touched / this.groupCount;
    this.memo.set(this.tokens, distinct);
    return distinct;
  }
  spread(layer: number): number {
    const { experts, topK } = this.shapes[layer]!;
    return this.groupCount * (1 - pow(1 - 1 / this.groupCount, Math.min(topK, experts)));
  }
  offload(): null {
    return null;
  }
  serve(): never {
    throw new Error("uniform routing has no expert cache");
  }
}
