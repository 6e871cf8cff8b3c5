import type { MilpForm } from "../by-milp.ts";
import { chosenIn, MilpBuilder, unitOf } from "../milp-builder.ts";
import type { BitChoice, BitProblem } from "./bit-problem.ts";

/** Columns x[expert, width], 1 where the expert has the width. */
export const bitMilp: MilpForm<BitProblem, BitChoice> = {
  milp({ experts, bits, loss, budget, atLeastOnce }) {
    const program = new MilpBuilder();
    for (const value of loss) program.binary(value / unitOf(loss));
    const all = Array.from({ length: experts }, (_, expert) => expert);
    const column = (expert: number, width: number): number => expert * bits.length + width;
    for (const expert of all)
      program.rowOf(
        1,
        1,
        bits.map((_, width) => [column(expert, width), 1] as const),
      );
    program.rowOf(
      -Infinity,
      budget,
      all.flatMap((expert) => bits.map((width, i) => [column(expert, i), width] as const)),
    );
    for (const width of atLeastOnce)
      program.rowOf(
        1,
        Infinity,
        all.map((expert) => [column(expert, bits.indexOf(width)), 1] as const),
      );
    return program.build();
  },
  unit: ({ loss }) => unitOf(loss),
  solution: ({ experts, bits }, values) => Uint8Array.from(chosenIn(values, experts, bits.length)),
};
