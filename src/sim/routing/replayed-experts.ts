import type { ExpertTime } from "../step/expert-time.ts";
import { type ExchangeScales, plainScales } from "./exchange-scales.ts";
import type { ExpertWork } from "./expert-ranks.ts";
import { type ExpertSource, type LayerCall, serveResident } from "./layer-call.ts";

/** Work counted from replayed routing, on experts that lie on a replica's devices. */
export class ReplayedExperts implements ExpertSource {
  readonly layersAlike = false;
  /** Of the replica's step being timed. */
  private readonly work: ExpertWork;
  /** [MoE layers] distinct ranks per token. */
  private readonly spreads: Float64Array;
  private readonly topK: number;
  private readonly scales: ExchangeScales;

  constructor(work: ExpertWork, spreads: Float64Array, topK: number, scales = plainScales(spreads.length)) {
    this.work = work;
    this.spreads = spreads;
    this.topK = topK;
    this.scales = scales;
  }

  route(call: LayerCall): void {
    const { ranks, pairs, distinct, none } = this.work;
    const from = call.layer * ranks;
    for (let rank = 0; rank < ranks; rank++) {
      call.pairs[rank] = pairs[from + rank]!;
      call.distinct[rank] = distinct[from + rank]!;
    }
    call.expertsPerToken = this.topK - none[call.layer]! / Math.max(1, call.tokens);
    call.spread = this.spreads[call.layer]!;
    call.nearScale = this.scales.near[call.layer]!;
    call.farScale = this.scales.far[call.layer]!;
  }

  /** Tokens of a copy of an expert that has several. */
  shareOf(copy: number): number {
    return this.work.shares[copy]!;
  }

  serve(call: LayerCall, time: ExpertTime): null {
    return serveResident(call, time);
  }
}
