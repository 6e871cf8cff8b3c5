import { z } from "zod";
import { holds } from "../../core/errors.ts";
import type { CacheContext, CachePolicy, CallLog, ExpertCache } from "./expert-cache.ts";
import { PositionSet } from "./position-set.ts";

/** Marks an access that is the last of its object. */
const never = -1;

/**
 * The clairvoyant cache. A resident object stands in a set of trace positions by its next use. An access hits if its
 * own position is in the set; the victim is the highest position. Residents without a next use go first. Must be called
 * with exactly the log it was given.
 */
class BeladyCache implements ExpertCache {
  readonly capacity: number;
  resident = 0;
  readonly #base: number;
  readonly #bypass: boolean;
  readonly #future: CallLog;
  readonly #nextUse: Int32Array;
  readonly #upcoming: PositionSet;
  /** Residents that are never used again, the latest first to go. */
  readonly #finished: Int32Array;
  #finishedCount = 0;
  #call = 0;

  constructor(context: CacheContext, bypass: boolean, loaded: boolean) {
    holds(context.future !== null, "cache-policy-needs", () => "clairvoyant replay without the coming accesses");
    this.capacity = context.capacity;
    this.#base = context.base ?? 0;
    this.#bypass = bypass;
    this.#future = context.future;
    this.#nextUse = nextUses(context.future, this.#base, context.objects);
    this.#upcoming = new PositionSet(this.#nextUse.length);
    this.#finished = new Int32Array(context.objects);
    if (loaded) this.#load(context.objects);
  }

  /** Searches the next use: costs the distance to it. */
  contains(key: number): boolean {
    const { keys, starts } = this.#future;
    const next = keys.indexOf(key, starts[this.#call]);
    if (next >= 0 && next < this.#nextUse.length) return this.#upcoming.has(next);
    return this.#finished.lastIndexOf(key - this.#base, this.#finishedCount - 1) >= 0 && this.#finishedCount > 0;
  }

  call(keys: Uint32Array, from: number, to: number, hit: Uint8Array): number {
    const start = this.#nextCall(keys, from, to);
    const end = start + to - from;
    const hits = this.#upcoming.takeRange(start, end, hit);
    this.resident += end - start - hits;
    // Victims are chosen before the next uses of a call that must stay enter the set, so its own experts are safe.
    const mustStay = !this.#bypass && end - start <= this.capacity;
    if (mustStay) this.#evict();
    this.#schedule(start, end);
    if (!mustStay) this.#evict();
    return hits;
  }

  /** The optimum of what is asked for: nothing is prefetched into it. */
  insert(): boolean {
    return false;
  }

  drop(): void {}

  /** Holds what is used first: a cache that starts empty holds the same once it is full, and has missed each of it once. */
  #load(objects: number): void {
    const used = new Uint8Array(objects);
    for (let position = 0; position < this.#nextUse.length && this.resident < this.capacity; position++) {
      const id = this.#future.keys[position]! - this.#base;
      if (used[id] === 1) continue;
      used[id] = 1;
      this.#upcoming.add(position);
      this.resident++;
    }
  }

  #schedule(start: number, end: number): void {
    const nextUse = this.#nextUse;
    const upcoming = this.#upcoming;
    for (let position = start; position < end; position++) {
      const next = nextUse[position]!;
      if (next !== never) upcoming.add(next);
      else this.#finished[this.#finishedCount++] = this.#future.keys[position]! - this.#base;
    }
  }

  #evict(): void {
    let excess = this.resident - this.capacity;
    if (excess <= 0) return;
    this.resident = this.capacity;
    for (; excess > 0 && this.#finishedCount > 0; excess--) this.#finishedCount--;
    for (; excess > 0; excess--) this.#upcoming.takeHighest();
  }

  /** Position of the coming call in the log; the call must be that one. */
  #nextCall(keys: Uint32Array, from: number, to: number): number {
    const { starts, keys: expected, calls } = this.#future;
    const start = starts[this.#call]!;
    let same = this.#call < calls && starts[this.#call + 1]! - start === to - from;
    if (keys !== expected || from !== start)
      for (let i = from; same && i < to; i++) same = keys[i] === expected[start + i - from];
    holds(same, "clairvoyant-replay", () => `call ${this.#call} is not the one in the given future`);
    this.#call++;
    return start;
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

const parameters = {
  bypass: z
    .boolean()
    .default(false)
    .describe("Whether an expert of a call may stay out although it fits: the optimum over all admissions."),
  loaded: z
    .boolean()
    .default(false)
    .describe("Whether it starts with the best experts to start with: the optimum over all first residents."),
};

/**
 * Belady's optimum (IBM Systems Journal 5(2), 1966): evicts the expert whose next use is farthest away. Under mandatory
 * admission, no policy that must hold the experts of a fitting call misses less. With `bypass` it may leave out experts of
 * the call itself, and no policy under any admission misses less that starts empty. With `loaded` too, none does that starts with
 * any experts.
 */
export const belady: CachePolicy<typeof parameters> = {
  name: "belady",
  rule: "Evicts the expert whose next use is farthest away.",
  needs: ["future"],
  parameters,
  create: (context, { bypass, loaded } = { bypass: false, loaded: false }) => new BeladyCache(context, bypass, loaded),
};
