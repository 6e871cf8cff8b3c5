import type { LP } from "glpk.js/node";
import type { MilpProblem, MilpSolver } from "./milp.ts";

/**
 * GLPK compiled to WebAssembly: a second opinion for small problems. It takes no starting solution and does not report
 * its bound. The package is GPL-3.0; it is loaded only when this solver is asked for.
 */
export const glpk: MilpSolver = async (problem, options) => {
  const { default: load } = await import("glpk.js/node");
  const solver = await load();
  const kinds: BoundKinds = {
    free: solver.GLP_FR,
    lower: solver.GLP_LO,
    upper: solver.GLP_UP,
    double: solver.GLP_DB,
    fixed: solver.GLP_FX,
  };
  const { result } = solver.solve(toModel(problem, solver.GLP_MIN, kinds), {
    // Whole seconds: GLPK counts no finer.
    tmlim: Math.max(1, Math.ceil(options.timeLimitS)),
    mipgap: options.gap,
    msglev: solver.GLP_MSG_OFF,
    presol: true,
  });
  if (result.status === solver.GLP_NOFEAS || result.status === solver.GLP_INFEAS) return { status: "infeasible" };
  if (result.status === solver.GLP_UNBND) return { status: "unbounded" };
  const optimal = result.status === solver.GLP_OPT;
  if (!optimal && result.status !== solver.GLP_FEAS) return { status: "limit" };
  return {
    status: optimal ? "optimal" : "feasible",
    values: Float64Array.from({ length: problem.columns }, (_, column) => result.vars[columnName(column)] ?? 0),
    objective: result.z,
    bound: optimal ? result.z - options.gap * Math.abs(result.z) : -Infinity,
  };
};

interface BoundKinds {
  readonly free: number;
  readonly lower: number;
  readonly upper: number;
  readonly double: number;
  readonly fixed: number;
}

const columnName = (column: number): string => `x${column}`;

function toModel(problem: MilpProblem, direction: number, kinds: BoundKinds): LP {
  const { columns, rows, starts } = problem;
  const vars = (from: number, to: number) =>
    Array.from(problem.indices.subarray(from, to), (column, i) => ({
      name: columnName(column),
      coef: problem.values[from + i]!,
    }));
  return {
    name: "problem",
    objective: {
      direction,
      name: "cost",
      vars: Array.from(problem.cost, (coef, column) => ({ name: columnName(column), coef })),
    },
    subjectTo: Array.from({ length: rows }, (_, row) => ({
      name: `r${row}`,
      vars: vars(starts[row]!, starts[row + 1]!),
      bnds: bounds(problem.rowLower[row]!, problem.rowUpper[row]!, kinds),
    })),
    bounds: Array.from({ length: columns }, (_, column) => ({
      name: columnName(column),
      ...bounds(problem.lower[column]!, problem.upper[column]!, kinds),
    })),
    generals: Array.from({ length: columns }, (_, column) => column)
      .filter((column) => problem.integer[column] === 1)
      .map(columnName),
  };
}

/** GLPK names the kind of a pair of bounds and ignores the infinite side. */
function bounds(lower: number, upper: number, kinds: BoundKinds): { type: number; lb: number; ub: number } {
  const [below, above] = [lower > -Infinity, upper < Infinity];
  let type = kinds.free;
  if (below && above) type = lower === upper ? kinds.fixed : kinds.double;
  else if (below) type = kinds.lower;
  else if (above) type = kinds.upper;
  return { type, lb: below ? lower : 0, ub: above ? upper : 0 };
}
