import type { ConfigReader } from "./config-reader.ts";
import { kernelMax, mixerPath } from "./mixer-parts.ts";
import type { LinearAttention } from "./spec.ts";

/** Gated short convolution of LFM2: three projections of the input, of which two gate the convolution of the third. */
export function shortConvolution(reader: ConfigReader, hiddenSize: number): LinearAttention {
  const kernel = reader.count(`${mixerPath}.convolution`, ["conv_L_cache"], kernelMax);
  const width = reader.raw("conv_dim");
  if (width !== undefined && width !== hiddenSize) reader.problem("conv_dim", `hidden_size ${hiddenSize}`, width);
  const biased = reader.flag(`${mixerPath}.bias`, ["conv_bias"], { value: false, rule: "model class" });
  return {
    kind: "linear",
    projectionParameters: hiddenSize * (3 * hiddenSize + kernel) + hiddenSize * hiddenSize,
    stateValues: hiddenSize * (kernel - 1),
    stateFormat: "bf16",
    // Of the projections in and out and of the convolution.
    smallParameters: biased ? 5 * hiddenSize : 0,
    scan: {
      rule: "convolution",
      heads: hiddenSize,
      keyHeads: hiddenSize,
      keyDim: kernel - 1,
      valueDim: 1,
      chunkTokens: kernel,
      convolved: hiddenSize,
    },
  };
}
