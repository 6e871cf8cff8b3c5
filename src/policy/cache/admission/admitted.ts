import type { CachePolicy, ExpertCache } from "../expert-cache.ts";
import type { AdmissionChoice, AdmissionFilter } from "./admission.ts";

/**
 * A cache that sees of each call what may enter it, and what it holds already. All other experts are misses that stream
 * through the transfer buffer: nothing is evicted for them, and no policy counts them as used.
 */
class AdmittingCache implements ExpertCache {
  readonly #cache: ExpertCache;
  readonly #filter: AdmissionFilter;
  readonly #admitted: Uint8Array;
  /** The part of the call that the cache sees: its keys, their places in the call, whether they hit, and their weights. */
  readonly #keys: Uint32Array;
  readonly #places: Uint32Array;
  readonly #hit: Uint8Array;
  readonly #weights: Float64Array;

  constructor(cache: ExpertCache, filter: AdmissionFilter, objects: number) {
    this.#cache = cache;
    this.#filter = filter;
    this.#admitted = new Uint8Array(objects);
    this.#keys = new Uint32Array(objects);
    this.#places = new Uint32Array(objects);
    this.#hit = new Uint8Array(objects);
    this.#weights = new Float64Array(objects);
  }

  get capacity(): number {
    return this.#cache.capacity;
  }

  get resident(): number {
    return this.#cache.resident;
  }

  contains(key: number): boolean {
    return this.#cache.contains(key);
  }

  call(keys: Uint32Array, from: number, to: number, hit: Uint8Array, weights?: Float64Array): number {
    this.#filter.judge(keys, from, to, this.#admitted);
    let seen = 0;
    for (let i = from; i < to; i++) {
      hit[i - from] = 0;
      if (this.#admitted[i - from] === 0 && !this.#cache.contains(keys[i]!)) continue;
      this.#keys[seen] = keys[i]!;
      if (weights !== undefined) this.#weights[seen] = weights[i - from]!;
      this.#places[seen++] = i - from;
    }
    const hits = this.#cache.call(this.#keys, 0, seen, this.#hit, weights === undefined ? undefined : this.#weights);
    for (let i = 0; i < seen; i++) hit[this.#places[i]!] = this.#hit[i]!;
    return hits;
  }

  insert(key: number, spared: Uint8Array): boolean {
    return this.#cache.insert(key, spared);
  }

  drop(key: number): void {
    this.#cache.drop(key);
  }

  requestStarts(): void {
    this.#cache.requestStarts?.();
  }

  foresee(keys: Uint32Array, from: number, to: number): void {
    this.#cache.foresee?.(keys, from, to);
  }
}

/**
 * A policy whose caches let in what an admission allows; null: everything. Where everything enters, they are those of the
 * policy itself.
 */
export function admitted(policy: CachePolicy, choice: AdmissionChoice | null): CachePolicy {
  if (choice === null) return policy;
  return {
    ...policy,
    create: (context, values) => {
      const cache = policy.create(context, values);
      const filter = choice.admission.create(context, choice.values);
      return filter === null ? cache : new AdmittingCache(cache, filter, context.objects);
    },
  };
}
