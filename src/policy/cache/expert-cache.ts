import type { Parameters, ParameterValues } from "../../core/parameters.ts";

/**
 * A cache of experts under event-atomic replay. The event is one layer call with its distinct experts. Hits are judged
 * against residency at the start of the call. Then all its experts, hits included, are touched in the given order; the
 * last is the most recent. Eviction never removes an expert that the call has still to compute. When a call has more
 * distinct experts than slots, the surplus streams through the transfer buffer; the policy chooses what stays resident.
 * Admission is mandatory for every policy that evicts, unless an admission filters the call (`admission/admitted.ts`).
 * After a call that fits, all its experts are resident: victims are experts outside the call. A call that does not fit
 * evicts from all experts, in the policy's order.
 */
export interface ExpertCache {
  /** Slots of this cache. */
  readonly capacity: number;
  /** Objects resident now. */
  readonly resident: number;
  contains(key: number): boolean;
  /**
   * Serves one call. keys[from .. to) are distinct dense ids in stored order. Writes 1 (hit) or 0 (miss) to
   * hit[0 .. to - from); returns the number of hits.
   * @param weights [0 .. to - from) router weights of each expert summed over the tokens of the call, for policies that need
   * `weights`; for those that need `tokens`, the tokens of each. Absent where nobody knows
   */
  call(keys: Uint32Array, from: number, to: number, hit: Uint8Array, weights?: Float64Array): number;
  /**
   * An absent expert enters without being used: somebody prefetches it. Where there is no room, the policy's first victim that
   * is not spared leaves: `spared` holds 1 at the id, less the base, of each expert that must stay. Returns whether it entered;
   * nothing changes where it did not. A policy that never changes what it holds lets nothing in.
   */
  insert(key: number, spared: Uint8Array): boolean;
  /** A resident expert leaves: a transfer that nobody wants any more. It is as if evicted. */
  drop(key: number): void;
  /** A request begins; for policies that forget with it. Absent: it changes nothing. */
  requestStarts?(): void;
  /**
   * What the run's prefetcher expects in this step, the most wanted first: keys[from .. to). It holds until the next time. For
   * policies that rank by predictions. Absent: it changes nothing.
   */
  foresee?(keys: Uint32Array, from: number, to: number): void;
}

/** What a cache policy may ask for. `layers`: it ranks the experts of all layers against one another, so scope global. */
export type CacheNeed = "popularity" | "future" | "weights" | "tokens" | "layers";

export interface CacheContext {
  /** Experts that a token chooses. Absent: 1. */
  readonly topK?: number;
  /** Experts of a layer: key k belongs to layer floor(k / expertsPerLayer). Absent: one layer. */
  readonly expertsPerLayer?: number;
  /** MoE layers of the model, in the order in which a step passes them. Absent: one. */
  readonly layers?: number;
  /** Seed of what a policy draws at random. Absent: 0. */
  readonly seed?: number;
  /** Dense ids are in [base, base + objects); base is 0 unless the cache serves one layer of a model. */
  readonly objects: number;
  readonly base?: number;
  readonly capacity: number;
  /**
   * Uses of object base + i at index i; negative for an object that the cache never serves. For policies that need
   * `popularity`; others ignore it. null where nothing was counted.
   */
  readonly popularity: Float64Array | null;
  /**
   * All accesses to come, with call boundaries. For policies that need the `future`; others ignore it. null in a run.
   */
  readonly future: CallLog | null;
}

/** A recorded sequence of calls: call c touches keys[starts[c] .. starts[c + 1]). */
export interface CallLog {
  readonly keys: Uint32Array;
  readonly starts: Uint32Array;
  readonly calls: number;
}

/**
 * A cache policy: one file each, listed in `caches.ts`. It ranks experts over the layer call; which of the missing ones
 * may enter at all is for an admission.
 */
export interface CachePolicy<Shape extends Parameters = Parameters> {
  readonly name: string;
  /** What it does, as a scenario's schema says it. */
  readonly rule: string;
  readonly needs: readonly CacheNeed[];
  /** Whether it goes by how layers follow one another, so that each MoE layer needs a recorded one of its own. Absent: it does not. */
  matchesLayers?(values: ParameterValues<Shape>): boolean;
  readonly parameters: Shape;
  /** @param values of the parameters; their defaults where absent */
  create(context: CacheContext, values?: ParameterValues<Shape>): ExpertCache;
}

/** A policy with its parameters set. */
export function configured<Shape extends Parameters>(
  policy: CachePolicy<Shape>,
  values: ParameterValues<Shape>,
): CachePolicy {
  return { ...policy, parameters: {}, create: (context) => policy.create(context, values) };
}
