import type { CacheContext, CallLog, ExpertCache } from "../../src/policy/cache/expert-cache.ts";
import { naiveQueues } from "./naive-queues.ts";

/** Order of eviction among candidates: the smallest key tuple goes first. */
type Rank = (key: number) => readonly number[];

/**
 * Reference cache with a `Map` of residents: counts hits, touches, then evicts one by one the candidate that a policy
 * ranks first. Candidates are the residents outside a fitting call, or everything after a call that does not fit.
 */
class NaiveCache implements ExpertCache {
  readonly capacity: number;
  readonly residents = new Map<number, { loadedAt: number; usedAt: number; uses: number }>();
  #clock = 0;
  calls = 0;
  readonly #rank: (cache: NaiveCache) => Rank;

  /** Calls after which uses count half, but at least one. */
  readonly #halfLife: number;

  constructor(context: CacheContext, rank: (cache: NaiveCache) => Rank, halfLife = Number.POSITIVE_INFINITY) {
    this.capacity = context.capacity;
    this.#rank = rank;
    this.#halfLife = halfLife;
  }

  get resident(): number {
    return this.residents.size;
  }

  contains(key: number): boolean {
    return this.residents.has(key);
  }

  call(keys: Uint32Array, from: number, to: number, hit: Uint8Array): number {
    const called = [...keys.subarray(from, to)];
    let hits = 0;
    called.forEach((key, i) => {
      hit[i] = this.residents.has(key) ? 1 : 0;
      hits += hit[i] ?? 0;
    });
    for (const key of called) {
      this.#clock++;
      const known = this.residents.get(key);
      this.residents.set(key, {
        loadedAt: known?.loadedAt ?? this.#clock,
        usedAt: this.#clock,
        uses: (known?.uses ?? 0) + 1,
      });
    }
    this.calls++;
    const safe = new Set(called.length <= this.capacity ? called : []);
    const rank = this.#rank(this);
    while (this.residents.size > this.capacity) {
      const candidates = [...this.residents.keys()].filter((key) => !safe.has(key));
      candidates.sort((a, b) => compare(rank(a), rank(b)));
      const victim = candidates[0];
      if (victim === undefined) throw new Error("nothing to evict");
      this.residents.delete(victim);
    }
    if (this.calls % this.#halfLife === 0)
      for (const state of this.residents.values()) state.uses = Math.max(1, Math.floor(state.uses / 2));
    return hits;
  }

  insert(key: number, spared: Uint8Array): boolean {
    const rank = this.#rank(this);
    const candidates = [...this.residents.keys()].filter((other) => spared[other] !== 1);
    candidates.sort((a, b) => compare(rank(a), rank(b)));
    if (this.residents.size >= this.capacity) {
      if (candidates[0] === undefined) return false;
      this.residents.delete(candidates[0]);
    }
    this.#clock++;
    this.residents.set(key, { loadedAt: this.#clock, usedAt: this.#clock, uses: 1 });
    return true;
  }

  drop(key: number): void {
    this.residents.delete(key);
  }
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

const stateOf = (cache: NaiveCache, key: number) => {
  const state = cache.residents.get(key);
  if (state === undefined) throw new Error(`${key} is not resident`);
  return state;
};

/** Position of the next use of a key from a call on, beyond the log if there is none. */
function nextUse(log: CallLog | null, call: number, key: number): number {
  const at = log?.keys.indexOf(key, log.starts[call]) ?? -1;
  return at < 0 ? Number.MAX_SAFE_INTEGER : at;
}

export const naiveCaches = {
  ...naiveQueues,
  lru: (context: CacheContext) => new NaiveCache(context, (cache) => (key) => [stateOf(cache, key).usedAt]),
  fifo: (context: CacheContext) => new NaiveCache(context, (cache) => (key) => [stateOf(cache, key).loadedAt]),
  lfu: (context: CacheContext, halfLife?: number) =>
    new NaiveCache(context, (cache) => (key) => [stateOf(cache, key).uses, stateOf(cache, key).usedAt], halfLife),
  belady: (context: CacheContext) =>
    new NaiveCache(context, (cache) => (key) => [-nextUse(context.future, cache.calls, key)]),
};
