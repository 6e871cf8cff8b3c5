import { type StorageFormat, storageFormats } from "../../core/dtype.ts";
import type { KernelMaps } from "../../hardware/kernel-maps.ts";
import type { TensorClass } from "../../models/spec.ts";
import type { AdviceCause, AdviceRule } from "./advice-rule.ts";

const bits = (format: StorageFormat): number => storageFormats[format].bitsPerValue;

/**
 * The next smaller format in common use; null from 4 bits on. Releases store fp8 in blocks, which is timed by a map where
 * the device was measured so.
 */
function smaller(format: StorageFormat, { maps }: Pick<KernelMaps, "maps">): StorageFormat | null {
  if (bits(format) > 9) return maps.some((map) => map.format === "fp8_block") ? "fp8_block" : "fp8";
  return bits(format) > 5 ? "int4" : null;
}

/** A class of weights in fewer bits: fewer bytes to read, to move and to hold. */
const smallerWeights = (tensors: TensorClass, name: string, causes: readonly AdviceCause[]): AdviceRule => ({
  causes,
  changesOutput: true,
  change: ({ config: { formats, node } }) => {
    const format = smaller(formats[tensors], node.device.kernels ?? { maps: [] });
    if (format === null) return null;
    return {
      text: `${name} in ${format}, which changes what the model computes`,
      set: [`model.dtypes.${tensors}=${format}`],
    };
  },
});

export const smallerExperts = smallerWeights("experts", "experts", ["experts", "expertFetch", "expertWait"]);
export const smallerSharedExperts = smallerWeights("shared", "shared experts", ["sharedExperts"]);
export const smallerDense = smallerWeights("dense", "dense layers", ["dense"]);
export const smallerAttention = smallerWeights("attention", "attention weights", ["attention"]);
export const smallerHead = smallerWeights("head", "the output head", ["head"]);

/** Half the bytes per key and value: faster attention over long contexts, and twice the context held. */
export const smallerKvCache: AdviceRule = {
  causes: ["attention", "attentionWait", "queue"],
  changesOutput: true,
  change: ({ config: { kvFormat } }) =>
    bits(kvFormat) <= 8
      ? null
      : { text: "the KV cache in fp8, which changes what the model computes", set: ["model.kvCacheDtype=fp8"] },
};
