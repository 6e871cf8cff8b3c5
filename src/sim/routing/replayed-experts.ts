import type { ExpertTime } from "../step/expert-time.ts";
import type { ExpertRanks } from "./expert-ranks.ts";
import { type ExpertSource, type LayerCall, serveResident } from "./layer-call.ts";

/** Work counted from replayed routing, on experts that lie on the devices. */
export class ReplayedExperts implements ExpertSource {
  readonly layersAlike = false;
  private readonly expertRanks: ExpertRanks;
  /** [MoE layers] distinct ranks per token. */
  private readonly spreads: Float64Array;

  constructor(expertRanks: ExpertRanks, spreads: Float64Array) {
    this.expertRanks = expertRanks;
    this.spreads = spreads;
  }

  route(call: LayerCall): void {
    const { ranks, pairs, distinct } = this.expertRanks.work;
    const from = call.layer * ranks;
    for (let rank = 0; rank < ranks; rank++) {
      call.pairs[rank] = pairs[from + rank]!;
      call.distinct[rank] = distinct[from + rank]!;
    }
    call.spread = this.spreads[call.layer]!;
  }

  serve(call: LayerCall, time: ExpertTime): void {
    serveResident(call, time);
  }
}
