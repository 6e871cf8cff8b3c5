import type { CacheContext, ExpertCache } from "./expert-cache.ts";

/**
 * A cache that evicts the resident with the lowest rank, ties to the least recently used. What ranks are made of is for the
 * policy, which sees every call and every expert that enters or leaves. Ranks are asked for when somebody has to leave, one for
 * each resident: for policies whose ranks change too often for an order to be kept.
 */
export abstract class RankedCache implements ExpertCache {
  readonly capacity: number;
  resident = 0;
  protected readonly base: number;
  protected readonly objects: number;
  protected readonly expertsPerLayer: number;
  protected readonly layers: number;
  readonly #knowsLayers: boolean;
  /** Number of the latest use of each object, a prefetch included. */
  readonly #usedAt: Float64Array;
  #uses = 0;
  /** Residents in any order, and one plus the place of each object among them. */
  readonly #residents: Uint32Array;
  readonly #placeOf: Uint32Array;
  readonly #ranks: Float64Array;

  constructor(context: CacheContext) {
    this.capacity = context.capacity;
    this.base = context.base ?? 0;
    this.objects = context.objects;
    this.#knowsLayers = context.expertsPerLayer !== undefined;
    this.expertsPerLayer = context.expertsPerLayer ?? context.objects;
    this.layers = context.layers ?? 1;
    this.#usedAt = new Float64Array(context.objects);
    this.#residents = new Uint32Array(context.objects);
    this.#placeOf = new Uint32Array(context.objects);
    this.#ranks = new Float64Array(context.objects);
  }

  /** Rank of a resident, by id: the lowest leaves first. */
  protected abstract rank(id: number): number;

  /** A call was served; its experts count as used, and all of them are residents until somebody leaves. */
  protected asked(_keys: Uint32Array, _from: number, _to: number, _weights?: Float64Array): void {}

  /** An expert takes a slot: for a call that is about to be told by `asked`, or prefetched. */
  protected entered(_id: number): void {}

  protected left(_id: number): void {}

  /** Layer of an id; 0 where the cache knows of one layer only. */
  protected layerOf(id: number): number {
    return this.#knowsLayers ? ((id + this.base) / this.expertsPerLayer) | 0 : 0;
  }

  /** Ids of the residents, in any order; a view that changes with them. */
  protected get residents(): Uint32Array {
    return this.#residents.subarray(0, this.resident);
  }

  contains(key: number): boolean {
    return (this.#placeOf[key - this.base] ?? 0) !== 0;
  }

  call(keys: Uint32Array, from: number, to: number, hit: Uint8Array, weights?: Float64Array): number {
    if (from === to) return 0;
    const before = this.#uses;
    let hits = 0;
    for (let i = from; i < to; i++) {
      const id = keys[i]! - this.base;
      const wasResident = this.#placeOf[id] === 0 ? 0 : 1;
      hit[i - from] = wasResident;
      hits += wasResident;
      this.#usedAt[id] = ++this.#uses;
      if (wasResident === 0) this.#takeIn(id);
    }
    this.asked(keys, from, to, weights);
    const fits = to - from <= this.capacity;
    this.#evict(this.resident - this.capacity, (id) => fits && this.#usedAt[id]! > before);
    return hits;
  }

  insert(key: number, spared: Uint8Array): boolean {
    const isSpared = (id: number): boolean => spared[id] === 1;
    if (this.resident >= this.capacity && !this.#evict(this.resident - this.capacity + 1, isSpared)) return false;
    const id = key - this.base;
    this.#usedAt[id] = ++this.#uses;
    this.#takeIn(id);
    return true;
  }

  drop(key: number): void {
    this.#takeOut(key - this.base);
  }

  #takeIn(id: number): void {
    this.#residents[this.resident++] = id;
    this.#placeOf[id] = this.resident;
    this.entered(id);
  }

  #takeOut(id: number): void {
    const place = this.#placeOf[id]!;
    const last = this.#residents[--this.resident]!;
    this.#residents[place - 1] = last;
    this.#placeOf[last] = place;
    this.#placeOf[id] = 0;
    this.left(id);
  }

  /** Evicts `count` of those that are not spared; returns whether there were as many. */
  #evict(count: number, spared: (id: number) => boolean): boolean {
    for (let i = 0; i < this.resident && count > 0; i++)
      this.#ranks[this.#residents[i]!] = this.rank(this.#residents[i]!);
    for (; count > 0; count--) {
      let victim = -1;
      for (let i = 0; i < this.resident; i++) {
        const id = this.#residents[i]!;
        if (spared(id)) continue;
        const order =
          victim < 0 ? -1 : this.#ranks[id]! - this.#ranks[victim]! || this.#usedAt[id]! - this.#usedAt[victim]!;
        if (order < 0) victim = id;
      }
      if (victim < 0) return false;
      this.#takeOut(victim);
      if (this.ranksShift) for (const id of this.residents) this.#ranks[id] = this.rank(id);
    }
    return true;
  }

  /** Whether the ranks of others change when one leaves. */
  protected get ranksShift(): boolean {
    return false;
  }
}
