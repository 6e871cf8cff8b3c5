import { type Batch, batchOf } from "../../scripts/train/model.ts";
import type { Shape } from "../../scripts/train/shape.ts";
import { RandomStream } from "../../src/core/random.ts";

/** A small model. */
export const shape: Shape = {
  vocabulary: 24,
  hidden: 16,
  layers: 2,
  queryHeads: 4,
  kvHeads: 2,
  headDim: 4,
  experts: 6,
  topK: 2,
  expertWidth: 8,
  context: 12,
  ropeTheta: 10_000,
  normEpsilon: 1e-5,
};

/** Tokens for it. */
export const randomBatch = (seed: number): Batch => {
  const stream = new RandomStream(seed, "batch");
  return batchOf(
    Int32Array.from({ length: 2 * (shape.context + 1) }, () => stream.below(shape.vocabulary)),
    2,
  );
};
