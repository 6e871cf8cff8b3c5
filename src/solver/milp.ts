/** A mixed-integer linear problem: minimise cost x subject to rowLower <= A x <= rowUpper, lower <= x <= upper. */
export interface MilpProblem {
  readonly columns: number;
  readonly cost: Float64Array;
  /** Bounds of each column; -Infinity and Infinity where there are none. */
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  /** 1 where the column must be a whole number. */
  readonly integer: Uint8Array;
  readonly rows: number;
  readonly rowLower: Float64Array;
  readonly rowUpper: Float64Array;
  /** A by rows: row r has values[starts[r] .. starts[r + 1]) at columns indices[..]. */
  readonly starts: Int32Array;
  readonly indices: Int32Array;
  readonly values: Float64Array;
}

export interface MilpOptions {
  readonly timeLimitS: number;
  /** Relative gap between objective and bound at which a solution counts as optimal. */
  readonly gap: number;
  /** A feasible solution to start from, [columns]. Solvers that cannot use one ignore it. */
  readonly start?: Float64Array;
}

export type MilpSolution =
  /** `optimal`: proved within the gap. `feasible`: the limit came first. `bound` is -Infinity where it is not known. */
  | {
      readonly status: "optimal" | "feasible";
      readonly values: Float64Array;
      readonly objective: number;
      readonly bound: number;
    }
  /** `limit`: the time ran out before any solution was found. */
  | { readonly status: "infeasible" | "unbounded" | "limit" };

/**
 * Solves a problem. The promise is for loading the solver: the solve itself blocks the thread, so long ones belong in
 * a worker.
 */
export type MilpSolver = (problem: MilpProblem, options: MilpOptions) => Promise<MilpSolution>;
