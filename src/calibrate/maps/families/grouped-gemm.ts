import { groupedGemmShape, sentExpertsShapes } from "../../../hardware/cost/grouped-gemm.ts";
import type { GroupedGemmOp } from "../../../hardware/op.ts";
import { spreadKnots } from "../knots.ts";
import type { CalibrationFamily } from "./family.ts";

/**
 * Knots per axis: pairs per expert, weight bytes, shard width, presented pairs per computed pair. Chosen on one split of
 * shapes, judged on others.
 */
const knots = [9, 4, 4, 3] as const;

/** The same for experts whose tokens were sent to them. */
const sentKnots = [7, 3, 4, 3] as const;

/** Routed experts. */
export const groupedGemmFamily: CalibrationFamily<GroupedGemmOp> = {
  shape: groupedGemmShape,
  byEngine: true,
  format: (op) => op.weightFormat,
  axes: (ops) =>
    groupedGemmShape.axes.map(({ name, of }, i) => ({ name, knots: spreadKnots(ops.map(of), knots[i] ?? 1) })),
  scaled: (op, factor) => ({
    ...op,
    pairs: factor * op.pairs,
    distinctExperts: factor * op.distinctExperts,
    presentedPairs: factor * op.presentedPairs,
  }),
  options: { relativeLoss: true },
};

/** Routed experts whose tokens were sent to them: tables of one shape. */
export function sentExpertsFamily(layout: keyof typeof sentExpertsShapes): CalibrationFamily<GroupedGemmOp> {
  const shape = sentExpertsShapes[layout];
  return {
    shape,
    byEngine: true,
    format: (op) => op.weightFormat,
    axes: (ops) => shape.axes.map(({ name, of }, i) => ({ name, knots: spreadKnots(ops.map(of), sentKnots[i] ?? 1) })),
  };
}
