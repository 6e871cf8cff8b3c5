import { z } from "zod";
import { RandomStream } from "../../core/random.ts";
import { denseArray } from "./dense-arrays.ts";
import type { CacheContext, CachePolicy, ExpertCache } from "./expert-cache.ts";
import { agesMax, HitDensity } from "./hit-density.ts";

/** Newcomers of low density that are candidates beside the sampled ones. */
const recentMax = 8;
/** Candidates, and rounds of computing densities, while little is known. */
const samplesEarly = 8;
const earlyRounds = 50;
/** One access in 2^5 makes an explorer, which is kept for what can be learnt of it; at most 1 % of the slots are. */
const explorerBits = 5;
const drawsPerWord = 6;
const explorerShare = 0.01;
const explorerBonus = 1;
/** Weight of the densities of earlier victims in their mean. */
const victimDecay = 0.9;
const perWord = 1 / 4294967296;

/**
 * Residents stand in an array; those of the call that must not leave stand at its end. A victim is the one of least hit density
 * among some of the others, drawn at random.
 */
class LhdCache implements ExpertCache {
  readonly capacity: number;
  resident = 0;
  readonly #base: number;
  readonly #samples: number;
  readonly #accessesPerRound: number;
  readonly #random: RandomStream;
  readonly #density = new HitDensity();
  readonly #residents: Uint16Array | Uint32Array;
  /** One plus the place of each object among the residents; 0 if it is none. */
  readonly #placeOf: Uint16Array | Uint32Array;
  /** Number of the access, modulo 2^32, in which each object was last used. */
  readonly #touchedAt: Uint32Array;
  readonly #hitAge: Uint16Array;
  readonly #hitAgeBefore: Uint16Array;
  readonly #classOf: Uint8Array;
  readonly #explores: Uint8Array;
  #explorersLeft: number;
  /** Random bits for the next draws of explorers. */
  #drawn = 0;
  #drawsLeft = 0;
  /** Residents that may leave: the first ones of the array. */
  #free = 0;
  readonly #recent = new Int32Array(recentMax).fill(-1);
  #recentCount = 0;
  #victimDensity = 0;
  #accesses = 0;

  constructor(context: CacheContext, { samples, relearnEvery }: { samples: number; relearnEvery: number }) {
    const objects = context.objects;
    this.capacity = context.capacity;
    this.#base = context.base ?? 0;
    this.#samples = samples;
    this.#accessesPerRound = relearnEvery;
    this.#random = new RandomStream(context.seed ?? 0, "cache/lhd");
    this.#residents = denseArray(objects, objects);
    this.#placeOf = denseArray(objects, objects);
    this.#touchedAt = new Uint32Array(objects);
    this.#hitAge = new Uint16Array(objects);
    this.#hitAgeBefore = new Uint16Array(objects);
    this.#classOf = new Uint8Array(objects);
    this.#explores = new Uint8Array(objects);
    this.#explorersLeft = Math.floor(explorerShare * context.capacity);
  }

  contains(key: number): boolean {
    return (this.#placeOf[key - this.#base] ?? 0) !== 0;
  }

  call(keys: Uint32Array, from: number, to: number, hit: Uint8Array): number {
    const base = this.#base;
    const fits = to - from <= this.capacity;
    this.#free = this.resident;
    let hits = 0;
    for (let i = from; i < to; i++) {
      const id = keys[i]! - base;
      const place = this.#placeOf[id]!;
      hit[i - from] = place === 0 ? 0 : 1;
      if (place === 0) continue;
      hits++;
      this.#move(id, --this.#free);
    }
    for (let i = from; i < to; i++) {
      const id = keys[i]! - base;
      if (hit[i - from] === 1) this.#touch(id);
      else {
        if (fits && this.resident >= this.capacity) this.#evict();
        this.#add(id);
        this.#pass(id, true);
      }
    }
    if (!fits) {
      this.#free = this.resident;
      while (this.resident > this.capacity) this.#evict();
    }
    return hits;
  }

  insert(key: number, spared: Uint8Array): boolean {
    if (this.resident >= this.capacity) {
      this.#free = this.resident;
      for (let place = this.resident - 1; place >= 0; place--) {
        const id = this.#residents[place]!;
        if (spared[id] === 1) this.#move(id, --this.#free);
      }
      if (this.#free === 0) return false;
      this.#evict();
    }
    const id = key - this.#base;
    this.#add(id);
    this.#explores[id] = 0;
    this.#touchedAt[id] = this.#accesses;
    return true;
  }

  /** Nothing is counted: it says nothing of its use. */
  drop(key: number): void {
    this.#free = this.resident;
    this.#remove(key - this.#base);
  }

  /** Moves a resident to a place; who stood there takes its own. */
  #move(id: number, place: number): void {
    const other = this.#residents[place]!;
    const from = this.#placeOf[id]! - 1;
    this.#residents[from] = other;
    this.#placeOf[other] = from + 1;
    this.#residents[place] = id;
    this.#placeOf[id] = place + 1;
  }

  #add(id: number): void {
    this.#residents[this.resident++] = id;
    this.#placeOf[id] = this.resident;
    this.#hitAge[id] = 0;
    this.#hitAgeBefore[id] = agesMax;
    this.#classOf[id] = this.#density.classOf(0, agesMax);
  }

