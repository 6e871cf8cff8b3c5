import { afterAll, describe, expect, test } from "vitest";
import { InvalidInputError, InvariantError, SolverLimitError } from "../../../src/core/errors.ts";
import { SolverThread } from "../../../src/place/thread/solver-thread.ts";
import { assignment } from "../../../src/solver/assignment/assignment.ts";
import type { AssignmentProblem } from "../../../src/solver/assignment/assignment-problem.ts";
import { chain } from "../../../src/solver/chain/chain.ts";
import type { ChainProblem } from "../../../src/solver/chain/chain-problem.ts";
import { optimisations } from "../../../src/solver/optimisations.ts";
import { type Optimisation, solveHere } from "../../../src/solver/solver.ts";

const loads = (items: number): Float64Array => Float64Array.from({ length: items }, (_, i) => 1 + ((i * 7919) % 101));
const problemOf = (items: number, bins: number): AssignmentProblem => ({
  loads: loads(items),
  bins,
  binItemsMax: Math.ceil(items / bins),
});
/** Too many symmetries to be solved in seconds. */
const hard: AssignmentProblem = { ...problemOf(600, 30), binItemsMax: 600 };

describe("a solver's thread", () => {
  const thread = new SolverThread();
  afterAll(() => thread.close());

  test("answers as this thread does, problem after problem", async () => {
    for (const solver of ["lpt", "swaps", "lns"]) {
      const problem = problemOf(24, 4);
      expect(await thread.solve(assignment, problem, { solver })).toEqual(
        await solveHere(assignment, problem, { solver }),
      );
    }
    const traffic = Float64Array.from({ length: 2 * 9 }, (_, i) => (i * 37) % 11);
    const distance = Float64Array.from([0, 1, 1, 1, 0, 1, 1, 1, 0]);
    const links = { layers: 3, gpus: 3, traffic, distance, minimise: "sum" as const };
    expect(await thread.solve(chain, links)).toEqual(await solveHere(chain, links));
  });

  test("refuses bad problems and solvers before it starts, and kinds that it does not know", async () => {
    await expect(thread.solve(assignment, { ...problemOf(8, 2), binItemsMax: 3 })).rejects.toThrow(InvalidInputError);
    await expect(thread.solve(assignment, problemOf(8, 2), { solver: "cplex" })).rejects.toThrow(/one of lpt, swaps/);
    const foreign = { ...assignment, name: "foreign" } as typeof assignment;
    await expect(thread.solve(foreign, problemOf(8, 2))).rejects.toThrow(InvariantError);
  });

  test("ends a solver that outlasts its limit: without a solution that is exit 5, and the next problem is solved", async () => {
    const outcome: unknown = await thread
      .solve(assignment, hard, { solver: "glpk", timeLimitS: 0.05 })
      .catch((error: unknown) => error);
    expect(outcome).toBeInstanceOf(SolverLimitError);
    expect(String(outcome)).toContain("glpk found no solution of assignment within 0.05 s");
    expect((await thread.solve(assignment, problemOf(8, 2))).proved).toBe(true);
  });

  test("gives the best solution so far where a solver is ended that told of one", async () => {
    const [layers, gpus] = [40, 32];
    const long: ChainProblem = {
      layers,
      gpus,
      traffic: Float64Array.from({ length: (layers - 1) * gpus * gpus }, (_, i) => (i * 7919) % 1009),
      distance: Float64Array.from({ length: gpus * gpus }, (_, i) =>
        Math.floor(i / gpus) === i % gpus ? 0 : 1 + (i % 3),
      ),
      minimise: "sum",
    };
    const { cut, objective, bound } = await thread.solve(chain, long, { solver: "lns", timeLimitS: 0.05, gap: 0 });
    expect(cut).toBe(true);
    expect(objective).toBeGreaterThanOrEqual(bound);
  });

  test("an aborted signal ends the solver with its reason", async () => {
    const controller = new AbortController();
    const other = new SolverThread({ signal: controller.signal });
    const answer = other.solve(assignment, hard, { solver: "glpk", timeLimitS: 60 });
    setTimeout(() => controller.abort(new Error("enough")), 100);
    await expect(answer).rejects.toThrow("enough");
    await other.close();
  });
});

test("a solver that lies is found out", async () => {
  const lying: Optimisation<AssignmentProblem, Uint16Array> = {
    ...assignment,
    solvers: {
      liar: {
        name: "liar",
        rule: "puts everything into one bin and calls it the best",
        solve: ({ loads: of }) => ({
          solution: new Uint16Array(of.length),
          bound: Number.POSITIVE_INFINITY,
          cut: false,
        }),
      },
    },
  };
  await expect(solveHere(lying, problemOf(8, 2), { solver: "liar" })).rejects.toThrow(/solver-solution/);
  const free = { ...problemOf(8, 2), binItemsMax: 8 };
  const answer = await solveHere(lying, free, { solver: "liar" });
  expect(answer.objective).toBe(loads(8).reduce((sum, load) => sum + load, 0));
});

test("kinds are listed under their own names", () => {
  for (const [name, kind] of Object.entries(optimisations)) expect(kind.name).toBe(name);
});
