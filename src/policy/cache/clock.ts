import { z } from "zod";
import { denseArray, ringLength } from "./dense-arrays.ts";
import type { CacheContext, CachePolicy, ExpertCache } from "./expert-cache.ts";
import { absent, beforeCalls, idle, nextCall } from "./use-marks.ts";

/**
 * Residents on a dial, passed in turn by a hand. The hand takes a hit from each that it passes and stops at the first that has
 * none left; a missing expert takes its place. The hand passes over the experts of the call, which lose nothing.
 */
class ClockCache implements ExpertCache {
  readonly capacity: number;
  resident = 0;
  readonly #base: number;
  readonly #hitsMax: number;
  /** With one bit, a used object has a hit left. With more, `hits` has their number. */
  readonly #marks: Uint16Array;
  readonly #hits: Uint8Array;
  /** Objects by place: the oldest at the hand, free places before it. */
  readonly #dial: Uint16Array | Uint32Array;
  #hand = 0;
  #call = beforeCalls;
  readonly #missing: Uint16Array | Uint32Array;
  readonly #victims: Uint16Array | Uint32Array;

  constructor({ capacity, objects, base = 0 }: CacheContext, bits: number) {
    this.capacity = capacity;
    this.#base = base;
    this.#hitsMax = (1 << bits) - 1;
    this.#marks = new Uint16Array(objects);
    this.#hits = new Uint8Array(objects);
    this.#dial = denseArray(Math.min(capacity, objects), objects);
    this.#missing = denseArray(objects, objects);
    this.#victims = denseArray(objects + 1, objects);
  }

  contains(key: number): boolean {
    return (this.#marks[key - this.#base] ?? absent) !== absent;
  }

  call(keys: Uint32Array, from: number, to: number, hit: Uint8Array): number {
    const base = this.#base;
    const marks = this.#marks;
    const missing = this.#missing;
    const now = nextCall(this.#call, marks);
    this.#call = now;
    let misses = 0;
    for (let i = from; i < to; i++) {
      const id = (keys[i]! - base) | 0;
      // Without branches: whether it hits is close to a coin toss.
      const isHit = (0 - marks[id]!) >>> 31;
      hit[(i - from) | 0] = isHit;
      marks[id] = idle + ((now - idle) & (0 - isHit));
      missing[misses] = id;
      misses = (misses + 1 - isHit) | 0;
    }
    const calls = to - from;
    if (this.#hitsMax > 1) this.#countHits(keys, from, to, hit);
    if (calls > this.capacity) this.#stream(misses);
    else if (misses > 0) this.#enter(misses, now);
    return calls - misses;
  }

  insert(key: number, spared: Uint8Array): boolean {
    const id = key - this.#base;
    if (this.resident < this.capacity) this.#append(id);
    else if (this.#dial.every((other) => spared[other] === 1)) return false;
    else this.#dial[this.#pass((other) => spared[other] === 1)] = id;
    this.#marks[id] = idle;
    this.#hits[id] = 0;
    return true;
  }

  drop(key: number): void {
    const dial = this.#dial;
    const id = key - this.#base;
    let place = dial.indexOf(id);
    // Free places still name who was there: the resident is at or after the hand.
    while ((place - this.#hand + dial.length) % dial.length >= this.resident) place = dial.indexOf(id, place + 1);
    const before = (at: number) => (at === 0 ? dial.length : at) - 1;
    for (; place !== this.#hand; place = before(place)) dial[place] = dial[before(place)]!;
    this.#hand = this.#after(place);
    this.#marks[id] = absent;
    this.resident--;
  }

  #after(place: number): number {
    return place + 1 === this.#dial.length ? 0 : place + 1;
  }

  #append(id: number): void {
    const place = this.#hand + this.resident++;
    this.#dial[place < this.#dial.length ? place : place - this.#dial.length] = id;
  }

  /** Lets the missing objects of a call in, in order: into free places, then in place of a victim each. */
  #enter(misses: number, now: number): void {
    const missing = this.#missing;
    const free = Math.min(misses, this.capacity - this.resident);
    for (let i = 0; i < free; i++) this.#append(missing[i]!);
    if (free === misses) return;
    // Those that found a free place are of the call too: the hand passes over them.
    for (let i = 0; i < free; i++) this.#marks[missing[i]!] = now;
    this.#replace(free, misses, now);
    for (let i = 0; i < free; i++) this.#marks[missing[i]!] = idle;
  }

  /** Each missing object from `from` on takes the place of a victim. */
  #replace(from: number, to: number, now: number): void {
    const dial = this.#dial;
    const missing = this.#missing;
    if (this.#hitsMax > 1) {
      const isCalled = (id: number) => this.#marks[id] === now;
      for (let i = from; i < to; i++) dial[this.#pass(isCalled)] = missing[i]!;
      return;
    }
    const marks = this.#marks;
    const victims = this.#victims;
    const places = dial.length;
    let hand = this.#hand;
    let found = from;
    while (found < to) {
      const id = dial[hand]!;
      const mark = marks[id]!;
      const isIdle = ((mark ^ idle) - 1) >>> 31;
      const isCalled = ((mark ^ now) - 1) >>> 31;
      // Idle ones leave, used ones become idle; those of the call stay as they are, the first victims absent.
      marks[id] = ((now - idle) & (0 - isCalled)) + ((idle - mark) >>> 31);
      victims[found] = hand;
      found = (found + isIdle) | 0;
      hand = hand + 1 === places ? 0 : hand + 1;
    }
    this.#hand = hand;
    for (let i = from; i < to; i++) dial[victims[i]!] = missing[i]!;
  }

  /** Moves the hand past the first that is not kept and has no hit left; it is absent then, and its place is returned. */
  #pass(isKept: (id: number) => boolean): number {
    for (;;) {
      const place = this.#hand;
      const id = this.#dial[place]!;
      this.#hand = this.#after(place);
      if (isKept(id) || this.#loseHit(id)) continue;
      this.#marks[id] = absent;
      return place;
    }
  }

  /** Counts the uses of a call that are hits; all of the call are marked as used. */
  #countHits(keys: Uint32Array, from: number, to: number, hit: Uint8Array): void {
    const hits = this.#hits;
    for (let i = from; i < to; i++) {
      const id = keys[i]! - this.#base;
      this.#marks[id] = this.#call;
      hits[id] = hit[i - from] === 0 ? 0 : Math.min(this.#hitsMax, hits[id]! + 1);
    }
  }

  /** Takes a hit from a resident; returns whether it had one. */
  #loseHit(id: number): boolean {
    const held = this.#hitsMax > 1 ? this.#hits[id]! > 0 : this.#marks[id]! > idle;
    if (held && this.#hitsMax > 1) this.#hits[id]!--;
    else if (held) this.#marks[id] = idle;
    return held;
  }

  /** A call with more objects than places: all enter, then the oldest go, whoever they are. */
  #stream(misses: number): void {
    const queue = denseArray(ringLength(this.resident + misses), this.#marks.length);
    const mask = queue.length - 1;
    let tail = 0;
    for (let place = this.#hand; tail < this.resident; place = this.#after(place)) queue[tail++] = this.#dial[place]!;
    for (let i = 0; i < misses; i++) queue[tail++] = this.#missing[i]!;
    let head = 0;
    while (tail - head > this.capacity) {
      const id = queue[head++ & mask]!;
      if (this.#loseHit(id)) queue[tail++ & mask] = id;
      else this.#marks[id] = absent;
    }
    this.resident = tail - head;
    this.#hand = 0;
    for (let place = 0; place < this.resident; place++) this.#dial[place] = queue[head++ & mask]!;
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
