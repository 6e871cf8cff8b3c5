import type { ArrivalSpec } from "./arrivals.ts";
import type { LengthSpec } from "./lengths.ts";

/** Requests to generate: until `requests`, `durationSeconds` or the end of staged arrivals, whichever comes first. */
export interface GenerateSpec {
  /** Null for a closed loop: all requests are there from the start and the workload's concurrency admits them. */
  readonly arrivals: ArrivalSpec | null;
  readonly classes: readonly ClassSpec[];
  /** How classes share the requests as these go on, in place of their weights. */
  readonly phases?: readonly PhaseSpec[];
  readonly requests?: number;
  readonly durationSeconds?: number;
}

/** A stretch of the requests. */
export interface PhaseSpec {
  /** Absent in the last one, which then lasts for all requests that follow; so does the last one in any case. */
  readonly requests?: number;
  /** Weight of each class by name, 0 unless given. */
  readonly weights: Readonly<Record<string, number>>;
  /** Weights behind its last request, reached linearly from request to request. */
  readonly toWeights?: Readonly<Record<string, number>>;
}

/** A kind of request with its share of the traffic, its lengths and its routing domains. */
export interface ClassSpec {
  readonly name: string;
  /** Share of the requests relative to the other classes; 1 unless given. */
  readonly weight?: number;
  readonly lengths: ClassLengths;
  /** Weight of each routing domain; either all classes name domains or none does. */
  readonly domains?: Readonly<Record<string, number>>;
}

/** Independent laws, or (prompt, output) pairs drawn with replacement from the named request table. */
type ClassLengths = { readonly prompt: LengthSpec; readonly output: LengthSpec } | { readonly lengthsFrom: string };
