import { type MilpForm, MilpRows } from "../by-milp.ts";
import type { BitChoice, BitProblem } from "./bit-problem.ts";

/** Columns x[expert, width], 1 where the expert has the width. */
export const bitMilp: MilpForm<BitProblem, BitChoice> = {
  write({ experts, bits, loss, budget, atLeastOnce }) {
    const columns = experts * bits.length;
    const all = Array.from({ length: experts }, (_, expert) => expert);
    const column = (expert: number, width: number): number => expert * bits.length + width;
    const rows = new MilpRows();
    for (const expert of all)
      rows.add(
        1,
        1,
        bits.map((_, width) => [column(expert, width), 1] as const),
      );
    rows.add(
      -Infinity,
      budget,
      all.flatMap((expert) => bits.map((width, i) => [column(expert, i), width] as const)),
    );
    for (const width of atLeastOnce)
      rows.add(
        1,
        Infinity,
        all.map((expert) => [column(expert, bits.indexOf(width)), 1] as const),
      );
    return {
      columns,
      cost: loss.map((value) => value / largestLoss(loss)),
      lower: new Float64Array(columns),
      upper: new Float64Array(columns).fill(1),
      integer: new Uint8Array(columns).fill(1),
      ...rows.matrix(),
    };
  },
  unit: ({ loss }) => largestLoss(loss),
  read: ({ experts, bits }, values) =>
    Uint8Array.from({ length: experts }, (_, expert) => {
      const row = values.subarray(expert * bits.length, (expert + 1) * bits.length);
      return row.indexOf(Math.max(...row));
    }),
};

/** The scale of losses is the user's, while solvers have absolute tolerances. */
const largestLoss = (loss: Float64Array): number => loss.reduce((most, value) => Math.max(most, value), 0) || 1;
