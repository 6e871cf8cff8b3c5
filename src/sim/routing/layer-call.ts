import type { ExpertTime } from "../step/expert-time.ts";

/**
 * The routed work of one layer in one step by expert rank, and the time that computing it takes. One value is reused for
 * every layer of a run.
 */
export class LayerCall {
  /** MoE layer of the model. */
  layer = 0;
  /** Tokens of all data-parallel ranks. */
  tokens = 0;
  /** [copies of the set of experts] tokens of the ranks that it serves: those of all where there is one. */
  readonly groupTokens: Float64Array;
  /** Mean routed experts per token, and mean distinct ranks of them. */
  expertsPerToken = 0;
  spread = 0;
  /** Bytes of DeepEP's normal mode inside and between nodes, over those of evenly picked experts. */
  nearScale = 1;
  farScale = 1;
  /** Absolute time from which every rank computes, ns. */
  startNs = 0;
  /** [expert ranks of all groups, one group after the other] (token, expert) pairs, and experts (or copies of experts) with at least one token. */
  readonly pairs: Float64Array;
  readonly distinct: Float64Array;
  /** [expert ranks] time of computing, ns, and the part of it that is spent waiting for experts. */
  readonly ns: Float64Array;
  readonly stallNs: Float64Array;

  /** @param ranks of one group. */
  constructor(ranksOfGroup: number, groups = 1) {
    const ranks = ranksOfGroup * groups;
    this.groupTokens = new Float64Array(groups);
    this.pairs = new Float64Array(ranks);
    this.distinct = new Float64Array(ranks);
    this.ns = new Float64Array(ranks);
    this.stallNs = new Float64Array(ranks);
  }
}

/** Where the experts of a replica are, and what a step asks of them. */
export interface ExpertSource {
  /** Whether all MoE layers of one shape have the same work and are served at once: one of them then stands for all. */
  readonly layersAlike: boolean;
  /**
   * A step enters a pipeline stage at `atNs`. `moeIndex`: which MoE layers its layers are, -1 for the others. Absent: it changes
   * nothing.
   */
  enter?(moeIndex: Int32Array, atNs: number): void;
  /** Fills the work of `call.layer` into the call. */
  route(call: LayerCall): void;
  /**
   * Computes the call from `call.startNs`: fills its times. `time` says what computing alone takes. Returns null once
   * that is done; where something that others may share is needed for it, what is still to do.
   */
  serve(call: LayerCall, time: ExpertTime): CallUnderWay | null;
}

/** A call whose times depend on what others may share. Reused between calls. */
export interface CallUnderWay {
  /** When it next uses that, ns; Infinity once its times are filled. It is advanced in order of time with all others. */
  readonly nextNs: number;
  /** Does what is due at `nextNs`. */
  advance(): void;
}

/** Serves a call whose experts all lie on the devices. */
export function serveResident(call: LayerCall, time: ExpertTime): null {
  for (let rank = 0; rank < call.ns.length; rank++)
    call.ns[rank] = time.togetherNs(call.pairs[rank]!, call.distinct[rank]!);
  call.stallNs.fill(0);
  return null;
}
