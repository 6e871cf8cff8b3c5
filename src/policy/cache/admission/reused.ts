import { z } from "zod";
import type { Admission, AdmissionFilter, FilteredCache } from "./admission.ts";

/** Remembers in which calls each object was asked for, as many of them as the rule looks back. */
class ReusedFilter implements AdmissionFilter {
  readonly #base: number;
  readonly #back: number;
  readonly #window: number;
  /** [objects x uses before this one] numbers of calls, each row a ring whose oldest entry is at `#oldest`. */
  readonly #usedIn: Float64Array;
  readonly #oldest: Uint8Array;
  #call = 0;

  constructor({ objects, base }: FilteredCache, uses: number, window: number) {
    this.#base = base ?? 0;
    this.#back = uses - 1;
    this.#window = window;
    this.#usedIn = new Float64Array(objects * this.#back).fill(Number.NEGATIVE_INFINITY);
    this.#oldest = new Uint8Array(objects);
  }

  judge(keys: Uint32Array, from: number, to: number, admitted: Uint8Array): void {
    const back = this.#back;
    const now = this.#call++;
    for (let i = from; i < to; i++) {
      const id = keys[i]! - this.#base;
      const at = id * back + this.#oldest[id]!;
      admitted[i - from] = now - this.#usedIn[at]! < this.#window ? 1 : 0;
      this.#usedIn[at] = now;
      this.#oldest[id] = (this.#oldest[id]! + 1) % back;
    }
  }
}

const parameters = {
  uses: z.int().min(1).max(200).default(2).describe("Calls that must have asked for an expert, this one included."),
  window: z
    .int()
    .min(1)
    .max(1e9)
    .optional()
    .describe("Latest calls that count, this one included; each cache counts its own. Default: all calls so far."),
};

/**
 * Experts that are asked for once in a while do not push out those that are in use: admission on the second use, as content
 * caches do for objects that are asked for only once (Maggs and Sitaraman, SIGCOMM CCR 45(3), 2015).
 */
export const reused: Admission<typeof parameters> = {
  name: "reused",
  rule: "A missing expert enters once several calls have asked for it; before that it streams through.",
  parameters,
  // A call asks for an expert once.
  contradiction: ({ uses, window }) =>
    window !== undefined && window < uses
      ? { key: "window", expected: `at least ${uses} calls, as many as there must be uses` }
      : null,
  create: (cache, { uses, window }) =>
    uses === 1 ? null : new ReusedFilter(cache, uses, window ?? Number.POSITIVE_INFINITY),
};
