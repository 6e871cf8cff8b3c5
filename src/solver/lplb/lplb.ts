import type { Problem } from "../../core/errors.ts";
import { byMilp } from "../by-milp.ts";
import type { Optimisation, Solver } from "../solver.ts";
import type { LplbProblem } from "./lplb-problem.ts";
import { lplbMilp } from "./milp-form.ts";
import { TokenSplitter } from "./split-tokens.ts";

const flow: Solver<LplbProblem, Float64Array> = {
  name: "flow",
  rule: "parametric flow: exact, within microseconds",
  solve: (problem) => {
    const share = new Float64Array(problem.copyExpert.length);
    const bound = new TokenSplitter(problem).split(problem.tokens, share);
    return { solution: share, bound: bound * (1 - 1e-12), cut: false };
  },
};

/** Rank loads of a split, each by the rank's speed; the objective is the largest. */
function slowestRank(problem: LplbProblem, share: Float64Array): number {
  const load = new Float64Array(problem.ranks);
  for (let copy = 0; copy < share.length; copy++) load[problem.copyRank[copy]!]! += share[copy]!;
  let slowest = 0;
  for (let rank = 0; rank < problem.ranks; rank++)
    slowest = Math.max(slowest, load[rank]! / (problem.rankSpeed?.[rank] ?? 1));
  return slowest;
}

/** Tokens split among copies of experts so that the slowest rank is as fast as can be (SGLang's LPLB). */
export const lplb: Optimisation<LplbProblem, Float64Array> = {
  name: "lplb",
  solvers: {
    flow,
    highs: byMilp("highs", "the linear program, by HiGHS", lplbMilp),
    glpk: byMilp("glpk", "the linear program, by GLPK", lplbMilp),
  },
  preferred: () => "flow",
  problems: (problem) => {
    const problems: Problem[] = [];
    const has = new Set<number>();
    for (let copy = 0; copy < problem.copyExpert.length; copy++) {
      has.add(problem.copyExpert[copy]!);
      if (!(problem.copyRank[copy]! < problem.ranks))
        problems.push({
          at: `copyRank[${copy}]`,
          expected: `a rank below ${problem.ranks}`,
          found: problem.copyRank[copy],
        });
    }
    for (let expert = 0; expert < problem.experts; expert++) {
      const tokens = problem.tokens[expert]!;
      if (!(tokens >= 0 && tokens < Infinity))
        problems.push({ at: `tokens[${expert}]`, expected: "tokens of an expert, at least 0", found: tokens });
      else if (tokens > 0 && !has.has(expert))
        problems.push({
          at: `tokens[${expert}]`,
          expected: `a copy of expert ${expert} for its tokens`,
          found: tokens,
        });
    }
    for (let rank = 0; rank < (problem.rankSpeed?.length ?? 0); rank++)
      if (!(problem.rankSpeed![rank]! > 0))
        problems.push({ at: `rankSpeed[${rank}]`, expected: "a speed above 0", found: problem.rankSpeed![rank] });
    return problems;
  },
  objective: slowestRank,
  violation: (problem, share) => {
    const left = Float64Array.from(problem.tokens);
    const sum = left.reduce((total, tokens) => total + tokens, 0);
    for (let copy = 0; copy < share.length; copy++) {
      const expert = problem.copyExpert[copy]!;
      if (!(share[copy]! >= -1e-9 * sum)) return `copy ${copy} gets ${share[copy]} tokens`;
      if (expert < problem.experts) left[expert]! -= share[copy]!;
      else if (share[copy]! > 1e-9 * sum) return `the empty place ${copy} gets ${share[copy]} tokens`;
    }
    const lost = left.findIndex((tokens) => Math.abs(tokens) > 1e-9 * sum);
    return lost < 0 ? null : `${left[lost]} tokens of expert ${lost} go to no copy`;
  },
  lowerBound: (problem) => {
    let tokens = 0;
    let speed = 0;
    for (let expert = 0; expert < problem.experts; expert++) tokens += problem.tokens[expert]!;
    for (let rank = 0; rank < problem.ranks; rank++) speed += problem.rankSpeed?.[rank] ?? 1;
    return tokens / speed;
  },
};
