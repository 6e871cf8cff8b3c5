import { groupedGemmShape } from "../../../hardware/cost/grouped-gemm.ts";
import type { GroupedGemmOp } from "../../../hardware/op.ts";
import { spreadKnots } from "../knots.ts";
import type { CalibrationFamily } from "./family.ts";

/**
 * Knots per axis: pairs per expert, weight bytes, shard width, presented pairs per computed pair. Chosen on one split of
 * shapes, judged on others.
 */
const knots = [9, 4, 4, 3] as const;

/** Routed experts. */
export const groupedGemmFamily: CalibrationFamily<GroupedGemmOp> = {
  shape: groupedGemmShape,
  byEngine: true,
  format: (op) => op.weightFormat,
  axes: (ops) =>
    groupedGemmShape.axes.map(({ name, of }, i) => ({ name, knots: spreadKnots(ops.map(of), knots[i] ?? 1) })),
  options: { relativeLoss: true },
};
