/** One line of a memory map. */
export interface MemoryItem {
  readonly name: string;
  readonly bytes: number;
}

/** Occupation of one tier, of the most loaded device or of the host. Items sum to `usedBytes`. */
export interface TierMap {
  readonly tier: string;
  readonly capacityBytes: number;
  readonly usedBytes: number;
  readonly items: readonly MemoryItem[];
}

/** Byte-exact occupation of every tier, per device of the heaviest pipeline stage. */
export interface MemoryMap {
  readonly tiers: readonly TierMap[];
  /** KV blocks per data-parallel rank, in the memory that remains. */
  readonly kvBlocks: number;
  readonly kvBytesPerToken: number;
}
