import type { ExpertCopies } from "./split-tokens.ts";

/** Tokens of a batch to be split among the copies of their experts. */
export interface LplbProblem extends ExpertCopies {
  /** [experts] tokens of each expert. */
  readonly tokens: ArrayLike<number>;
}
