import { describe, expect, test } from "vitest";
import { RandomStream } from "../../../src/core/random.ts";
import { lplb } from "../../../src/solver/lplb/lplb.ts";
import type { LplbProblem } from "../../../src/solver/lplb/lplb-problem.ts";
import { TokenSplitter } from "../../../src/solver/lplb/split-tokens.ts";
import { solveHere } from "../../../src/solver/solver.ts";
import { drawn } from "../../drawn.ts";

/** Experts round robin on ranks, then copies anywhere, some on the same rank, some places empty. */
function anyProblem(
  random: RandomStream,
  experts: number,
  ranks: number,
  further: number,
  speeds: boolean,
): LplbProblem {
  const copyExpert = Array.from({ length: experts + further }, (_, copy) =>
    copy < experts ? copy : random.below(experts + 1),
  );
  return {
    experts,
    ranks,
    copyExpert,
    copyRank: copyExpert.map((_, copy) => (copy < experts ? copy % ranks : random.below(ranks))),
    tokens: Array.from({ length: experts }, () =>
      random.below(4) === 0 ? 0 : Math.floor(Math.exp(2 * random.normal() + 4)),
    ),
    ...(speeds ? { rankSpeed: Array.from({ length: ranks }, () => 0.5 + random.uniform()) } : {}),
  };
}

/** max over sets of ranks of the tokens that can go nowhere else, by the set's speed. */
function leastByAllSets({ experts, ranks, copyExpert, copyRank, tokens, rankSpeed }: LplbProblem): number {
  let least = 0;
  for (let set = 1; set < 1 << ranks; set++) {
    let [load, speed] = [0, 0];
    for (let rank = 0; rank < ranks; rank++) if ((set >> rank) & 1) speed += rankSpeed?.[rank] ?? 1;
    for (let expert = 0; expert < experts; expert++) {
      const own = Array.from(copyRank).filter((_, copy) => copyExpert[copy] === expert);
      if (own.every((rank) => (set >> rank) & 1)) load += tokens[expert]!;
    }
    least = Math.max(least, load / speed);
  }
  return least;
}

test("the slowest rank has what every set of ranks forces on it, and the answer is proved", async () => {
  for (let instance = 0; instance < drawn(120); instance++) {
    const random = new RandomStream(instance, "lplb");
    const problem = anyProblem(random, 1 + random.below(9), 1 + random.below(5), random.below(7), instance % 2 === 1);
    const answer = await solveHere(lplb, problem);
    expect(answer.objective).toBeCloseTo(leastByAllSets(problem), 8);
    expect(answer.proved).toBe(true);
  }
});

describe.each(["highs", "glpk"])("%s", (solver) => {
  test("confirms the flow at 256 experts and 32 copies on 32 ranks, and on small ones with speeds", async () => {
    const sizes = [[256, 32, 32], ...Array.from({ length: 5 }, () => [12, 4, 5])] as const;
    for (const [at, [experts = 0, ranks = 0, further = 0]] of sizes.entries()) {
      const problem = anyProblem(new RandomStream(at, "confirmed"), experts, ranks, further, at > 2);
      const [own, other] = [await solveHere(lplb, problem), await solveHere(lplb, problem, { solver })];
      expect(other.objective / own.objective).toBeCloseTo(1, 6);
    }
  });
});

test("a second split is not disturbed by the first", () => {
  const problem = anyProblem(new RandomStream(5, "again"), 64, 8, 16, false);
  const splitter = new TokenSplitter(problem);
  const [first, again] = [new Float64Array(splitter.copies), new Float64Array(splitter.copies)];
  splitter.split(problem.tokens, first);
  splitter.split(new Float64Array(64).fill(3), again);
  splitter.split(problem.tokens, again);
  expect(again).toEqual(first);
});

test("tokens without a copy and ranks that are not there are refused with place and value", async () => {
  const problem = { experts: 2, ranks: 1, copyExpert: [0], copyRank: [3], tokens: [1, 4] };
  await expect(solveHere(lplb, problem)).rejects.toThrow(
    /copyRank\[0\]: expected a rank below 1, found 3\ntokens\[1\]: expected a copy of expert 1 for its tokens, found 4/,
  );
});
