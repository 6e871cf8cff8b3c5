import { ringLength } from "./dense-arrays.ts";

/** Classes of objects by the ages of their last two hits, the shorter the higher. */
const classes = 16;
/** Ages told apart; what was never hit counts as hit at this age. */
export const agesMax = 20_000;
const clzOfMax = Math.clz32(agesMax);
const agesAtStart = 64;
/** Weight of what was counted before, each time that densities are computed. */
const decay = 0.9;
/** Error that ages may have relative to the mean number of objects, as LHD's authors set it. */
const coarseningError = 0.01;
/** An age stands for 2^10 accesses until the number of objects is known. */
const shiftAtStart = 10;
/** Lower than every density: what is older than all ages told apart goes first. */
const oldest = -3.4028234663852886e38;

/**
 * Hit densities: hits expected per access of remaining lifetime, by class and age of an object. Ages are coarse; beyond the last
 * one that ever counted, everything counted is zero, so tables grow as ages do.
 */
export class HitDensity {
  /** Times that densities were computed. */
  rounds = 0;
  #shift = shiftAtStart;
  #ages = agesAtStart;
  #hits = new Float32Array(classes * agesAtStart);
  #evictions = new Float32Array(classes * agesAtStart);
  #densities = new Float32Array(classes * agesAtStart);
  #objects = 0;
  #objectsMass = 0;

  constructor() {
    this.#fillUncounted(0);
  }

  /** Coarse age of what was last touched a number of accesses ago, below 2^32. */
  ageOf(accesses: number): number {
    return Math.min(agesMax - 1, accesses >>> this.#shift);
  }

  /** Class of an object whose last two hits came at these ages. */
  classOf(lastHitAge: number, hitAgeBefore: number): number {
    const age = lastHitAge + hitAgeBefore;
    if (age >= agesMax) return 0;
    // The doublings that take the sum to the highest age.
    const doublings = Math.clz32(age) - clzOfMax;
    return Math.min(classes - 1, age << doublings < agesMax ? doublings + 1 : doublings);
  }

  countHit(group: number, age: number): void {
    this.#reach(age);
    this.#hits[group * this.#ages + age]! += 1;
  }

  countEviction(group: number, age: number): void {
    this.#reach(age);
    this.#evictions[group * this.#ages + age]! += 1;
  }

  of(group: number, age: number): number {
    const ages = this.#ages;
    if (age < ages && age < agesMax - 1) return this.#densities[(Math.imul(group, ages) + age) | 0]!;
    if (age === agesMax - 1) return oldest;
    return this.rounds === 0 ? uncounted(group, age) : 0;
  }

  /** Computes densities from what was counted; `objects` are resident now. */
  compute(objects: number): void {
    for (let i = 0; i < this.#hits.length; i++) {
      this.#hits[i]! *= decay;
      this.#evictions[i]! *= decay;
    }
    this.#fitAges(objects);
    for (let group = 0; group < classes; group++) {
      const start = group * this.#ages;
      let hits = 0;
      let events = 0;
      let lifetime = 0;
      for (let age = this.#ages - 1; age >= 0; age--) {
        hits += this.#hits[start + age]!;
        events += this.#hits[start + age]! + this.#evictions[start + age]!;
        lifetime += events;
        this.#densities[start + age] = events > 1e-5 ? hits / lifetime : 0;
      }
    }
    this.rounds++;
  }

  /** Twice early on, the coarseness of ages is set for the number of objects. */
  #fitAges(objects: number): void {
    this.#objects = this.#objects * decay + objects;
    this.#objectsMass = this.#objectsMass * decay + 1;
    if (this.rounds !== 5 && this.rounds !== 25) return;
    const optimum = this.#objects / this.#objectsMass / (coarseningError * agesMax);
    let shift = 1;
    let factor = 2 / (1 << this.#shift);
    for (; 1 << shift < optimum; shift++) factor *= 2;
    this.#hits = this.#rescaled(this.#hits, factor);
    this.#evictions = this.#rescaled(this.#evictions, factor);
    this.#ages = this.#hits.length / classes;
    this.#densities = new Float32Array(this.#hits.length);
    this.#shift = shift;
    this.#objects *= 8;
    this.#objectsMass *= 8;
  }

  /** Counts by ages that are `factor` times as wide; evenly spread where it is below 1. */
  #rescaled(counts: Float32Array, factor: number): Float32Array<ArrayBuffer> {
    const ages = Math.min(agesMax, Math.max(agesAtStart, Math.ceil(this.#ages / factor)));
    const result = new Float32Array(classes * ages);
    for (let group = 0; group < classes; group++)
      for (let age = 0; age < this.#ages; age++) {
        const count = counts[group * this.#ages + age]!;
        if (factor >= 1) result[group * ages + Math.min(ages - 1, Math.floor(age / factor))]! += count;
        else
          for (let part = 0; part < 1 / factor; part++)
            result[group * ages + Math.min(ages - 1, age / factor + part)]! += count * factor;
      }
    return result;
  }

  #reach(age: number): void {
    if (age < this.#ages) return;
    const before = this.#ages;
    const ages = Math.min(agesMax, ringLength(age + 1));
    this.#hits = stretched(this.#hits, before, ages);
    this.#evictions = stretched(this.#evictions, before, ages);
    this.#densities = stretched(this.#densities, before, ages);
    this.#ages = ages;
    if (this.rounds === 0) this.#fillUncounted(before);
  }

  #fillUncounted(from: number): void {
    for (let group = 0; group < classes; group++)
      for (let age = from; age < this.#ages; age++) this.#densities[group * this.#ages + age] = uncounted(group, age);
  }
}

/** Density before anything was computed: the sooner the last hits the better, the older the worse. */
function uncounted(group: number, age: number): number {
  return Math.fround((classes + group + 1) / (age + 1));
}

function stretched(values: Float32Array, before: number, after: number): Float32Array<ArrayBuffer> {
  const result = new Float32Array(classes * after);
  for (let group = 0; group < classes; group++)
    result.set(values.subarray(group * before, (group + 1) * before), group * after);
  return result;
}
