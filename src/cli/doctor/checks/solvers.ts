import type { MilpSolver } from "../../../solver/milp.ts";
import { MilpBuilder } from "../../../solver/milp-builder.ts";
import { milpSolvers } from "../../../solver/milp-solvers.ts";
import type { Check, Finding } from "../check.ts";

/** Two columns of 0 or 1, at least one of which is chosen: the cheaper one, at a cost of 2. */
function tinyProblem() {
  const builder = new MilpBuilder();
  const columns = [builder.binary(3), builder.binary(2)];
  builder.rowOf(
    1,
    2,
    columns.map((column) => [column, 1] as const),
  );
  return builder.build();
}

async function tried(name: string, solve: MilpSolver): Promise<Finding> {
  try {
    const solution = await solve(tinyProblem(), { timeLimitS: 10, gap: 1e-6 });
    const isRight = solution.status === "optimal" && Math.abs(solution.objective - 2) < 1e-6;
    if (isRight) return { topic: name, state: "ok", text: "loads, and solves a problem of two columns" };
    return { topic: name, state: "problem", text: `a problem of two columns came out as ${solution.status}` };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { topic: name, state: "problem", text, advice: "install moecast anew: the package is not complete" };
  }
}

/** The solvers of placements and other optimisation problems, on a problem that is solved by hand. */
export const solvers: Check = {
  title: "Solvers",
  look: async () => {
    const findings: Finding[] = [];
    for (const [name, solve] of Object.entries(milpSolvers)) findings.push(await tried(name, solve));
    return findings;
  },
};
