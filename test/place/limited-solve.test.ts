import { expect, test } from "vitest";
import { limitedSolve, refuseUntaken } from "../../src/place/limited-solve.ts";
import type { Optimisation, SolveOptions, SolveRunner } from "../../src/solver/solver.ts";

const kind = { name: "test", solvers: { sweeps: {} } } as unknown as Optimisation<null, null>;

test("wishes reach the problems, a solver those that know it", async () => {
  const told: SolveOptions[] = [];
  const runner = ((_kind: unknown, _problem: unknown, options: SolveOptions) => {
    told.push(options);
    return Promise.resolve(null);
  }) as unknown as SolveRunner;
  const known = limitedSolve(runner, { solver: "sweeps", gap: 0.01 });
  await known.solve(kind, null, { solver: "other", seed: 3 });
  const unknown = limitedSolve(runner, { solver: "highs", timeLimitS: 2 });
  await unknown.solve(kind, null, { solver: "other" });
  expect(told).toEqual([
    { solver: "sweeps", gap: 0.01, seed: 3 },
    { solver: "other", timeLimitS: 2 },
  ]);
  expect([known.asked, unknown.asked]).toEqual([
    { problems: 1, taken: 1, known: new Set(["sweeps"]) },
    { problems: 1, taken: 0, known: new Set(["sweeps"]) },
  ]);
  expect(() => refuseUntaken({ solver: "sweeps" }, known.asked)).not.toThrow();
  expect(() => refuseUntaken({ solver: "highs" }, unknown.asked)).toThrow("one of sweeps");
  expect(() => refuseUntaken({ solver: "highs" }, { problems: 0, taken: 0, known: new Set() })).toThrow("nothing");
});
