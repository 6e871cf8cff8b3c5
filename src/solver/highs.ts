import { InvariantError } from "../core/errors.ts";
import type { MilpSolver } from "./milp.ts";

/** The package's types describe its CommonJS form; imported, its default export is the loader itself. */
type Load = typeof import("highs")["default"];

/** HiGHS (MIT) compiled to WebAssembly, through its persistent model, which accepts a starting solution. */
export const highs: MilpSolver = async (problem, options) => {
  const load = (await import("highs")).default as unknown as Load;
  const solver = await load();
  const types = solver.constants.variableType;
  const model = solver.createModel();
  try {
    model.options.set("output_flag", false);
    model.options.set("time_limit", options.timeLimitS);
    model.options.set("mip_rel_gap", options.gap);
    model.passModel({
      numCols: problem.columns,
      numRows: problem.rows,
      colCost: problem.cost,
      colLower: problem.lower,
      colUpper: problem.upper,
      integrality: Array.from(problem.integer, (whole) => (whole === 1 ? types.integer : types.continuous)),
      rowLower: problem.rowLower,
      rowUpper: problem.rowUpper,
      matrix: {
        format: "csr",
        numRows: problem.rows,
        numCols: problem.columns,
        starts: problem.starts,
        indices: problem.indices,
        values: problem.values,
      },
    });
    if (options.start !== undefined) model.setSolution({ colValue: options.start });
    const { modelStatus } = model.run();
    const codes = solver.constants.modelStatus;
    if (modelStatus === codes.infeasible) return { status: "infeasible" };
    if (modelStatus === codes.unbounded || modelStatus === codes.unboundedOrInfeasible) return { status: "unbounded" };
    if (modelStatus !== codes.optimal && modelStatus !== codes.timeLimit)
      throw new InvariantError("solver-status", `HiGHS ended with model status ${modelStatus}`);
    if (model.info.get("primal_solution_status") !== feasiblePoint) return { status: "limit" };
    const objective = model.getObjectiveValue();
    const mixed = problem.integer.includes(1);
    return {
      status: modelStatus === codes.optimal ? "optimal" : "feasible",
      values: model.getSolution().colValue,
      objective,
      bound: mixed ? Number(model.info.get("mip_dual_bound")) : objective,
    };
  } finally {
    model.dispose();
  }
};

/** `primal_solution_status` of a solution that meets every constraint. */
const feasiblePoint = 2;
