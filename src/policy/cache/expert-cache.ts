/**
 * A cache of experts under event-atomic replay. The event is one layer call with its distinct experts. Hits are judged
 * against residency at the start of the call. Then all its experts, hits included, are touched in the given order; the
 * last is the most recent. Eviction never removes an expert that the call has still to compute. When a call has more
 * distinct experts than slots, the surplus streams through the transfer buffer and what stays resident afterwards is
 * the policy's choice.
 *
 * Admission is mandatory for every policy that evicts: after a call that fits, all its experts are resident, so victims
 * are taken from the experts outside the call. A call that does not fit evicts in the policy's order from everything.
 */
export interface ExpertCache {
  /** Slots of this cache. */
  readonly capacity: number;
  /** Objects resident now. */
  readonly resident: number;
  contains(key: number): boolean;
  /**
   * Serves one call: keys[from .. to) are distinct dense ids in stored order. Writes 1 (hit) or 0 (miss) to
   * hit[0 .. to - from) and returns the number of hits.
   */
  call(keys: Uint32Array, from: number, to: number, hit: Uint8Array): number;
}

/** What a cache policy may ask for. */
export type CacheNeed = "popularity" | "future";

export interface CacheContext {
  /** Dense ids are in [base, base + objects); base is 0 unless the cache serves one layer of a model. */
  readonly objects: number;
  readonly base?: number;
  readonly capacity: number;
  /** Uses of object base + i in the fitting set at index i, for static residency; null if not needed. */
  readonly popularity: Float64Array | null;
  /** The whole coming access sequence with call boundaries, for clairvoyant replay; null if not needed. */
  readonly future: CallLog | null;
}

/** A recorded sequence of calls: call c touches keys[starts[c] .. starts[c + 1]). */
export interface CallLog {
  readonly keys: Uint32Array;
  readonly starts: Uint32Array;
  readonly calls: number;
}

/** A cache policy: one file each, listed in `caches.ts`. */
export interface CachePolicy {
  readonly name: string;
  readonly needs: readonly CacheNeed[];
  create(context: CacheContext): ExpertCache;
}
