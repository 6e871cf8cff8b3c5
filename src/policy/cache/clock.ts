import { z } from "zod";
import { nextStamp } from "./call-stamps.ts";
import { denseArray, ringLength } from "./dense-arrays.ts";
import type { CacheContext, CachePolicy, ExpertCache } from "./expert-cache.ts";

/**
 * A queue of residents, oldest first. Hits count, up to a bound. The oldest resident goes if it has no hit left.
 * Otherwise it loses one and becomes the newest: a second chance. Experts of the call become the newest without losing
 * any.
 */
class ClockCache implements ExpertCache {
  readonly capacity: number;
  resident = 0;
  readonly #base: number;
  readonly #usesMax: number;
  /** Call in which each object was last used; 0 if it is not resident. */
  readonly #usedIn: Uint16Array;
  /** Hits that each resident has left. */
  readonly #uses: Uint8Array;
  /** Residents from `head` up to `tail`, oldest first, positions modulo the length, a power of two. */
  readonly #queue: Uint16Array | Uint32Array;
  #head = 0;
  #tail = 0;
  #call = 0;

  constructor(context: CacheContext, bits: number) {
    this.capacity = context.capacity;
    this.#base = context.base ?? 0;
    this.#usesMax = (1 << bits) - 1;
    this.#usedIn = new Uint16Array(context.objects);
    this.#uses = new Uint8Array(context.objects);
    this.#queue = denseArray(ringLength(context.objects + 1), context.objects);
  }

  contains(key: number): boolean {
    return (this.#usedIn[key - this.#base] ?? 0) !== 0;
  }

  call(keys: Uint32Array, from: number, to: number, hit: Uint8Array): number {
    const base = this.#base;
    const usedIn = this.#usedIn;
    const uses = this.#uses;
    const queue = this.#queue;
    const mask = queue.length - 1;
    const now = nextStamp(this.#call, usedIn);
    this.#call = now;
    let tail = this.#tail;
    let hits = 0;
    for (let i = from; i < to; i++) {
      const id = keys[i]! - base;
      const wasResident = usedIn[id] === 0 ? 0 : 1;
      hit[i - from] = wasResident;
      hits += wasResident;
      usedIn[id] = now;
      if (wasResident === 1) uses[id] = Math.min(this.#usesMax, uses[id]! + 1);
      else {
        uses[id] = 0;
        queue[tail++ & mask] = id;
      }
    }
    this.#tail = tail;
    this.resident += to - from - hits;
    if (this.resident > this.capacity) this.#evict(to - from <= this.capacity ? now : -1);
    return hits;
  }

  insert(key: number, spared: Uint8Array): boolean {
    if (this.resident >= this.capacity && !this.#evictUnspared(spared)) return false;
    const id = key - this.#base;
    this.#call = Math.max(1, this.#call);
    this.#usedIn[id] = this.#call;
    this.#uses[id] = 0;
    this.#queue[this.#tail++ & (this.#queue.length - 1)] = id;
    this.resident++;
    return true;
  }

  drop(key: number): void {
    const id = key - this.#base;
    for (let i = this.#head; i < this.#tail; i++)
      if (this.#queue[i & (this.#queue.length - 1)] === id) this.#takeOut(i);
  }

  /** The hand passes over spared experts; each other one loses its hits before it goes. Returns whether one went. */
  #evictUnspared(spared: Uint8Array): boolean {
    const mask = this.#queue.length - 1;
    let spares = 0;
    for (let i = this.#head; i < this.#tail; i++) if (spared[this.#queue[i & mask]!] === 1) spares++;
    if (spares === this.resident) return false;
    for (;;) {
      const id = this.#queue[this.#head & mask]!;
      if (spared[id] !== 1 && this.#uses[id] === 0) {
        this.#takeOut(this.#head);
        return true;
      }
      if (spared[id] !== 1) this.#uses[id]!--;
      this.#head++;
      this.#queue[this.#tail++ & mask] = id;
    }
  }

  /** Removes the resident at a place of the queue. */
  #takeOut(place: number): void {
    const mask = this.#queue.length - 1;
    this.#usedIn[this.#queue[place & mask]!] = 0;
    for (let i = place; i > this.#head; i--) this.#queue[i & mask] = this.#queue[(i - 1) & mask]!;
    this.#head++;
    this.resident--;
  }

  /** Evicts down to the capacity, passing over those used in call `protect`. */
  #evict(protect: number): void {
    const queue = this.#queue;
    const mask = queue.length - 1;
    while (this.resident > this.capacity) {
      const id = queue[this.#head++ & mask]!;
      if (this.#usedIn[id] !== protect) {
        if (this.#uses[id] === 0) {
          this.#usedIn[id] = 0;
          this.resident--;
          continue;
        }
        this.#uses[id]!--;
      }
      queue[this.#tail++ & mask] = id;
    }
    this.#head &= mask;
    this.#tail = this.#head + this.resident;
  }
}

const parameters = {
  bits: z
    .int()
    .min(1)
    .max(8)
    .default(1)
    .describe("Bits of the count of hits that an expert has to lose before it goes; 1: one second chance."),
};

/**
 * CLOCK (Corbato, A paging experiment with the Multics system, MIT Project MAC, 1968), with a count of several bits as in
 * libCacheSim: recency for little more than the price of FIFO.
 */
export const clock: CachePolicy<typeof parameters> = {
  name: "clock",
  rule: "Evicts the oldest expert without a hit to lose; one with a hit loses it and becomes the newest.",
  needs: [],
  parameters,
  create: (context, { bits } = { bits: 1 }) => new ClockCache(context, bits),
};
