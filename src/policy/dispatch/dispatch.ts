import type { Contradiction, Parameters, ParameterValues } from "../../core/parameters.ts";
import type { ExpertCopies } from "../placement/placement-measures.ts";

/**
 * What a dispatch rule may ask for. `sources`: tokens by the data-parallel rank that they come from; `loads`: tokens of each
 * expert in a fitting set. A scenario that cannot provide it is refused.
 */
export type DispatchNeed = "sources" | "loads";

/** Copies in use, and where they and the tokens are. A new placement makes a new one. */
export interface DispatchSite {
  readonly layers: number;
  readonly experts: number;
  /** Expert ranks. */
  readonly ranks: number;
  readonly copies: ExpertCopies;
  readonly topology: DispatchTopology;
  /** [layers x experts] tokens of each expert in the fitting set, for rules that need `loads`. */
  readonly loads: Float64Array | null;
  readonly seed: number;
}

/**
 * Devices of a pipeline stage in order: data-parallel rank g has those from g x devicesPerSource on, expert rank e those from
 * e x devicesPerRank on. Nodes follow one another.
 */
export interface DispatchTopology {
  /** Data-parallel ranks. */
  readonly sources: number;
  readonly devicesPerSource: number;
  readonly devicesPerRank: number;
  /** Devices that share a node, or the links of a rack. */
  readonly devicesPerNode: number;
}

/** Tokens of a layer in a step. */
export interface LayerTokens {
  /** counts[from + expert]: tokens of each expert. */
  readonly counts: Uint32Array;
  readonly from: number;
  /** [sources] the same by data-parallel rank, for rules that need `sources`; else empty. */
  readonly bySource: readonly Uint32Array[];
}

/** Divides tokens among the copies of experts, step after step. */
export interface Dispatcher {
  /**
   * Writes the tokens of each copy of a layer's experts to `shares`, indexed as the copies of the site. The copies of an expert
   * get whole tokens, all that it has.
   */
  share(layer: number, tokens: LayerTokens, shares: Float64Array): void;
  /**
   * Place among the copies of an expert that a token on a device takes; `turn` counts tokens. Absent: a token may take any, in turn,
   * wherever it is.
   */
  copyOf?(layer: number, expert: number, device: number, turn: number): number;
}

/** A rule that chooses among the copies of an expert: one file each, listed in `dispatches.ts`. */
export interface DispatchPolicy<Shape extends Parameters = Parameters> {
  readonly name: string;
  /** What it does, as a scenario's schema says it. */
  readonly rule: string;
  readonly parameters: Shape;
  readonly needs: readonly DispatchNeed[];
  /** Whether no engine can run it: it sends tokens to ranks that do not hold their experts. */
  readonly whatIf?: true;
  /** Whether it goes by what it divided before: then every replica, and every copy of the set of experts, has a dispatcher of its own. */
  readonly remembers?: true;
  /** Absent: its parameters cannot contradict one another. */
  contradiction?(values: ParameterValues<Shape>): Contradiction | null;
  /** What it costs a running engine that a run does not charge; absent: nothing worth a word. */
  readonly leavesOut?: string;
  /** Null: tokens are spread evenly over ranks, whatever these hold. */
  create(site: DispatchSite, values: ParameterValues<Shape>): Dispatcher | null;
}

/** A rule with its parameters set, and what it was fitted on. */
export interface DispatchChoice {
  readonly policy: DispatchPolicy;
  readonly values: ParameterValues<Parameters>;
  /** [MoE layers x experts], for rules that need `loads`. */
  readonly loads: Float64Array | null;
}
