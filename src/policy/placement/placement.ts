/** Marks a physical slot that holds no expert, where slots outnumber what a policy fills. */
export const emptySlot = 0xffff;

/** Where the copies of every expert live: per layer, `slotsPerRank` physical slots on each of `ranks` ranks. */
export interface Placement {
  readonly layers: number;
  readonly experts: number;
  readonly ranks: number;
  readonly slotsPerRank: number;
  /**
   * [layers][ranks * slotsPerRank] logical expert in each slot, or {@link emptySlot}; slot s lies on rank
   * floor(s / slotsPerRank).
   */
  readonly slotExpert: Uint16Array;
}

/** What a placement policy may ask for. A scenario that cannot provide it is refused. */
export type PlacementNeed = "loads";

export interface PlacementInput {
  readonly layers: number;
  readonly experts: number;
  readonly ranks: number;
  /** Ranks per node and expert groups of the router, for hierarchical placement. */
  readonly nodes: number;
  readonly groups: number;
  /**
   * Physical slots per layer, a multiple of `ranks`. Without redundancy: `experts`, rounded up to that multiple. Slots
   * a policy does not fill stay empty.
   */
  readonly slots: number;
  /** [layers][experts] tokens routed to each expert in the fitting set; null if the policy does not need it. */
  readonly loads: Float64Array | null;
}

/** A placement algorithm: one file each, listed in `placements.ts`. */
export interface PlacementPolicy {
  readonly name: string;
  readonly needs: readonly PlacementNeed[];
  /** Whether it can fill more slots than experts. */
  readonly replicates: boolean;
  place(input: PlacementInput): Placement;
}
