import type { MeanCourse } from "../outcome/mean-course.ts";
import { found } from "./prefetch-lane.ts";

/** How often the cache of an expert rank was asked for each expert, and in vain. */
export class ExpertUses {
  /** [MoE layers x experts] calls that asked for an expert, and those at whose start it was not there. */
  readonly asked: Uint32Array;
  readonly missed: Uint32Array;
  /** [MoE layers] misses of experts that were asked for the first time. */
  readonly cold: Uint32Array;
  /** Hits among accesses, of all caches of a pool. */
  readonly course: MeanCourse;
  private readonly experts: number;

  constructor(layers: number, experts: number, course: MeanCourse) {
    this.asked = new Uint32Array(layers * experts);
    this.missed = new Uint32Array(layers * experts);
    this.cold = new Uint32Array(layers);
    this.course = course;
    this.experts = experts;
  }

  /** Books a call for `keys` of one layer. Returns its misses. */
  book(keys: Uint32Array, count: number, hit: Uint8Array, hits: number, atNs: number): number {
    let misses = 0;
    let cold = 0;
    for (let i = 0; i < count; i++) {
      const key = keys[i]!;
      const before = this.asked[key]!++;
      if (hit[i] === found.resident) continue;
      misses++;
      this.missed[key]!++;
      if (before === 0) cold++;
    }
    if (cold > 0) this.cold[Math.floor(keys[0]! / this.experts)]! += cold;
    this.course.add(atNs, count, hits);
    return misses;
  }
}