  #touch(id: number): void {
    const age = this.#ageOf(id);
    this.#density.countHit(this.#classOf[id]!, age);
    this.#explorersLeft += this.#explores[id]!;
    const before = this.#hitAge[id]!;
    this.#hitAgeBefore[id] = before;
    this.#hitAge[id] = age;
    this.#classOf[id] = this.#density.classOf(age, before);
    this.#pass(id, false);
  }

  /** An access to a resident is over. */
  #pass(id: number, isNew: boolean): void {
    this.#touchedAt[id] = this.#accesses;
    const mayExplore = this.#explorersLeft > 0 && this.#density.rounds < earlyRounds;
    const drawn = (isNew || mayExplore) && this.#drawExplorer();
    this.#explores[id] = drawn && mayExplore ? 1 : 0;
    this.#explorersLeft -= this.#explores[id]!;
    if (isNew && !drawn && this.#densityOf(id) < this.#victimDensity)
      this.#recent[this.#recentCount++ % recentMax] = id;
    this.#accesses++;
    if (this.#accesses % this.#accessesPerRound === 0) this.#density.compute(this.resident);
  }

  #drawExplorer(): boolean {
    if (this.#drawsLeft-- === 0) {
      this.#drawn = this.#random.uint32();
      this.#drawsLeft = drawsPerWord - 1;
    }
    const bits = this.#drawn & ((1 << explorerBits) - 1);
    this.#drawn >>>= explorerBits;
    return bits === 0;
  }

  /** Evicts one of those that may leave; there must be one. */
  #evict(): void {
    const early = this.#density.rounds <= earlyRounds;
    const samples = early ? Math.min(samplesEarly, this.#samples) : this.#samples;
    const residents = this.#residents;
    const placeOf = this.#placeOf;
    const random = this.#random;
    const free = this.#free;
    let victim = -1;
    let least = Infinity;
    for (let i = 0; i < samples + recentMax; i++) {
      let id: number;
      if (i < samples) id = residents[(random.uint32() * perWord * free) | 0]!;
      else {
        id = this.#recent[i - samples]!;
        if (id < 0 || placeOf[id] === 0 || placeOf[id]! > free) continue;
      }
      const density = this.#densityOf(id);
      if (density < least) {
        victim = id;
        least = density;
      }
    }
    this.#victimDensity = this.#victimDensity * victimDecay + least * (1 - victimDecay);
    this.#density.countEviction(this.#classOf[victim]!, this.#ageOf(victim));
    this.#explorersLeft += this.#explores[victim]!;
    this.#remove(victim);
  }

  /** The last that may leave takes its place, and the last resident that one's. */
  #remove(id: number): void {
    this.#move(id, --this.#free);
    this.#move(id, --this.resident);
    this.#placeOf[id] = 0;
  }

  #ageOf(id: number): number {
    return this.#density.ageOf((this.#accesses - this.#touchedAt[id]!) >>> 0);
  }

  #densityOf(id: number): number {
    return this.#density.of(this.#classOf[id]!, this.#ageOf(id)) + this.#explores[id]! * explorerBonus;
  }
}

const parameters = {
  samples: z
    .int()
    .min(1)
    .max(1024)
    .default(32)
    .describe("Residents drawn at random as candidates for a victim; at most 8 until densities were learnt 50 times."),
  relearnEvery: z
    .int()
    .min(1)
    .max(1e9)
    .default(1_048_576)
    .describe("Accesses after which hit densities are learnt anew; until the first time, the longest unused go."),
};

/**
 * LHD (Beckmann, Chen and Cidon, LHD: Improving Cache Hit Rate by Maximizing Hit Density, NSDI 2018): evicts what is expected to
 * hit least per access of the time that it would stay, as learnt per class and age. Constants are the authors'. Left out:
 * classes by application and object sizes, both alike here. Victims are sampled with a stream of our own, so counts are
 * near libCacheSim's but never the same.
 */
export const lhd: CachePolicy<typeof parameters> = {
  name: "lhd",
  rule: "Evicts the expert with the fewest expected hits per access of remaining stay, among some drawn at random.",
  needs: [],
  parameters,
  create: (context, values = { samples: 32, relearnEvery: 1_048_576 }) => new LhdCache(context, values),
};
