import type { Contradiction, Parameters, ParameterValues } from "../../core/parameters.ts";

/** What becomes of an expert that is not in its device's memory. */
export const missActions = {
  /** It is fetched and computed by the device. Only what is fetched may enter the cache. */
  fetch: 0,
  /** The host's processors compute it where it lies, beside the device. */
  host: 1,
  /** The same, and what it adds to the hidden state is added one layer later. */
  defer: 2,
  /** The host computes some of its rows, and the device fetches and computes the others. */
  split: 3,
  /** A copy of fewer bits is fetched and computed by the device. It does not enter the cache. */
  narrow: 4,
  /** A resident expert of the layer computes its tokens. */
  substitute: 5,
  /** Nobody computes it. */
  skip: 6,
} as const;

export type MissAction = keyof typeof missActions;

/** Actions that change what the model answers. */
export const lossyActions: readonly MissAction[] = ["defer", "narrow", "substitute", "skip"];

/** The experts that a layer call asks of one expert rank, in the order in which they are met. */
export interface MissCall {
  readonly count: number;
  /** [count] tokens of each expert. */
  readonly tokens: Uint32Array;
  /** [count] 1: it is in the device's memory. */
  readonly hit: Uint8Array;
  /** Tokens of the step. */
  readonly stepTokens: number;
  /** [count] best place of each expert in the choices of its tokens, 0 = first. With `ranks` among the needs. */
  readonly ranks: Uint8Array;
  /**
   * [count] smallest share of a token's router weights on the choices before this expert. With `weights` among the needs.
   */
  readonly ahead: Float64Array;
}

/** What a miss policy may know of the machine: times of one expert alone, ns. */
export interface MissTimes {
  /** Fetching one expert over an idle link. */
  readonly fetchNs: number;
  /** Computing one expert of so many tokens, by the device and by the host. */
  deviceNs(tokens: number): number;
  hostNs(tokens: number): number;
  /** What a call takes on the host beside its experts: activations there and back, threads that wake up. */
  readonly hostCallNs: number;
}

export interface MissHandler {
  /**
   * Writes an action to action[i] for each i of the call with hit[i] = 0, and where that is `split` the part of the rows that
   * the host computes to hostShare[i].
   */
  decide(call: MissCall, times: MissTimes, action: Uint8Array, hostShare: Float64Array): void;
}

/** What a miss policy may ask for: processors of the host that compute, places among a token's choices, router weights. */
export type MissNeed = "host" | "ranks" | "weights";

export interface MissContext {
  readonly topK: number;
}

/** What is done about misses: one file each, listed in `miss-policies.ts`. */
export interface MissPolicy<Shape extends Parameters = Parameters> {
  readonly name: string;
  /** What it does, as a scenario's schema says it. */
  readonly rule: string;
  readonly needs: readonly MissNeed[];
  readonly parameters: Shape;
  /** No missing expert enters a cache, so one that starts empty stays empty: it goes with a fixed set. */
  readonly keepsOut?: true;
  /** Bits of a weight in narrow copies; absent where it makes none. */
  narrowBits?(values: ParameterValues<Shape>): number;
  contradiction?(values: ParameterValues<Shape>): Contradiction | null;
  /** null: every missing expert is fetched. */
  create(context: MissContext, values: ParameterValues<Shape>): MissHandler | null;
}

/** A miss policy with its parameters set. */
export interface MissChoice {
  readonly policy: MissPolicy;
  readonly values: ParameterValues<Parameters>;
}
