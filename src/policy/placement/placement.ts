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
}

/** What a placement policy may ask for. A scenario that cannot provide it is refused. */
export type PlacementNeed = "loads";

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
}

/** A placement algorithm: one file each, listed in `placements.ts`. */
export interface PlacementPolicy {
  readonly name: string;
  readonly needs: readonly PlacementNeed[];
  /** Whether it can copy experts, and so fill more physical experts than there are experts. */
  readonly makesCopies: boolean;
  place(input: PlacementInput): Placement;
}
