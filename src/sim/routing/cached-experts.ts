import { idsPerLayer } from "../../trace/routing-table.ts";
import { AskedExperts } from "../offload/asked-experts.ts";
import type { OffloadState } from "../offload/offload-state.ts";
import type { ExpertTime } from "../step/expert-time.ts";
import type { ExpertRanks } from "./expert-ranks.ts";
import type { CallUnderWay, ExpertSource, LayerCall } from "./layer-call.ts";
import type { ReplayedExperts } from "./replayed-experts.ts";
import type { RoutingReplay } from "./routing-replay.ts";
import type { StepRows } from "./step-rows.ts";
import { TokenChoices } from "./token-choices.ts";

/**
 * Replayed work on experts behind the caches of one replica, for one step in flight. Misses are fetched: the call asks the
 * nodes for each transfer when it begins, rank by rank in order of time.
 */
export class CachedExperts implements ExpertSource, CallUnderWay {
  readonly layersAlike = false;
  nextNs = Number.POSITIVE_INFINITY;
  protected call: LayerCall | null = null;
  /** Caches of the ranks in the stage that runs the call. */
  protected ranks: readonly OffloadState[] = [];
  /** The rank whose transfer is next; -1 while the call asks host memory for all that is missing. */
  private next = -1;
  private readonly work: ReplayedExperts;
  private readonly expertRanks: ExpertRanks;
  private readonly replay: RoutingReplay;
  /** Of the step. */
  protected readonly rows: StepRows;
  private readonly layerMap: readonly number[];
  /** [MoE layers] the layer that holds the experts. */
  private readonly homes: readonly number[];
  /** [MoE layers][expert ranks] the cache of the rank in the stage that runs the layer. */
  protected readonly caches: readonly (readonly OffloadState[])[];
  /** Experts of a layer in the order in which they are met, and what they ask of each rank. */
  private readonly order: Uint32Array;
  private readonly asked: readonly AskedExperts[];
  private readonly place = { stepTokens: 0, last: false };
  /** How experts stand among the choices of their tokens; null where nobody asks. */
  private readonly choices: TokenChoices | null;

  constructor(
    work: ReplayedExperts,
    expertRanks: ExpertRanks,
    replay: RoutingReplay,
    rows: StepRows,
    layerMap: readonly number[],
    homes: readonly number[],
    caches: readonly (readonly OffloadState[])[],
    /** Whether caches go by router weights. */
    weighs: boolean,
  ) {
    this.work = work;
    this.expertRanks = expertRanks;
    this.replay = replay;
    this.rows = rows;
    this.layerMap = layerMap;
    this.homes = homes;
    this.caches = caches;
    this.order = new Uint32Array(replay.table.experts);
    const asksStanding = weighs || caches.flat().some(({ plan }) => plan?.asksStanding);
    this.choices = asksStanding ? new TokenChoices(replay.table) : null;
    this.asked = Array.from({ length: expertRanks.ranks }, () => new AskedExperts(replay.table.experts));
  }

  route(call: LayerCall): void {
    this.work.route(call);
  }

  /** Each rank's cache decides hits and misses; experts that are there are computed first. */
  serve(call: LayerCall, time: ExpertTime): CallUnderWay | null {
    this.prepare(call);
    this.open(call, time);
    return this.nextNs === Number.POSITIVE_INFINITY ? null : this;
  }

  /** Gathers what the call asks of each rank. */
  protected prepare(call: LayerCall): void {
    const ranks = this.caches[call.layer]!;
    this.call = call;
    this.ranks = ranks;
    this.gather(call.layer);
    this.place.stepTokens = call.tokens;
    this.place.last = this.caches[call.layer + 1]?.[0] !== ranks[0];
  }

  /** The call begins: hits are told from misses. */
  protected open(call: LayerCall, time: ExpertTime): void {
    const { ranks } = this;
    let misses = 0;
    for (let rank = 0; rank < ranks.length; rank++)
      misses += ranks[rank]!.begin(this.asked[rank]!, call.startNs, time, this.place);
    if (misses > 0 && ranks[0]!.asksAhead) {
      this.next = -1;
      this.nextNs = call.startNs;
    } else this.choose();
  }

  advance(): void {
    if (this.next >= 0) this.ranks[this.next]!.advance();
    else while (this.askOneEach() > 0);
    this.choose();
  }

  /** Every rank asks for its next missing expert; returns how many did. */
  private askOneEach(): number {
    let asked = 0;
    for (let rank = 0; rank < this.ranks.length; rank++) asked += this.ranks[rank]!.ask();
    return asked;
  }

  /** Finds the rank that goes on first; of equal ones, the first. Fills the times of the call once there is none. */
  private choose(): void {
    const { ranks } = this;
    this.nextNs = Number.POSITIVE_INFINITY;
    for (let rank = 0; rank < ranks.length; rank++)
      if (ranks[rank]!.nextNs < this.nextNs) {
        this.next = rank;
        this.nextNs = ranks[rank]!.nextNs;
      }
    if (this.nextNs < Number.POSITIVE_INFINITY) return;
    const { ns, stallNs } = this.call!;
    for (let rank = 0; rank < ranks.length; rank++) {
      ns[rank] = ranks[rank]!.callNs;
      stallNs[rank] = ranks[rank]!.callStallNs;
    }
  }

  /** Hands the experts of a layer to the ranks that compute them. */
  private gather(layer: number): void {
    const { experts } = this.replay.table;
    const home = this.homes[layer]!;
    const counted = this.layerMap[layer]! * idsPerLayer(this.replay.table);
    for (const asked of this.asked) asked.clear(layer);
    this.choices?.read(this.rows, this.layerMap[layer]!);
    const met = this.replay.distinctInOrder(this.rows, this.layerMap[layer]!, this.order);
    for (let i = 0; i < met; i++) {
      const expert = this.order[i]!;
      const tokens = this.rows.counts[counted + expert]!;
      const first = this.expertRanks.firstCopy(layer, expert);
      const copies = this.expertRanks.copies(layer, expert);
      for (let copy = first; copy < first + copies; copy++) {
        const share = copies === 1 ? tokens : this.work.shareOf(copy);
        if (share === 0) continue;
        const asked = this.asked[this.expertRanks.rankOfCopy(copy)]!;
        asked.add(home * experts + expert, share);
        if (this.choices !== null) asked.stand(this.choices.standing, expert, share / tokens);
      }
    }
  }

  /** Writes the experts that the step will ask of a rank at a layer to `out`, by MoE layer; returns how many. */
  protected chosen(layer: number, rank: number, out: Uint32Array): number {
    const { experts } = this.replay.table;
    const met = this.replay.distinctInOrder(this.rows, this.layerMap[layer]!, this.order);
    let count = 0;
    for (let i = 0; i < met; i++) {
      const expert = this.order[i]!;
      const first = this.expertRanks.firstCopy(layer, expert);
      const copies = this.expertRanks.copies(layer, expert);
      for (let copy = first; copy < first + copies; copy++)
        if (this.expertRanks.rankOfCopy(copy) === rank && (copies === 1 || this.work.shareOf(copy) > 0)) {
          out[count++] = layer * experts + expert;
          break;
        }
    }
    return count;
  }
}
