import type { MilpForm } from "../by-milp.ts";
import { MilpBuilder } from "../milp-builder.ts";
import { type Merging, type MergingProblem, roomOf, unlikeness } from "./merging-problem.ts";

/** Columns x[joining, dominant], 1 where the one joins the other. */
export const mergingMilp: MilpForm<MergingProblem, Merging> = {
  milp(problem) {
    const groups = problem.dominant.length;
    const program = new MilpBuilder();
    const costs = unlikeness(problem);
    const unit = largest(costs);
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
  unit: (problem) => largest(unlikeness(problem)),
  solution({ joining, dominant }, values) {
    return Uint16Array.from(joining, (_, i) => {
      const row = values.subarray(i * dominant.length, (i + 1) * dominant.length);
      return row.indexOf(Math.max(...row));
    });
  },
};

/** The scale of likeness is the user's, while solvers have absolute tolerances. */
const largest = (costs: Float64Array): number => costs.reduce((most, value) => Math.max(most, value), 0) || 1;
