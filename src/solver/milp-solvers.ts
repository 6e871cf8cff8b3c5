import { glpk } from "./glpk.ts";
import { highs } from "./highs.ts";
import type { MilpSolver } from "./milp.ts";

/** Solvers by name, the default first. */
export const milpSolvers = { highs, glpk } as const satisfies Record<string, MilpSolver>;
