import type { ResourceWatch } from "../../core/resource.ts";
import { resourceParts } from "../../sim/outcome/resource-use.ts";
import type { RunView } from "../../sim/outcome/run-view.ts";
import type { Pool } from "../../sim/pool.ts";
import type { Replica, StepInFlight } from "../../sim/replica.ts";
import { requestStatus } from "../../sim/result.ts";
import type { FlightWatch } from "../../sim/step/stage-watch.ts";
import { Counts } from "./counts.ts";
import { type ReplicaTracks, replicaTracks } from "./replica-tracks.ts";
import { type RequestFlow, RequestFlows } from "./request-flows.ts";
import { spanKind } from "./span-kinds.ts";
import { SpanStore, type TimeWindow } from "./span-store.ts";
import { StageRecorder, type StepNotes } from "./stage-recorder.ts";
import type { FollowedRequest, Timeline } from "./timeline.ts";
import { Tracks } from "./tracks.ts";

/** Records the timeline of a run: it is told what happens, and changes nothing. What it keeps is bounded. */
export class TimelineRecorder implements StepNotes {
  private readonly window: TimeWindow;
  private readonly tracks = new Tracks();
  private readonly store: SpanStore;
  private readonly counts: Counts;
  private readonly flows = new RequestFlows();
  private readonly replicas = new Map<Replica, ReplicaTracks>();
  private run: RunView | null = null;

  /** @param spansMax spans that are kept; what comes after them is left out. */
  constructor(window: TimeWindow, spansMax: number) {
    this.window = window;
    this.store = new SpanStore(window, spansMax);
    this.counts = new Counts(window);
  }

  /** Follows a step in flight of a replica. */
  readonly follow = (pool: Pool, replica: Replica, step: StepInFlight): FlightWatch => {
    const tracks = this.replicas.get(replica) ?? replicaTracks(this.tracks, pool, replica);
    this.replicas.set(replica, tracks);
    return new StageRecorder(pool, replica, step, tracks, this.window, this.store, this);
  };

  /** The run before its first step: its resources are followed from now on. */
  watch(run: RunView): void {
    if (this.run !== null) return;
    this.run = run;
    const process = this.tracks.process("links, memory, hosts");
    for (const { name, resource } of resourceParts(run, true))
      if (resource !== undefined) resource.watch = this.resourceWatch(this.tracks.add(process, name));
  }

  begins(pool: Pool, replica: Replica, step: StepInFlight, track: number, atNs: number): void {
    this.counts.begins(this.replicas.get(replica)!.process, pool, replica, atNs);
    this.flows.add(step, track, atNs);
  }

  ends(pool: Pool, replica: Replica, atNs: number): void {
    if (!this.store.full) this.counts.ends(this.replicas.get(replica)!.process, pool, replica, atNs);
  }

  /** Once the run is over. */
  timeline(): Timeline {
    const run = this.run!;
    const { window, tracks, store, counts } = this;
    return {
      window,
      endNs: run.nowNs,
      cutNs: store.full ? store.refusedNs : null,
      processes: tracks.processes,
      tracks: tracks.list,
      spans: store,
      counts: counts.list,
      requests: this.flows.all().map((flow) => followed(flow, run)),
    };
  }

  private resourceWatch(track: number): ResourceWatch {
    const { store } = this;
    return {
      serves: (beginNs, ns, bytes, demand) => {
        store.add(track, demand ? spanKind.demand : spanKind.background, beginNs, beginNs + ns, bytes);
      },
    };
  }
}

function followed(flow: RequestFlow, { state, handover }: RunView): FollowedRequest {
  const { request } = flow;
  const arrivedNs = handover?.arrivedNs[request] ?? Number.NaN;
  return {
    ...flow,
    arrivalNs: Math.max(0, state.arrivalNs[request]!),
    scheduledNs: state.scheduledNs[request]!,
    firstTokenNs: state.firstTokenNs[request]!,
    lastTokenNs: state.lastTokenNs[request]!,
    handover: Number.isNaN(arrivedNs) ? null : { computedNs: handover!.computedNs[request]!, arrivedNs },
    completed: state.status[request] === requestStatus.completed,
    promptTokens: state.promptTokens[request]!,
    outputTokens: state.outputTokens[request]!,
  };
}
