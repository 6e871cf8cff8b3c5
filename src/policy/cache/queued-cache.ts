import type { CacheContext, ExpertCache } from "./expert-cache.ts";
import { LinkedQueue, QueueTable } from "./linked-queue.ts";

/**
 * A cache whose residents stand in queues. It takes the experts of a call one after the other, as its algorithm takes single
 * accesses, except that an expert of the call is never a victim. A call with more experts than slots enters as a whole before
 * anybody leaves; then nobody is kept.
 */
export abstract class QueuedCache implements ExpertCache {
  readonly capacity: number;
  resident = 0;
  protected readonly base: number;
  protected readonly table: QueueTable;
  /** Queues 1, 2, ... The first `residentQueues` of them hold residents, the rest remember others. */
  protected readonly queues: readonly LinkedQueue[];
  readonly #residentQueues: number;
  /** 1 for the objects of a call while it is served. */
  readonly #called: Uint8Array;

  constructor({ capacity, objects, base = 0 }: CacheContext, residentQueues: number, queues: number) {
    this.capacity = capacity;
    this.base = base;
    this.table = new QueueTable(objects, queues);
    this.queues = Array.from({ length: queues }, (_, i) => new LinkedQueue(this.table, i + 1));
    this.#residentQueues = residentQueues;
    this.#called = new Uint8Array(objects);
  }

  /**
   * Takes the experts of a call in turn: residents are touched; others enter, the first `free` of them without room being made. The
   * loop is each policy's own: V8 does not inline the steps of several policies into one loop, which costs up to half the rate.
   */
  protected abstract serve(
    keys: Uint32Array,
    from: number,
    to: number,
    hit: Uint8Array,
    free: number,
    kept: Uint8Array,
  ): void;
  /** An absent object enters without being used. */
  protected abstract load(id: number): void;
  /** Evicts the first in the policy's order that is not kept; there is one. */
  protected abstract evict(kept: Uint8Array): void;

  contains(key: number): boolean {
    return this.#holds(key - this.base);
  }

  call(keys: Uint32Array, from: number, to: number, hit: Uint8Array): number {
    const base = this.base;
    const table = this.table;
    const residentQueues = this.#residentQueues;
    const called = this.#called;
    const fits = to - from <= this.capacity;
    const isCalled = fits ? 1 : 0;
    let hits = 0;
    for (let i = from; i < to; i++) {
      const id = (keys[i]! - base) | 0;
      const queue = table.queueOf[id]!;
      // Without a branch: whether it hits is close to a coin toss.
      const isHit = ((0 - queue) >>> 31) & ((queue - residentQueues - 1) >>> 31);
      hit[(i - from) | 0] = isHit;
      hits += isHit;
      called[id] = isCalled;
    }
    this.serve(keys, from, to, hit, fits ? this.capacity - this.resident : to - from, called);
    for (let i = from; i < to; i++) called[(keys[i]! - base) | 0] = 0;
    this.resident += to - from - hits;
    if (fits) this.resident = Math.min(this.resident, this.capacity);
    for (; this.resident > this.capacity; this.resident--) this.evict(called);
    return hits;
  }

  insert(key: number, spared: Uint8Array): boolean {
    if (this.resident < this.capacity) this.resident++;
    else if (this.#someLeaves(spared)) this.evict(spared);
    else return false;
    this.load(key - this.base);
    return true;
  }

  drop(key: number): void {
    const id = key - this.base;
    this.queues[this.table.queueOf[id]! - 1]!.remove(id);
    this.resident--;
  }

  #holds(id: number): boolean {
    const queue = this.table.queueOf[id]!;
    return queue > 0 && queue <= this.#residentQueues;
  }

  #someLeaves(spared: Uint8Array): boolean {
    for (let id = 0; id < this.table.objects; id++) if (spared[id] !== 1 && this.#holds(id)) return true;
    return false;
  }
}
