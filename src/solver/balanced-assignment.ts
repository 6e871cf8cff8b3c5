import { type AssignmentProblem, assignLongestFirst, binLoads, improveBySwaps, lowerBound } from "./assignment.ts";
import type { MilpProblem, MilpSolver } from "./milp.ts";

export interface BalancedAssignment {
  readonly binOf: Uint16Array;
  /** Load of the heaviest bin. */
  readonly objective: number;
  /** No assignment is lighter than this. */
  readonly bound: number;
  /** (objective - bound) / objective. */
  readonly gap: number;
  /** Where the assignment came from: the solver, or local search, because it was within the gap or not improved on. */
  readonly from: "local-search" | "solver";
  /** Whether the solver ran. */
  readonly solved: boolean;
}

/**
 * Assigns items to bins so that the heaviest is as light as possible: heaviest first, swaps, and, if those leave more
 * than the gap to the lower bound, a solver that starts from them. Branch and bound alone is poor at this problem,
 * because exchanging two bins changes nothing; a start and the lower bound as a constraint are what make it useful.
 */
export async function assignBalanced(
  problem: AssignmentProblem,
  solve: MilpSolver,
  options: { readonly timeLimitS: number; readonly gap: number },
): Promise<BalancedAssignment> {
  const local = assignLongestFirst(problem);
  const objective = improveBySwaps(problem, local);
  const bound = lowerBound(problem);
  const localResult = {
    binOf: local,
    objective,
    bound,
    gap: relativeGap(objective, bound),
    from: "local-search",
  } as const;
  if (localResult.gap <= options.gap) return { ...localResult, solved: false };
  const solution = await solve(assignmentMilp(problem, bound), { ...options, start: startValues(problem, local) });
  if (solution.status !== "optimal" && solution.status !== "feasible") return { ...localResult, solved: true };
  const provedBound = Math.max(bound, Math.min(solution.bound, objective));
  const binOf = binsFromValues(problem, solution.values);
  const solved = Math.max(...binLoads(problem, binOf));
  if (solved >= objective)
    return { ...localResult, bound: provedBound, gap: relativeGap(objective, provedBound), solved: true };
  return {
    binOf,
    objective: solved,
    bound: provedBound,
    gap: relativeGap(solved, provedBound),
    from: "solver",
    solved: true,
  };
}

const relativeGap = (objective: number, bound: number): number =>
  objective === 0 ? 0 : Math.max(0, (objective - bound) / objective);

/** Columns x[item, bin] at item x bins + bin, then the heaviest load M >= bound. */
function assignmentMilp(problem: AssignmentProblem, bound: number): MilpProblem {
  const { loads, bins, binItemsMax } = problem;
  const items = loads.length;
  const heaviest = items * bins;
  const columns = heaviest + 1;
  const rows = items + 2 * bins;
  const cost = new Float64Array(columns);
  cost[heaviest] = 1;
  const lower = new Float64Array(columns);
  lower[heaviest] = bound;
  const upper = new Float64Array(columns).fill(1);
  upper[heaviest] = Infinity;
  const integer = new Uint8Array(columns).fill(1);
  integer[heaviest] = 0;
  const rowLower = new Float64Array(rows).fill(-Infinity);
  const rowUpper = new Float64Array(rows);
  const starts = [0];
  const indices: number[] = [];
  const values: number[] = [];
  const closeRow = (row: number, atLeast: number, atMost: number) => {
    rowLower[row] = atLeast;
    rowUpper[row] = atMost;
    starts.push(indices.length);
  };
  const add = (column: number, value: number) => {
    indices.push(column);
    values.push(value);
  };
  for (let item = 0; item < items; item++) {
    for (let bin = 0; bin < bins; bin++) add(item * bins + bin, 1);
    closeRow(item, 1, 1);
  }
  for (let bin = 0; bin < bins; bin++) {
    for (let item = 0; item < items; item++) add(item * bins + bin, 1);
    closeRow(items + bin, -Infinity, binItemsMax);
  }
  for (let bin = 0; bin < bins; bin++) {
    for (let item = 0; item < items; item++) if (loads[item] !== 0) add(item * bins + bin, loads[item]!);
    add(heaviest, -1);
    closeRow(items + bins + bin, -Infinity, 0);
  }
  return {
    columns,
    cost,
    lower,
    upper,
    integer,
    rows,
    rowLower,
    rowUpper,
    starts: Int32Array.from(starts),
    indices: Int32Array.from(indices),
    values: Float64Array.from(values),
  };
}

function startValues(problem: AssignmentProblem, binOf: Uint16Array): Float64Array {
  const { bins, loads } = problem;
  const values = new Float64Array(loads.length * bins + 1);
  for (let item = 0; item < loads.length; item++) values[item * bins + binOf[item]!] = 1;
  values[loads.length * bins] = Math.max(...binLoads(problem, binOf));
  return values;
}

function binsFromValues(problem: AssignmentProblem, values: Float64Array): Uint16Array {
  return Uint16Array.from({ length: problem.loads.length }, (_, item) => {
    const row = values.subarray(item * problem.bins, (item + 1) * problem.bins);
    return row.indexOf(Math.max(...row));
  });
}
