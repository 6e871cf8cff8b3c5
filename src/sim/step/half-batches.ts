import type { EngineProfile } from "../../engine/engine-profile.ts";
import type { MoeFeedForward } from "../../models/spec.ts";
import type { LayerCall } from "../routing/layer-call.ts";
import type { RankBatch } from "./batch.ts";
import type { ExpertExchange } from "./expert-exchange.ts";
import { type HalfBatchWork, halfBatchOrders, type ShownExchange } from "./half-batch-orders.ts";
import type { MixingTime } from "./mixing-time.ts";
import type { ServedKernels } from "./served-kernels.ts";

/** Steps whose layers with experts run as two half batches: one computes while the other exchanges. */
export class HalfBatches {
  /** Whether the step being timed does. */
  active = false;
  /** What the exchanges of the latest layer add to its computing. */
  readonly shown: ShownExchange = { dispatchNs: 0, combineNs: 0, endsNs: 0 };
  private readonly engine: EngineProfile;
  private readonly mixing: MixingTime;
  private readonly exchange: ExpertExchange;
  private readonly served: ServedKernels;
  private readonly work: HalfBatchWork = {
    prepareNs: 0,
    coreNs: 0,
    sharedNs: 0,
    expertsNs: 0,
    dispatchNs: 0,
    combineNs: 0,
    attentionLoss: 0,
  };
  /** Attention of the layer that no product is, of the slowest rank. */
  private scoresNs = 0;
  /** Share of the multiprocessors that exchanges of the step take. */
  private takenShare = 0;

  constructor(engine: EngineProfile, mixing: MixingTime, exchange: ExpertExchange, served: ServedKernels) {
    this.engine = engine;
    this.mixing = mixing;
    this.exchange = exchange;
    this.served = served;
  }

  /** Begins a step whose token mixing is timed as a whole. */
  begin(batches: readonly RankBatch[]): void {
    this.active = this.divides(batches);
    this.shown.endsNs = 0;
    if (!this.active) return;
    this.takenShare = this.exchange.takenShare(this.mixing.prompts);
    this.served.productShare = 1 - this.takenShare;
    this.mixing.prepareHalves(batches);
    this.served.productShare = 1;
  }

  /** Whether every rank with tokens has enough to divide. */
  private divides(batches: readonly RankBatch[]): boolean {
    const { overlapsBatches, halvedAbove } = this.engine;
    if (!overlapsBatches || batches.length === 1) return false;
    const above = (this.mixing.prompts ? halvedAbove?.prompts : halvedAbove?.decodes) ?? 1;
    let busy = false;
    for (const { tokens } of batches) {
      if (tokens > 0 && tokens <= above) return false;
      busy ||= tokens > 0;
    }
    return busy;
  }

  /**
   * Begins a layer of a class of token mixing: the attention of one half batch is that of the slowest rank. Launches
   * count beside their kernels, the all-reduce of both halves beside the scores. Products run on the multiprocessors
   * that exchanges leave.
   */
  beginLayer(mixing: number, mixingLaunchNs: number, feedForwardLaunchNs: number, reduceNs: number): void {
    const { work } = this;
    const prepareNs = this.mixing.slowestPrepareNs[mixing]!;
    work.prepareNs = prepareNs + mixingLaunchNs / 2;
    work.coreNs = this.mixing.slowestHalfNs[mixing]! - prepareNs + (mixingLaunchNs + reduceNs) / 2;
    work.expertsNs = feedForwardLaunchNs;
    this.scoresNs = this.mixing.slowestScoresNs[mixing]!;
    this.served.productShare = 1 - this.takenShare;
  }

  /** Ends the layer. `gateNs`, `sharedNs`, `expertsNs` are computing of both halves, exchanges are of one. */
  endLayer(
    moe: MoeFeedForward,
    call: LayerCall,
    batches: readonly RankBatch[],
    gateNs: number,
    sharedNs: number,
    expertsNs: number,
    dispatchNs: number,
    combineNs: number,
  ): void {
    const { work, shown } = this;
    const dispatchEndsNs = this.exchange.endsNs(moe, call, batches, "dispatch", dispatchNs);
    const combineEndsNs = this.exchange.endsNs(moe, call, batches, "combine", combineNs);
    work.coreNs += gateNs / 2;
    work.sharedNs = sharedNs / 2;
    work.expertsNs += expertsNs / 2;
    work.dispatchNs = dispatchNs - dispatchEndsNs;
    work.combineNs = combineNs - combineEndsNs;
    work.attentionLoss = this.scoresNs > 0 ? (this.takenShare * this.scoresNs) / (work.prepareNs + work.coreNs) : 0;
    const order = this.engine.halfBatchOrder;
    halfBatchOrders[(this.mixing.prompts ? order?.prompts : order?.decodes) ?? "dualBatch"](work, shown);
    shown.dispatchNs += 2 * dispatchEndsNs;
    shown.combineNs += 2 * combineEndsNs;
  }
}
