import type { Contradiction, Parameters, ParameterValues } from "../../core/parameters.ts";
import type { SolveRunner } from "../../solver/solver.ts";

/** Logical expert of an empty physical one: there may be more physical experts than a policy fills. */
export const noExpert = 0xffff;

/** Places of the copies of every expert: per layer, `physicalExpertsPerRank` physical experts on each of `ranks`. */
export interface Placement {
  readonly layers: number;
  readonly experts: number;
  readonly ranks: number;
  readonly physicalExpertsPerRank: number;
  /**
   * [layers][ranks * physicalExpertsPerRank] logical expert of each physical one, or {@link noExpert}. Physical expert
   * p lies on rank floor(p / physicalExpertsPerRank).
   */
  readonly logicalExperts: Uint16Array;
  /** Experts without a copy were taken out of the model, and empty places take no memory; absent: every expert has a copy. */
  readonly pruned?: boolean;
}

/**
 * What a placement policy may ask for. `loads`: tokens of each expert; `windows`: the same by time; `transitions`: tokens that
 * go from an expert to one of the next layer; `pairs`: tokens that choose two experts of a layer; `previous`: the placement in
 * use; `map`: one that is given. A scenario that cannot provide it is refused.
 */
export type PlacementNeed = "loads" | "windows" | "transitions" | "pairs" | "previous" | "map";

export interface PlacementInput {
  readonly layers: number;
  readonly experts: number;
  readonly ranks: number;
  /** Ranks per node and groups of the router, for hierarchical placement. */
  readonly nodes: number;
  readonly groups: number;
  /**
   * Per layer, a multiple of `ranks`. Without redundancy: `experts`, rounded up to that multiple. Those that a policy
   * does not fill stay empty.
   */
  readonly physicalExperts: number;
  /** [layers][experts] tokens routed to each expert in the fitting set; null if the policy does not need it. */
  readonly loads: Float64Array | null;
  /** [windows][layers][experts] the same for equal stretches of time, the earliest first; for policies that need `windows`. */
  readonly windows?: readonly Float64Array[];
  /** [layers - 1][experts][experts] tokens from an expert to one of the next layer; for policies that need `transitions`. */
  readonly transitions?: Float64Array;
  /** [layers][experts][experts] tokens that chose both, symmetric, diagonal 0; for policies that need `pairs`. */
  readonly pairs?: Float64Array;
  /** The placement in use, for policies that need `previous`; null: none so far. */
  readonly previous?: Placement | null;
  /** A map from elsewhere, for policies that need `map`. */
  readonly map?: Placement;
  /** [ranks] copies that a rank may hold in a layer, at most `physicalExperts / ranks`; absent: that many on each. */
  readonly rankCopiesMax?: Uint16Array;
  /** [ranks] copies that a rank may hold over all layers, as its memory allows; absent: no limit beside the one of a layer. */
  readonly rankCopiesTotal?: Uint32Array;
  /** [layers][ranks] copies that a rank may hold in each layer, once such limits are dealt out to layers; then these stand. */
  readonly rooms?: Uint16Array;
  /** [ranks] relative speed of each rank, so that its share of the load is as large; absent: all alike. */
  readonly rankSpeed?: Float64Array;
  /** [ranks][ranks] relative time to send a token from one rank to another, 0 to itself; absent: 1 between any two. */
  readonly distance?: Float64Array;
  /** Whether one rank may hold two copies of an expert; absent: it may, as DeepSeek's EPLB has it. */
  readonly twins?: boolean;
  /** Seed of what a policy draws at random; absent: 0. */
  readonly seed?: number;
}

/** What every map of a deployment has to keep, at its start and later. */
export type PlacementLimits = Pick<PlacementInput, "rooms" | "rankSpeed" | "distance" | "twins" | "seed">;

/** How good a placement is known to be, by the problem that its policy solved. */
export interface PlacementProof {
  /** What was minimised, such as `stage 2: slowest exchange`. */
  readonly problem: string;
  readonly objective: number;
  readonly bound: number;
  readonly gap: number;
  readonly proved: boolean;
  readonly solver: string;
  readonly cut: boolean;
}

/** What a policy may use while it places. */
export interface PlacementTools {
  readonly solve: SolveRunner;
  /** Takes down how good the placement is. */
  readonly prove: (proof: PlacementProof) => void;
}

/** A placement algorithm: one file each, listed in `placements.ts`. */
export interface PlacementPolicy<Shape extends Parameters = Parameters> {
  readonly name: string;
  /** What it does, as a scenario's schema says it. */
  readonly rule: string;
  /** Keys that it has beside those of every placement. */
  readonly parameters: Shape;
  readonly needs: readonly PlacementNeed[];
  /** What it asks for beside `needs` with these values; absent: nothing. */
  alsoNeeds?(values: ParameterValues<Shape>): readonly PlacementNeed[];
  /** Whether it can copy experts, and so fill more physical experts than there are experts. */
  readonly makesCopies: boolean;
  /** Whether it leaves places empty on purpose, because ranks may hold unequally many experts; absent: it does not. */
  readonly unequalCounts?: boolean;
  /** Absent: its parameters cannot contradict one another. */
  contradiction?(values: ParameterValues<Shape>): Contradiction | null;
  /** `values` undefined: the defaults. */
  place(
    input: PlacementInput,
    values: ParameterValues<Shape> | undefined,
    tools: PlacementTools,
  ): Placement | Promise<Placement>;
}

/** A policy that is quick and needs no solver, so that a running engine can ask it. */
export interface LivePlacementPolicy<Shape extends Parameters = Parameters> extends PlacementPolicy<Shape> {
  place(input: PlacementInput, values?: ParameterValues<Shape>): Placement;
}

/** All that a policy asks for with these values. */
export const needsOf = <Shape extends Parameters>(
  policy: PlacementPolicy<Shape>,
  values: ParameterValues<Shape>,
): ReadonlySet<PlacementNeed> => new Set([...policy.needs, ...(policy.alsoNeeds?.(values) ?? [])]);
