import type { Gain } from "../../core/paired-gain.ts";
import type { Axis } from "./axes.ts";

/** One candidate, run with the same requests and random draws as the scenario it is compared with. */
export interface Outcome {
  readonly axis: Axis;
  readonly name: string;
  /** Whether it is what the scenario says. */
  readonly isBase: boolean;
  /** Settings that make it, and those of the steps before it. */
  readonly set: readonly string[];
  readonly tokensPerSecond: number;
  readonly tpotMs: number;
  readonly ttftMs: number;
  readonly hitRate: number;
  /** Hit rate of Belady on its own accesses; null where nothing was recorded. */
  readonly optimum: number | null;
  /** Share of step time in which devices wait for experts. */
  readonly stallShare: number;
  /** Share of the router weight that was not computed as the model would; null where that is not known, 0 without loss. */
  readonly lossyMass: number | null;
  readonly lossy: boolean;
  /** What the engine lacks for it; null where it has all. */
  readonly whatIf: string | null;
  /** Whether it knows what comes, and shows what a predictor of such quality would bring. */
  readonly foresees: boolean;
  /** Mean end-to-end latency saved against the scenario; null for itself. */
  readonly gain: Gain | null;
}

/** A candidate that could not be run, and why. */
export interface LeftOut {
  readonly axis: Axis;
  readonly name: string;
  readonly reason: string;
}

/** Prefetchers are compared on what is left when they learned from a share of the sequences. */
export interface HeldOut {
  readonly share: number;
  /** The scenario on those rows. */
  readonly base: Outcome;
}

/** Why misses happen. */
export interface MissVerdict {
  /** Hit rates of the scenario's own run. */
  readonly policy: number;
  readonly optimum: number;
  readonly bestFixedSet: number;
  readonly cause: "policy" | "working set" | "both" | "neither";
}

/** An offload compared with others on one trace under load; plain JSON. */
export interface OffloadComparison {
  readonly kind: "offload-comparison";
  readonly schemaVersion: 1;
  readonly moecastVersion: string;
  readonly scenario: { readonly name: string; readonly description: string; readonly file: string };
  readonly deployment: string;
  readonly requests: number;
  readonly repeats: number;
  readonly seed: number;
  /** Slots of a cache, and experts that it could hold. */
  readonly slots: number;
  /** Slots that hold what one token chooses; 1 for a fixed set, which takes nothing in. */
  readonly slotsOfToken: number;
  readonly experts: number;
  readonly base: Outcome;
  readonly outcomes: readonly Outcome[];
  readonly leftOut: readonly LeftOut[];
  readonly verdict: MissVerdict | null;
  /** null: prefetchers were not compared, or on all rows. */
  readonly heldOut: HeldOut | null;
  /** What to set, the best of each axis in turn; empty where nothing is better than what the scenario says. */
  readonly best: { readonly set: readonly string[]; readonly outcome: Outcome };
  readonly advice: string;
}
