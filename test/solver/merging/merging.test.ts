import { describe, expect, test } from "vitest";
import { InvalidInputError } from "../../../src/core/errors.ts";
import { RandomStream } from "../../../src/core/random.ts";
import { merging } from "../../../src/solver/merging/merging.ts";
import type { MergingProblem } from "../../../src/solver/merging/merging-problem.ts";
import { solveHere } from "../../../src/solver/solver.ts";
import { drawn } from "../../drawn.ts";

function drawnProblem(random: RandomStream, experts: number, groups: number, membersMax?: number): MergingProblem {
  return {
    experts,
    similarity: Float64Array.from({ length: experts * experts }, () => 2 * random.uniform() - 1),
    dominant: Array.from({ length: groups }, (_, i) => i * 2),
    joining: Array.from({ length: experts }, (_, i) => i).filter((i) => i % 2 === 1 || i >= groups * 2),
    ...(membersMax === undefined ? {} : { membersMax }),
  };
}

/** Most likeness of any grouping within the limit, by trying all of them. */
function mostAlike({ experts, similarity, dominant, joining, membersMax = Infinity }: MergingProblem): number {
  const held = dominant.map(() => 1);
  const from = (i: number): number => {
    if (i === joining.length) return 0;
    let best = -Infinity;
    for (const [group, other] of dominant.entries()) {
      if (held[group]! >= membersMax) continue;
      held[group]! += 1;
      best = Math.max(best, similarity[joining[i]! * experts + other]! + from(i + 1));
      held[group]! -= 1;
    }
    return best;
  };
  return from(0);
}

const likeness = ({ experts, similarity, dominant, joining }: MergingProblem, into: Uint16Array) =>
  joining.reduce((sum, expert, i) => sum + similarity[expert * experts + dominant[into[i]!]!]!, 0);

describe("merging", () => {
  test("exact solvers find what trying every grouping finds, and greedy no more", async () => {
    const random = new RandomStream(3, "merging");
    let worse = 0;
    for (let i = 0; i < drawn(8); i++) {
      const problem = drawnProblem(random, 8 + (i % 3), 2 + (i % 2), 5);
      const best = mostAlike(problem);
      for (const solver of ["transport", "highs", "glpk"]) {
        const answer = await solveHere(merging, problem, { solver });
        expect(likeness(problem, answer.solution), solver).toBeCloseTo(best, 9);
        expect(answer.gap, solver).toBeLessThan(1.001e-4);
      }
      const { solution } = await solveHere(merging, problem, { solver: "greedy" });
      expect(likeness(problem, solution)).toBeLessThanOrEqual(best + 1e-9);
      worse += Number(likeness(problem, solution) < best - 1e-9);
    }
    expect(worse).toBeGreaterThan(0);
  });

  test("without a limit greedy is the transport, ties to the dominant expert that stands first, and nothing is lost", async () => {
    const random = new RandomStream(4, "free");
    const drawnOne = drawnProblem(random, 32, 7);
    const problem = { ...drawnOne, similarity: drawnOne.similarity.map((value) => Math.round(3 * value)) };
    const [exact, greedy] = await Promise.all(
      ["transport", "greedy"].map((solver) => solveHere(merging, problem, { solver })),
    );
    expect([...exact!.solution]).toEqual([...greedy!.solution]);
    expect([exact!.objective, greedy!.objective, greedy!.gap]).toEqual([0, 0, 0]);
  });

  test("planted groups of equal size are found", async () => {
    const experts = 24;
    const similarity = Float64Array.from({ length: experts * experts }, (_, at) =>
      Math.floor(at / experts) % 4 === (at % experts) % 4 ? 1 : 0.2,
    );
    const all = Array.from({ length: experts }, (_, i) => i);
    const problem = { experts, similarity, dominant: all.slice(0, 4), joining: all.slice(4), membersMax: 6 };
    const { solution, objective } = await solveHere(merging, problem);
    expect(objective).toBe(0);
    expect([...solution]).toEqual(problem.joining.map((expert) => expert % 4));
  });

  test("what has no answer is refused with its place; a layer in which nobody joins is one", async () => {
    const problem = drawnProblem(new RandomStream(5, "bad"), 8, 2);
    const messages = async (change: Partial<MergingProblem>) => {
      const error: unknown = await solveHere(merging, { ...problem, ...change }).catch((thrown: unknown) => thrown);
      return error instanceof InvalidInputError ? error.message : "taken";
    };
    expect(await messages({ membersMax: 3 })).toContain("membersMax: expected at least 4, for 8 experts in 2 groups");
    expect(await messages({ dominant: [] })).toContain("dominant: expected an expert that others join");
    expect(await messages({ joining: [0, 1] })).toContain("joining: expected different experts below 8");
    expect(await messages({ similarity: new Float64Array(3) })).toContain("similarity: expected 8 x 8 values");
    expect(await messages({ similarity: problem.similarity.map((v, i) => (i === 9 ? Number.NaN : v)) })).toContain(
      "similarity[1][1]: expected a finite number",
    );
    expect(await messages({ joining: [] })).toBe("taken");
  });
});
