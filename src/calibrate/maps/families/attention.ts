import {
  attentionDecodeShape,
  attentionPrefillShape,
  latentDecodeShape,
  latentPrefillShape,
} from "../../../hardware/cost/attention.ts";
import type { AttentionOp } from "../../../hardware/op.ts";
import { type CalibrationFamily, fixedKnots } from "./family.ts";

const common = { byEngine: false, format: (op: AttentionOp) => op.cacheFormat } as const;

export const attentionPrefillFamily: CalibrationFamily<AttentionOp> = {
  ...common,
  shape: attentionPrefillShape,
  axes: fixedKnots(attentionPrefillShape, [
    [16, 1024, 4096, 16384, 65536, 1_000_000],
    [1, 32, 128, 512, 2048, 8192],
    [1, 8],
    [128, 256, 384, 512],
  ]),
};

export const attentionDecodeFamily: CalibrationFamily<AttentionOp> = {
  ...common,
  shape: attentionDecodeShape,
  axes: fixedKnots(attentionDecodeShape, [
    [1e3, 256e3, 4e6, 32e6, 256e6, 8e9],
    [1, 16, 128, 1024, 16384],
    [1, 2, 16],
    [128, 256, 512],
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
  axes: fixedKnots(latentDecodeShape, [
    [1, 8, 64, 256, 1024],
    [2, 256, 1024, 4096, 16384, 131072],
    [1, 16, 64, 128],
  ]),
};
