import type { Pool } from "../../sim/pool.ts";
import type { Replica, StepInFlight } from "../../sim/replica.ts";
import type { LayerCall } from "../../sim/routing/layer-call.ts";
import type { StagePlan } from "../../sim/step/stage-plan.ts";
import type { FlightWatch } from "../../sim/step/stage-watch.ts";
import { component } from "../../sim/step/step-accounts.ts";
import { BookedTime } from "./booked-time.ts";
import type { ReplicaTracks, StageTracks } from "./replica-tracks.ts";
import { spanKind } from "./span-kinds.ts";
import { always, SpanStore, type TimeWindow } from "./span-store.ts";
import { nextAlike, stepFigures } from "./step-figures.ts";

/** The parts of step time in the order in which a layer, or what is outside of layers, takes them. */
const order = [
  component.kernelOverhead,
  component.attention,
  component.allReduce,
  component.dense,
  component.dispatch,
  component.sharedExperts,
  component.experts,
  component.expertFetch,
  component.expertWait,
  component.promptWait,
  component.attentionWait,
  component.combine,
  component.head,
  component.draft,
  component.hostOverhead,
  component.rebalance,
];
const numbered: ReadonlySet<number> = new Set([
  spanKind.layer,
  spanKind.rankLayer,
  spanKind.rankExperts,
  spanKind.rankStall,
]);
/** Spans of one layer: more than any has. */
const layerRoom = 1 << 20;

/** What a recorder of steps tells of a step beyond its spans. */
export interface StepNotes {
  begins(pool: Pool, replica: Replica, step: StepInFlight, track: number, atNs: number): void;
  ends(pool: Pool, replica: Replica, atNs: number): void;
}

/**
 * Records the spans of a step in flight, stage by stage. The parts of step time follow one another on the track of the stage: they
 * are means over the ranks, and waits for the slowest. Ranks have tracks of their own, with their own times.
 */
export class StageRecorder implements FlightWatch {
  private readonly pool: Pool;
  private readonly replica: Replica;
  private readonly step: StepInFlight;
  private readonly tracks: ReplicaTracks;
  private readonly window: TimeWindow;
  private readonly store: SpanStore;
  private readonly notes: StepNotes;
  private readonly booked: BookedTime;
  /** Time of shared experts that was booked before the layer's dispatch, ns. */
  private sharedNs = 0;
  /** Whether the step is in a stage that is recorded; the stage, its tracks and layers. */
  private active = false;
  private stage = 0;
  private of: StageTracks;
  private plan: StagePlan;
  private startNs = 0;
  private span = -1;
  /** Up to where the track of the stage, and that of the interconnect, is filled, ns after the first arrival. */
  private cursorNs = 0;
  private linkCursorNs = 0;
  /** The layer being recorded: its spans, where it began. */
  private readonly layer = new SpanStore(always, layerRoom);
  private layerNs = 0;
  private lastLayer = 0;
  /** [data-parallel ranks] when each began the layer, and was through with mixing, ns after the start of the stage. */
  private readonly rankNs: Float64Array;
  private readonly mixedNs: Float64Array;
  /** How long each took for it. */
  private readonly rankLayerNs: Float64Array;

  constructor(
    pool: Pool,
    replica: Replica,
    step: StepInFlight,
    tracks: ReplicaTracks,
    window: TimeWindow,
    store: SpanStore,
    notes: StepNotes,
  ) {
    this.pool = pool;
    this.replica = replica;
    this.step = step;
    this.tracks = tracks;
    this.window = window;
    this.store = store;
    this.notes = notes;
    this.booked = new BookedTime(pool.cost);
    this.of = tracks.stages[0]!;
    this.plan = replica.plans[0]!;
    const { dp } = pool.config.mapping;
    this.rankNs = new Float64Array(dp);
    this.mixedNs = new Float64Array(dp);
    this.rankLayerNs = new Float64Array(dp);
  }

  enters(stage: number, atNs: number, stoodUntilNs: number, stoodNs: number): void {
    const { store, window } = this;
    this.stage = stage;
    const inWindow = atNs < window.toNs;
    this.active = inWindow && !store.full;
    if (inWindow && !this.active) store.refuse(atNs);
    if (!this.active) return;
    this.of = this.tracks.stages[stage]!;
    this.plan = this.replica.plans[stage]!;
    this.startNs = this.cursorNs = atNs;
    this.linkCursorNs = Math.max(this.linkCursorNs, atNs);
    this.rankNs.fill(0);
    this.sharedNs = 0;
    if (stoodNs > 0) store.add(this.of.stage, spanKind.rebalance, stoodUntilNs - stoodNs, stoodUntilNs);
    // One that begins before the window may end there, too.
    this.span = atNs < window.fromNs ? -1 : this.addStep(Number.POSITIVE_INFINITY);
    if (stage === 0 && this.span >= 0) this.notes.begins(this.pool, this.replica, this.step, this.of.stage, atNs);
  }

  resumes(): void {
    if (this.active) this.booked.skip();
  }

  mixed(clockNs: Float64Array): void {
    if (!this.active) return;
    this.layer.clear();
    this.layerNs = this.cursorNs;
    this.mixedNs.set(clockNs);
    this.booked.take();
    const reduceNs = this.booked.part[component.allReduce]!;
    this.put(this.layer, spanKind.experts);
    this.link(this.layer, spanKind.linkReduce, this.cursorNs - reduceNs);
  }

