import type { ArrivalSpec } from "./arrivals.ts";
import type { LengthSpec } from "./lengths.ts";

/** Requests to generate: until `requests`, `durationSeconds` or the end of staged arrivals, whichever comes first. */
export interface GenerateSpec {
  /** Null for a closed loop: all requests are there from the start and the workload's concurrency admits them. */
  readonly arrivals: ArrivalSpec | null;
  readonly classes: readonly ClassSpec[];
  readonly requests?: number;
  readonly durationSeconds?: number;
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
