import type { MilpForm } from "../by-milp.ts";
import { MilpBuilder } from "../milp-builder.ts";
import type { LplbProblem } from "./lplb-problem.ts";

/** Columns: the tokens of each copy, then the load M of the slowest rank. */
export const lplbMilp: MilpForm<LplbProblem, Float64Array> = {
  size: { columnsMax: 20_000, columns: (problem) => problem.copyExpert.length + 1 },
  milp: (problem) => {
    const milp = new MilpBuilder();
    const copies = problem.copyExpert.length;
    const byExpert: number[][] = Array.from({ length: problem.experts }, () => []);
    const byRank: number[][] = Array.from({ length: problem.ranks }, () => []);
    for (let copy = 0; copy < copies; copy++) {
      const expert = problem.copyExpert[copy]!;
      milp.real(0, 0, expert < problem.experts ? Infinity : 0);
      byExpert[expert]?.push(copy);
      byRank[problem.copyRank[copy]!]!.push(copy);
    }
    const slowest = milp.real(1, 0, Infinity);
    for (const [expert, own] of byExpert.entries()) {
      if (own.length === 0) continue;
      for (const copy of own) milp.term(copy, 1);
      milp.row(problem.tokens[expert]!, problem.tokens[expert]!);
    }
    for (const [rank, own] of byRank.entries()) {
      for (const copy of own) milp.term(copy, 1);
      milp.term(slowest, -(problem.rankSpeed?.[rank] ?? 1));
      milp.row(-Infinity, 0);
    }
    return milp.build();
  },
  solution: (problem, values) => values.slice(0, problem.copyExpert.length),
};
