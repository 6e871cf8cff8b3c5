import { idsPerLayer } from "../../trace/routing-table.ts";
import { AskedExperts } from "../offload/asked-experts.ts";
import type { OffloadState } from "../offload/offload-state.ts";
import type { ExpertTime } from "../step/expert-time.ts";
import { type ExpertRanks, shareOf } from "./expert-ranks.ts";
import type { ExpertSource, LayerCall } from "./layer-call.ts";
import type { ReplayedExperts } from "./replayed-experts.ts";
import type { RoutingReplay } from "./routing-replay.ts";
import type { StepRows } from "./step-rows.ts";

/** Replayed work on experts behind the caches of one replica. Misses are fetched. */
export class CachedExperts implements ExpertSource {
  readonly layersAlike = false;
  private readonly work: ReplayedExperts;
  private readonly expertRanks: ExpertRanks;
  private readonly replay: RoutingReplay;
  /** Of the replica's step being timed. */
  private readonly rows: StepRows;
  private readonly layerMap: readonly number[];
  /** [MoE layers][expert ranks] the cache of the rank in the stage that runs the layer. */
  private readonly caches: readonly (readonly OffloadState[])[];
  /** Experts of a layer in the order in which they are met, and what they ask of each rank. */
  private readonly order: Uint32Array;
  private readonly asked: readonly AskedExperts[];

  constructor(
    work: ReplayedExperts,
    expertRanks: ExpertRanks,
    replay: RoutingReplay,
    rows: StepRows,
    layerMap: readonly number[],
    caches: readonly (readonly OffloadState[])[],
  ) {
    this.work = work;
    this.expertRanks = expertRanks;
    this.replay = replay;
    this.rows = rows;
    this.layerMap = layerMap;
    this.caches = caches;
    this.order = new Uint32Array(replay.table.experts);
    this.asked = Array.from({ length: expertRanks.ranks }, () => new AskedExperts(replay.table.experts));
  }

  route(call: LayerCall): void {
    this.work.route(call);
  }

  /** Each rank's cache decides hits and misses; experts that are there are computed first. */
  serve(call: LayerCall, time: ExpertTime): void {
    const caches = this.caches[call.layer]!;
    this.gather(call.layer);
    for (let rank = 0; rank < caches.length; rank++) caches[rank]!.begin(this.asked[rank]!, call.startNs, time);
    // The ranks of a node take turns at its memory and disks: transfers are booked in the order in which they begin.
    for (let first = firstToFetch(caches); first !== null; first = firstToFetch(caches)) first.fetchNext();
    for (let rank = 0; rank < caches.length; rank++) {
      call.ns[rank] = caches[rank]!.callNs;
      call.stallNs[rank] = caches[rank]!.callStallNs;
    }
  }

  /** Hands the experts of a layer to the ranks that compute them. */
  private gather(layer: number): void {
    const { experts } = this.replay.table;
    const counted = this.layerMap[layer]! * idsPerLayer(this.replay.table);
    for (const asked of this.asked) asked.clear();
    const met = this.replay.distinctInOrder(this.rows, this.layerMap[layer]!, this.order);
    for (let i = 0; i < met; i++) {
      const expert = this.order[i]!;
      const tokens = this.rows.counts[counted + expert]!;
      const copies = this.expertRanks.copies(layer, expert);
      for (let turn = 0; turn < copies; turn++) {
        const share = shareOf(tokens, copies, turn);
        if (share === 0) break;
        this.asked[this.expertRanks.sharingRank(layer, expert, turn)]!.add(layer * experts + expert, share);
      }
    }
  }
}

/** The cache whose next transfer begins first; null when every missing expert was fetched. */
function firstToFetch(caches: readonly OffloadState[]): OffloadState | null {
  let first = caches[0]!;
  for (let rank = 1; rank < caches.length; rank++) if (caches[rank]!.nextNs < first.nextNs) first = caches[rank]!;
  return first.nextNs === Number.POSITIVE_INFINITY ? null : first;
}
