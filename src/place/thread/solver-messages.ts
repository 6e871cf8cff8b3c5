import type { SolveLimits } from "../../solver/solver.ts";

/** A problem of a kind that both threads know by name. Functions do not cross threads. */
export interface SolveOrder {
  readonly kind: string;
  readonly solver: string;
  readonly problem: unknown;
  readonly limits: Omit<SolveLimits, "onBetter">;
}

/** What a thread says of the problem that it has: it begins, a better solution, its attempt, or the error that ended it. */
export type SolveReport =
  | { readonly kind: "began" }
  | { readonly kind: "better"; readonly solution: unknown; readonly objective: number; readonly bound: number }
  | { readonly kind: "done"; readonly attempt: { solution: unknown; bound: number; cut: boolean } }
  | { readonly kind: "failed"; readonly error: unknown };
