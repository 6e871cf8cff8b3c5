import { gemmShape } from "../../../hardware/cost/gemm.ts";
import type { GemmOp } from "../../../hardware/op.ts";
import { type CalibrationFamily, fixedKnots } from "./family.ts";

/** Dense products: the knots in tokens follow the tile heights of tensor-core kernels. */
export const gemmFamily: CalibrationFamily<GemmOp> = {
  shape: gemmShape,
  byEngine: false,
  format: (op) => op.weightFormat,
  scaled: (op, factor) => ({ ...op, outputWidth: factor * op.outputWidth }),
  axes: fixedKnots(gemmShape, [
    [1, 16, 64, 128, 256, 1024, 4096, 32768],
    [32, 256, 2048, 8192, 65536],
    [32, 512, 4096, 65536],
  ]),
};
