import { type StorageFormat, storageFormats, storedBytes } from "../core/dtype.ts";
import { expertMatrices, valueCounts } from "./parameters.ts";
import type { Attention, ModelSpec, MoeFeedForward, TensorClass } from "./spec.ts";

/**
 * Bytes of the stored weights of each tensor class. Matrices take the class's format, biases and norms the format of
 * the norms, as released checkpoints do. Without `formats`, as released.
 */
export function weightBytes(
  spec: ModelSpec,
  formats: Readonly<Record<TensorClass, StorageFormat>> = spec.formats,
): Readonly<Record<TensorClass, number>> {
  const bytes = Object.entries(valueCounts(spec, "all")).map(([name, { matrices, vectors }]) => [
    name,
    storedBytes(matrices, formats[name as TensorClass]) + storedBytes(vectors, formats.norm),
  ]);
  return Object.fromEntries(bytes) as Record<TensorClass, number>;
}

/** Bytes of one routed expert: what an offload moves and a cache slot holds. */
export function expertBytes(moe: MoeFeedForward, format: StorageFormat, biasFormat: StorageFormat = "bf16"): number {
  return storedBytes(expertMatrices(moe), format) + storedBytes(moe.expertBiasParameters, biasFormat);
}

/** Values that one cached token occupies in a layer: keys and values, or a latent and its rotary part. */
function kvValuesPerToken(attention: Attention): number {
  switch (attention.kind) {
    case "gqa":
      if (attention.sharedCache === true) return 0;
      return attention.kvHeads * (attention.headDim + (attention.valueHeadDim ?? attention.headDim));
    case "mla": {
      const latent = attention.kvLoraRank + attention.ropeHeadDim;
      const holdsIndex = attention.indexer !== null && attention.indexerShared !== true;
      return latent + (holdsIndex ? (attention.indexer?.headDim ?? 0) : 0);
    }
    case "linear":
    case "none":
      return 0;
  }
}

/**
 * Bytes that one more token adds to the cache of a layer while nothing has left its window; 0 for layers with a constant
 * state. A compressed cache (DeepSeek-V4) grows by the share of an entry, which need not be a whole number of bytes.
 */
export function kvBytesPerToken(attention: Attention, kvFormat: StorageFormat): number {
  if (attention.kind === "mla" && attention.compressed !== undefined) {
    const { ratio } = attention.compressed;
    return ratio === 0 ? 0 : (kvValuesPerToken(attention) * storageFormats[kvFormat].bitsPerValue) / 8 / ratio;
  }
  return storedBytes(kvValuesPerToken(attention), kvFormat);
}

/** Bytes that a sequence of `contextTokens` holds in a layer: its cache, at most its window's, or its recurrent state. */
export function kvBytesPerSequence(attention: Attention, kvFormat: StorageFormat, contextTokens: number): number {
  switch (attention.kind) {
    case "gqa":
      return storedBytes(kvValuesPerToken(attention), kvFormat) * visibleTokens(attention.windowTokens, contextTokens);
    case "mla": {
      const { compressed } = attention;
      if (compressed === undefined) return storedBytes(kvValuesPerToken(attention), kvFormat) * contextTokens;
      const latent = attention.kvLoraRank + attention.ropeHeadDim;
      const entries = compressed.ratio === 0 ? 0 : Math.floor(contextTokens / compressed.ratio);
      return (
        storedBytes(latent, kvFormat) * visibleTokens(compressed.windowTokens, contextTokens) +
        storedBytes(kvValuesPerToken(attention), kvFormat) * entries
      );
    }
    case "linear":
      return storedBytes(attention.stateValues, attention.stateFormat ?? kvFormat);
    case "none":
      return 0;
  }
}

function visibleTokens(windowTokens: number | null, contextTokens: number): number {
  return windowTokens === null ? contextTokens : Math.min(windowTokens, contextTokens);
}

/** Bytes that one more token adds to the cache of the whole model; see {@link kvBytesPerToken}. */
export function modelKvBytesPerToken(spec: ModelSpec): number {
  return spec.layers.reduce((bytes, { attention }) => bytes + kvBytesPerToken(attention, spec.kvFormat), 0);
}

/** Bytes that a sequence of `contextTokens` holds in all layers. */
export function modelKvBytesPerSequence(spec: ModelSpec, contextTokens: number): number {
  return spec.layers.reduce(
    (bytes, { attention }) => bytes + kvBytesPerSequence(attention, spec.kvFormat, contextTokens),
    0,
  );
}
