import { InvariantError } from "../core/errors.ts";
import type { MilpProblem, MilpSolver } from "./milp.ts";
import type { Solver } from "./solver.ts";

/** How problems of one kind are written as mixed-integer linear ones, and their solutions read back. */
export interface MilpForm<Problem, Solution> {
  readonly write: (problem: Problem) => MilpProblem;
  readonly read: (problem: Problem, values: Float64Array) => Solution;
  /** What an objective of 1 of the written problem is in the problem's own; absent: 1. */
  readonly unit?: (problem: Problem) => number;
}

/** A solver of mixed-integer linear problems as one of another kind, whose problems all have a solution. */
export function byMilp<Problem, Solution>(
  name: string,
  rule: string,
  solve: MilpSolver,
  form: MilpForm<Problem, Solution>,
): Solver<Problem, Solution> {
  return {
    name,
    rule,
    async solve(problem, { timeLimitS, gap }) {
      const found = await solve(form.write(problem), { timeLimitS, gap });
      switch (found.status) {
        case "infeasible":
        case "unbounded":
          throw new InvariantError("solver-status", `${name} calls a problem ${found.status} that has a solution`);
        case "limit":
          return { solution: null, bound: -Infinity, cut: true };
        case "optimal":
        case "feasible":
          return {
            solution: form.read(problem, found.values),
            bound: found.bound * (form.unit?.(problem) ?? 1),
            cut: found.status === "feasible",
          };
      }
    },
  };
}

/** Collects the rows of a problem; an entry is a column and its factor. */
export class MilpRows {
  private readonly rowLower: number[] = [];
  private readonly rowUpper: number[] = [];
  private readonly starts: number[] = [0];
  private readonly indices: number[] = [];
  private readonly values: number[] = [];

  /** Adds lower <= sum of factor x column <= upper. */
  add(lower: number, upper: number, entries: Iterable<readonly [column: number, factor: number]>): void {
    for (const [column, factor] of entries) {
      this.indices.push(column);
      this.values.push(factor);
    }
    this.rowLower.push(lower);
    this.rowUpper.push(upper);
    this.starts.push(this.indices.length);
  }

  /** The rows as a problem has them. */
  matrix(): Pick<MilpProblem, "rows" | "rowLower" | "rowUpper" | "starts" | "indices" | "values"> {
    return {
      rows: this.rowLower.length,
      rowLower: Float64Array.from(this.rowLower),
      rowUpper: Float64Array.from(this.rowUpper),
      starts: Int32Array.from(this.starts),
      indices: Int32Array.from(this.indices),
      values: Float64Array.from(this.values),
    };
  }
}
