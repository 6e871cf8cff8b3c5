import { holds } from "../../core/errors.ts";
import type { CacheContext, CachePolicy, CallLog, ExpertCache } from "./expert-cache.ts";
import { PositionSet } from "./position-set.ts";

/** Marks an access that is the last of its object, and an object not used yet. */
const never = -1;
const unseen = -2;

/**
 * The clairvoyant cache. A resident is represented by the trace position of its next use in a set of positions: an
 * access hits if its own position is in the set, and the victim is the highest position. Residents without a next use
 * go first. Must be called with exactly the log it was given.
 */
class BeladyCache implements ExpertCache {
  readonly capacity: number;
  resident = 0;
  readonly #base: number;
  readonly #future: CallLog;
  readonly #nextUse: Int32Array;
  readonly #upcoming: PositionSet;
  /** Next use of each object as of its last use, for `contains`. */
  readonly #nextUseOf: Int32Array;
  /** Residents that are never used again, and whether an object is one. */
  readonly #finished: Int32Array;
  readonly #isFinished: Uint8Array;
  #finishedCount = 0;
  #call = 0;

  constructor(context: CacheContext) {
    holds(context.future !== null, "cache-policy-needs", () => "clairvoyant replay without the coming accesses");
    this.capacity = context.capacity;
    this.#base = context.base ?? 0;
    this.#future = context.future;
    this.#nextUse = nextUses(context.future, this.#base, context.objects);
    this.#upcoming = new PositionSet(this.#nextUse.length);
    this.#nextUseOf = new Int32Array(context.objects).fill(unseen);
    this.#finished = new Int32Array(context.objects);
    this.#isFinished = new Uint8Array(context.objects);
  }

  contains(key: number): boolean {
    const next = this.#nextUseOf[key - this.#base] ?? unseen;
    return next >= 0 ? this.#upcoming.has(next) : next === never && this.#isFinished[key - this.#base] === 1;
  }

  call(keys: Uint32Array, from: number, to: number, hit: Uint8Array): number {
    const upcoming = this.#upcoming;
    const start = this.#future.starts[this.#call]!;
    this.#checkCall(keys, from, to);
    this.#call++;
    let hits = 0;
    for (let position = start; position < start + to - from; position++) {
      const wasResident = upcoming.remove(position) ? 1 : 0;
      hit[position - start] = wasResident;
      hits += wasResident;
    }
    const size = to - from;
    this.resident += size - hits;
    // Victims are chosen before the next uses of a fitting call enter the set, so its own experts are safe.
    if (size <= this.capacity) {
      this.#evict();
      this.#schedule(keys, from, to, start);
    } else {
      this.#schedule(keys, from, to, start);
      this.#evict();
    }
    return hits;
  }

  #schedule(keys: Uint32Array, from: number, to: number, start: number): void {
    const base = this.#base;
    const nextUse = this.#nextUse;
    const nextUseOf = this.#nextUseOf;
    const upcoming = this.#upcoming;
    for (let i = from; i < to; i++) {
      const id = keys[i]! - base;
      const next = nextUse[start + i - from]!;
      nextUseOf[id] = next;
      if (next !== never) upcoming.add(next);
      else {
        this.#finished[this.#finishedCount++] = id;
        this.#isFinished[id] = 1;
      }
    }
  }

  #evict(): void {
    while (this.resident > this.capacity) {
      this.resident--;
      if (this.#finishedCount > 0) this.#isFinished[this.#finished[--this.#finishedCount]!] = 0;
      else this.#upcoming.remove(this.#upcoming.highest());
    }
  }

  #checkCall(keys: Uint32Array, from: number, to: number): void {
    const { starts, keys: expected, calls } = this.#future;
    const start = starts[this.#call] ?? 0;
    let same = this.#call < calls && starts[this.#call + 1]! - start === to - from;
    for (let i = from; same && i < to; i++) same = keys[i] === expected[start + i - from];
    holds(same, "clairvoyant-replay", () => `call ${this.#call} is not the one in the given future`);
  }
}

/** Position of the next use of the object at each position of a log, or -1. */
function nextUses(log: CallLog, base: number, objects: number): Int32Array {
  const accesses = log.starts[log.calls]!;
  const next = new Int32Array(accesses);
  const upcoming = new Int32Array(objects).fill(never);
  for (let position = accesses - 1; position >= 0; position--) {
    const id = log.keys[position]! - base;
    next[position] = upcoming[id]!;
    upcoming[id] = position;
  }
  return next;
}

/**
 * Belady's optimum under mandatory admission (IBM Systems Journal 5(2), 1966): evicts the expert whose next use is
 * farthest away. No policy that must hold the experts of a fitting call misses less; a static set may, because it
 * starts loaded and never admits.
 */
export const belady: CachePolicy = { name: "belady", needs: ["future"], create: (context) => new BeladyCache(context) };
