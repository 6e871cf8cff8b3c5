import type { RequestFlow } from "./request-flows.ts";
import type { TimeWindow } from "./span-store.ts";
import type { Track } from "./tracks.ts";

/** Spans as columns; {@link SpanStore} says what they hold. */
export interface Spans {
  readonly count: number;
  readonly track: Uint32Array;
  readonly kind: Uint8Array;
  readonly beginNs: Float64Array;
  /** Infinity of a step that was not over at the end of the run. */
  readonly endNs: Float64Array;
  readonly numbers: Float64Array;
}

/** What a process counts, from a time on. */
export interface Count {
  readonly process: number;
  readonly atNs: number;
  readonly kind: "requests" | "kv" | "cache";
  /** Running and waiting requests; a share of 1 and nothing. */
  readonly values: readonly [number, number];
}

/** A request that is followed: when it arrived, was first scheduled, emitted its first and its last token, ns; NaN where it did not. */
export interface FollowedRequest extends RequestFlow {
  readonly arrivalNs: number;
  readonly scheduledNs: number;
  readonly firstTokenNs: number;
  readonly lastTokenNs: number;
  /** When its prompt was computed and its KV cache had arrived in the pool that goes on with it; null where none does. */
  readonly handover: { readonly computedNs: number; readonly arrivedNs: number } | null;
  readonly completed: boolean;
  readonly promptTokens: number;
  readonly outputTokens: number;
}

/** What happened in a run, or in a part of it: plain values. Times are ns after the first arrival. */
export interface Timeline {
  readonly window: TimeWindow;
  /** End of the run. */
  readonly endNs: number;
  /** From when on something is left out, as there was no room for it; null: all of the window is there. */
  readonly cutNs: number | null;
  readonly processes: readonly string[];
  readonly tracks: readonly Track[];
  readonly spans: Spans;
  readonly counts: readonly Count[];
  readonly requests: readonly FollowedRequest[];
}
