import type { Contradiction, Parameters, ParameterValues } from "../../../core/parameters.ts";
import type { CacheContext } from "../expert-cache.ts";

/** Decides which experts of a call may enter a cache. It sees every call of that cache, in order. */
export interface AdmissionFilter {
  /** Writes 1 (may enter) or 0 for each of keys[from .. to) to admitted[0 .. to - from). */
  judge(keys: Uint32Array, from: number, to: number, admitted: Uint8Array): void;
}

/** What a filter knows of its cache. */
export type FilteredCache = Pick<CacheContext, "objects" | "base" | "capacity">;

/** How experts are admitted to a cache: one file each, listed in `admissions.ts`. */
export interface Admission<Shape extends Parameters = Parameters> {
  readonly name: string;
  /** What it does, as a scenario's schema says it. */
  readonly rule: string;
  readonly parameters: Shape;
  /** Absent: its parameters cannot contradict one another. */
  contradiction?(values: ParameterValues<Shape>): Contradiction | null;
  /** A filter for one cache; null where every expert enters. */
  create(cache: FilteredCache, values: ParameterValues<Shape>): AdmissionFilter | null;
}

/** An admission with its parameters set. */
export interface AdmissionChoice {
  readonly admission: Admission;
  readonly values: ParameterValues<Parameters>;
}
