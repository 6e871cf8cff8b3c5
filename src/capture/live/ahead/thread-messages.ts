import type { LiveShape } from "../../../calibrate/measured/live-measurements.ts";
import type { LentBank } from "../expert-bank.ts";

/** What a thread is started with. Experts are numbered over all caches that it serves; `objects` of them are one cache's. */
export interface ThreadSetting {
  readonly backend: string;
  readonly shape: LiveShape;
  readonly bank: LentBank;
  readonly objects: number;
}

/** A layer call: hidden states of `batch` tokens, the experts with the tokens that chose each, and which are let go behind it. */
export interface RunOrder {
  readonly kind: "run";
  readonly states: Float32Array;
  readonly batch: number;
  readonly experts: readonly number[];
  readonly slots: readonly (readonly number[])[];
  readonly leaving: readonly number[];
}

/** What a thread is told. */
export type Order =
  | RunOrder
  /** An expert is uploaded as soon as no call waits; `instead` is let go at once. */
  | { readonly kind: "send"; readonly expert: number; readonly instead: number | null }
  /** Answered when nothing is left to upload. */
  | { readonly kind: "settle" };

/** What a call found and took. */
export interface CallReport {
  readonly kind: "done";
  readonly states: Float32Array;
  /** Experts that were there or on their way; those of them that were on their way. */
  readonly there: number;
  readonly late: number;
  /** Time of uploading what was not there. */
  readonly fetchNs: number;
}

/** What a thread answers. `chosen`: the router of the call under way has been read. */
export type Answer =
  | CallReport
  | { readonly kind: "ready" }
  | { readonly kind: "chosen" }
  | { readonly kind: "settled" };
