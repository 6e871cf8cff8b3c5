import {
  attentionDecodeShape,
  attentionPrefillShape,
  latentDecodeShape,
  latentPrefillShape,
} from "../../../hardware/cost/attention.ts";
import type { AttentionOp } from "../../../hardware/op.ts";
import { type CalibrationFamily, fixedKnots } from "./family.ts";

/**
 * Knots follow the tiles of keys, where kernels mask, split or switch. Those of query rows and bytes are an octave apart
 * where work begins to fill all processors: there time jumps from one wave of tiles to the next. Chosen by leaving out parts
 * of four fifths of the shapes, judged on the others.
 */
const common = { byEngine: false, format: (op: AttentionOp) => op.cacheFormat } as const;

/** A batch of `factor` times the sequences. */
const moreSequences = (op: AttentionOp, factor: number): AttentionOp => ({
  ...op,
  sequences: factor * op.sequences,
  queryTokens: factor * op.queryTokens,
  scorePairs: factor * op.scorePairs,
  cacheTokens: factor * op.cacheTokens,
});

export const attentionPrefillFamily: CalibrationFamily<AttentionOp> = {
  ...common,
  shape: attentionPrefillShape,
  axes: fixedKnots(attentionPrefillShape, [
    [16, 1024, 4096, 8192, 16384, 32768, 65536, 131_072, 262_144, 1_000_000],
    [1, 16, 64, 128, 256, 1024, 8192],
    [1, 4, 32],
    [128, 256, 512, 1024],
  ]),
};

export const attentionDecodeFamily: CalibrationFamily<AttentionOp> = {
  ...common,
  shape: attentionDecodeShape,
  scaled: moreSequences,
  axes: fixedKnots(attentionDecodeShape, [
    [1e3, 256e3, 1e6, 4e6, 8e6, 16e6, 32e6, 64e6, 256e6, 8e9],
    [2, 16, 64, 128, 256, 1024, 4096, 65536],
    [1, 2, 32],
    [128, 256, 512, 1024],
  ]),
};

export const latentPrefillFamily: CalibrationFamily<AttentionOp> = {
  ...common,
  shape: latentPrefillShape,
  axes: fixedKnots(latentPrefillShape, [
    [16, 1024, 4096, 16384, 131072, 2_000_000],
    [1, 32, 128, 512, 2048, 16384],
    [1, 16, 128],
  ]),
};

export const latentDecodeFamily: CalibrationFamily<AttentionOp> = {
  ...common,
  shape: latentDecodeShape,
  scaled: moreSequences,
  axes: fixedKnots(latentDecodeShape, [
    [1, 8, 64, 256, 1024],
    [2, 256, 1024, 4096, 16384, 131072],
    [1, 16, 64, 128],
  ]),
};
