import { denseArray } from "./dense-arrays.ts";
import type { CacheContext, CachePolicy, ExpertCache } from "./expert-cache.ts";
import { absent, beforeCalls, idle, nextCall } from "./use-marks.ts";

/** Entries of the log per slot. */
const entriesPerSlot = 3;
/** No mark: nobody is spared. */
const noCall = 0x10000;

/**
 * Residents in a log in load order; who leaves, leaves a hole. A hand goes from old to new, then starts again at the oldest. It
 * takes the mark of use from each that it passes, and stops at the first without one, which leaves. It passes over the experts
 * of the call, which keep theirs.
 */
class SieveCache implements ExpertCache {
  readonly capacity: number;
  resident = 0;
  readonly #base: number;
  /** By object; one more stands for a hole and is always absent. */
  readonly #marks: Uint16Array;
  readonly #hole: number;
  readonly #log: Uint16Array | Uint32Array;
  #logged = 0;
  #hand = 0;
  #call = beforeCalls;
  readonly #missing: Uint16Array | Uint32Array;

  constructor({ capacity, objects, base = 0 }: CacheContext) {
    this.capacity = capacity;
    this.#base = base;
    this.#hole = objects;
    this.#marks = new Uint16Array(objects + 1);
    this.#log = denseArray(objects + entriesPerSlot * Math.min(capacity, objects) + 1, objects);
    this.#missing = denseArray(objects, objects);
  }

  contains(key: number): boolean {
    const id = key - this.#base;
    return id < this.#hole && (this.#marks[id] ?? absent) !== absent;
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
    const excess = this.resident + misses - this.capacity;
    if (calls <= this.capacity && excess > 0) {
      this.#evict(excess, now);
      // With more than one missing expert, the first of them is already in the queue when the last victim leaves.
      if (misses === 1) this.#settleHand();
    }
    this.#append(misses);
    if (calls > this.capacity && excess > 0) {
      this.#evict(excess, noCall);
      this.#settleHand();
    }
    return calls - misses;
  }

  insert(key: number, spared: Uint8Array): boolean {
    if (this.resident >= this.capacity && !this.#evictUnspared(spared)) return false;
    const id = key - this.#base;
    this.#missing[0] = id;
    this.#marks[id] = idle;
    this.#append(1);
    return true;
  }

  drop(key: number): void {
    const id = key - this.#base;
    this.#log[this.#log.indexOf(id)] = this.#hole;
    this.#marks[id] = absent;
    this.resident--;
    this.#settleHand();
  }

  /** Appends the missing objects of a call, after the victims have left. */
  #append(misses: number): void {
    if (this.#logged + misses > this.#log.length) this.#closeHoles();
    const log = this.#log;
    const missing = this.#missing;
    const logged = this.#logged;
    for (let i = 0; i < misses; i++) log[logged + i] = missing[i]!;
    this.#logged = logged + misses;
    this.resident += misses;
  }

  /** Evicts so many, sparing those used in call `now`. */
  #evict(count: number, now: number): void {
    const marks = this.#marks;
    const log = this.#log;
    const logged = this.#logged;
    const hole = this.#hole;
    let hand = this.#hand;
    let found = 0;
    while (found < count) {
      if (hand === logged) hand = 0;
      const id = log[hand]!;
      const mark = marks[id]!;
      const isIdle = ((mark ^ idle) - 1) >>> 31;
      const isCalled = ((mark ^ now) - 1) >>> 31;
      // Idle ones leave a hole, used ones become idle, those of the call stay as they are, a hole stays absent.
      marks[id] = ((now - idle) & (0 - isCalled)) + ((idle - mark) >>> 31);
      log[hand] = id ^ ((id ^ hole) & (0 - isIdle));
      found = (found + isIdle) | 0;
      hand = (hand + 1) | 0;
    }
    this.#hand = hand;
    this.resident -= count;
  }

  #evictUnspared(spared: Uint8Array): boolean {
    const stays = (id: number) => id === this.#hole || spared[id] === 1;
    if (this.#log.subarray(0, this.#logged).every(stays)) return false;
    for (;;) {
      if (this.#hand === this.#logged) this.#hand = 0;
      const id = this.#log[this.#hand]!;
      if (!stays(id) && this.#marks[id] === idle) break;
      if (!stays(id)) this.#marks[id] = idle;
      this.#hand++;
    }
    this.#marks[this.#log[this.#hand]!] = absent;
    this.#log[this.#hand] = this.#hole;
    this.resident--;
    this.#settleHand();
    return true;
  }

  /** After the newest has left, the hand is at the oldest, whoever is loaded next. */
  #settleHand(): void {
    while (this.#hand < this.#logged && this.#log[this.#hand] === this.#hole) this.#hand++;
    if (this.#hand === this.#logged) this.#hand = 0;
  }

  #closeHoles(): void {
    const log = this.#log;
    let kept = 0;
    let hand = 0;
    for (let i = 0; i < this.#logged; i++) {
      if (i === this.#hand) hand = kept;
      if (log[i] !== this.#hole) log[kept++] = log[i]!;
    }
    this.#hand = this.#hand === this.#logged ? kept : hand;
    this.#logged = kept;
  }
}

/**
 * SIEVE (Zhang, Yang, Yue, Vigfusson and Rashmi, NSDI 2024): FIFO with lazy promotion and quick demotion. Used experts keep their
 * place in the queue, so the hand sifts newcomers out first.
 */
export const sieve: CachePolicy = {
  name: "sieve",
  rule: "A hand goes from old to new and evicts the first expert not used since it last passed; the others keep their place.",
  needs: [],
  parameters: {},
  create: (context) => new SieveCache(context),
};
