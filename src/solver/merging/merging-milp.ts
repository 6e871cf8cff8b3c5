import type { MilpForm } from "../by-milp.ts";
import { chosenIn, MilpBuilder, unitOf } from "../milp-builder.ts";
import { type Merging, type MergingProblem, roomOf, unlikeness } from "./merging-problem.ts";

/** Columns x[joining, dominant], 1 where the one joins the other. */
export const mergingMilp: MilpForm<MergingProblem, Merging> = {
  milp(problem) {
    const groups = problem.dominant.length;
    const program = new MilpBuilder();
    const costs = unlikeness(problem);
    const unit = unitOf(costs);
    for (const cost of costs) program.binary(cost / unit);
    for (let i = 0; i < problem.joining.length; i++) {
      for (let group = 0; group < groups; group++) program.term(i * groups + group, 1);
      program.row(1, 1);
    }
    for (let group = 0; group < groups; group++) {
      for (let i = 0; i < problem.joining.length; i++) program.term(i * groups + group, 1);
      program.row(0, roomOf(problem));
    }
    return program.build();
  },
  unit: (problem) => unitOf(unlikeness(problem)),
  solution: ({ joining, dominant }, values) => chosenIn(values, joining.length, dominant.length),
};