  dispatched(): void {
    if (!this.active) return;
    this.booked.take();
    // They run beside the dispatch or behind it, which is booked later.
    this.sharedNs = this.booked.part[component.sharedExperts]!;
    this.booked.part[component.sharedExperts] = 0;
    this.put(this.layer, spanKind.router);
    this.link(this.layer, spanKind.linkDispatch, this.cursorNs);
  }

  layerEnds(layer: number, clockNs: Float64Array, call: LayerCall | null, beginNs: number): void {
    if (!this.active) return;
    const { layer: spans, startNs, of, rankNs } = this;
    this.booked.take();
    this.booked.part[component.sharedExperts]! += this.sharedNs;
    this.sharedNs = 0;
    const combineNs = this.booked.part[component.combine]!;
    this.put(spans, spanKind.experts);
    if (call !== null) this.link(spans, spanKind.linkCombine, this.cursorNs - combineNs);
    spans.add(of.stage, spanKind.layer, this.layerNs, this.cursorNs, layer);
    for (let rank = 0; rank < clockNs.length; rank++) {
      if (clockNs.length > 1)
        spans.add(
          of.attention + rank,
          spanKind.rankLayer,
          startNs + rankNs[rank]!,
          startNs + this.mixedNs[rank]!,
          layer,
        );
      this.rankLayerNs[rank] = clockNs[rank]! - rankNs[rank]!;
    }
    rankNs.set(clockNs);
    if (call !== null) this.putExperts(layer, call, startNs + beginNs);
    this.lastLayer = layer;
    for (let i = 0; i < spans.count; i++) this.store.addFrom(spans, i, 0, spans.numbers[3 * i]!);
  }

  repeats(times: number): void {
    if (!this.active) return;
    this.resumes();
    const { layer: spans, of, rankNs, rankLayerNs, lastLayer } = this;
    const periodNs = this.cursorNs - this.layerNs;
    let layer = lastLayer;
    for (let time = 1; time <= times; time++) {
      layer = nextAlike(this.plan, layer);
      for (let i = 0; i < spans.count; i++) {
        const rank = spans.track[i]! - of.attention;
        const laterNs = spans.kind[i] === spanKind.rankLayer ? rankLayerNs[rank]! : periodNs;
        this.store.addFrom(spans, i, time * laterNs, numbered.has(spans.kind[i]!) ? layer : spans.numbers[3 * i]!);
      }
    }
    this.cursorNs += times * periodNs;
    this.linkCursorNs += times * periodNs;
    for (let rank = 0; rank < rankNs.length; rank++) rankNs[rank]! += times * rankLayerNs[rank]!;
  }

  outside(): void {
    if (!this.active) return;
    this.booked.take();
    this.put(this.store, spanKind.experts);
    // Ranks have met.
    this.rankNs.fill(this.cursorNs - this.startNs);
  }

  leaves(atNs: number): void {
    if (this.stage === this.replica.plans.length - 1) this.notes.ends(this.pool, this.replica, atNs);
    if (!this.active) return;
    this.outside();
    this.active = false;
    if (this.span >= 0) this.store.endNs[this.span] = atNs;
    else if (this.startNs < this.window.fromNs) this.addStep(atNs);
  }

  handsOn(fromNs: number, untilNs: number): void {
    this.store.add(this.tracks.handOns[this.step.index]!, spanKind.handOn, fromNs, untilNs);
  }

  /** Fills the track of the stage with it. `experts`: as what the time of experts is shown. */
  private put(store: SpanStore, experts: number): void {
    const { part } = this.booked;
    for (const at of order) {
      const ns = part[at]!;
      if (!(ns > 0)) continue;
      store.add(this.of.stage, at === component.experts ? experts : at, this.cursorNs, this.cursorNs + ns);
      this.cursorNs += ns;
    }
  }

  /** The transfers between devices that were booked since the last time, as one that begins at `fromNs` or when the last is over. */
  private link(store: SpanStore, kind: number, fromNs: number): void {
    const { linkNs, linkBytes } = this.booked;
    if (!(linkNs > 0)) return;
    const beginNs = Math.max(this.linkCursorNs, fromNs);
    store.add(this.of.interconnect, kind, beginNs, beginNs + linkNs, linkBytes);
    this.linkCursorNs = beginNs + linkNs;
  }

  private putExperts(layer: number, { ns, stallNs, pairs, distinct }: LayerCall, beginNs: number): void {
    const { layer: spans, of } = this;
    for (let rank = 0; rank < ns.length; rank++) {
      const endNs = beginNs + ns[rank]!;
      const track = of.experts + rank;
      spans.add(track, spanKind.rankExperts, beginNs, endNs, layer, pairs[rank]!, distinct[rank]!);
      spans.add(track, spanKind.rankStall, endNs - stallNs[rank]!, endNs, layer);
    }
  }

  private addStep(endNs: number): number {
    const { kind, tokens, sequences, promptTokens } = stepFigures(this.step);
    return this.store.add(this.of.stage, kind, this.startNs, endNs, tokens, sequences, promptTokens);
  }
}
