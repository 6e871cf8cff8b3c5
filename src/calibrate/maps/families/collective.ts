import { collectiveShape } from "../../../hardware/cost/collective.ts";
import type { CollectiveOp } from "../../../hardware/op.ts";
import { spreadKnots } from "../knots.ts";
import type { CalibrationFamily } from "./family.ts";

/** Sizes between the smallest and the largest message. */
const sizeKnots = 14;

/** All-reduce, all-gather, reduce-scatter and all-to-all inside a node; only all-reduces differ by engine. */
export const collectiveFamily: CalibrationFamily<CollectiveOp> = {
  shape: collectiveShape,
  byEngine: true,
  format: () => undefined,
  axes: (ops) => [
    {
      name: "bytes",
      knots: spreadKnots(
        ops.map((op) => op.bytes),
        sizeKnots,
      ),
    },
    { name: "ranks", knots: [...new Set(ops.map((op) => op.ranks))].sort((a, b) => a - b) },
  ],
};
