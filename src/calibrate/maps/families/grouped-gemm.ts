import { groupedGemmShape, sentExpertsShapes } from "../../../hardware/cost/grouped-gemm.ts";
import type { GroupedGemmOp } from "../../../hardware/op.ts";
import { spreadKnots } from "../knots.ts";
import type { CalibrationFamily } from "./family.ts";

/** Knots per axis: pairs per expert, weight bytes, shard width, presented pairs per computed pair. */
const knots = { many: [7, 3, 4, 3], few: [7, 4, 3, 2] } as const;
/** Kernels from which on the finer grid is fitted. */
const manyKernels = 5000;

/** Routed experts. */
export const groupedGemmFamily: CalibrationFamily<GroupedGemmOp> = {
  shape: groupedGemmShape,
  byEngine: true,
  format: (op) => op.weightFormat,
  axes: (ops) => {
    const counts = ops.length < manyKernels ? knots.few : knots.many;
    return groupedGemmShape.axes.map(({ name, of }, i) => ({ name, knots: spreadKnots(ops.map(of), counts[i] ?? 1) }));
  },
  options: { relativeLoss: true },
};

/** Routed experts whose tokens were sent to them: tables of one shape. */
export function sentExpertsFamily(layout: keyof typeof sentExpertsShapes): CalibrationFamily<GroupedGemmOp> {
  const shape = sentExpertsShapes[layout];
  return {
    shape,
    byEngine: true,
    format: (op) => op.weightFormat,
    axes: (ops) => shape.axes.map(({ name, of }, i) => ({ name, knots: spreadKnots(ops.map(of), knots.many[i] ?? 1) })),
  };
}
