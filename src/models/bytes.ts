import { type StorageFormat, storageFormats, storedBytes } from "../core/dtype.ts";
import { expertMatrices, valueCounts } from "./parameters.ts";
import type { Attention, ModelSpec, MoeFeedForward, TensorClass, WeightStorage } from "./spec.ts";

/** Bytes of `values` matrix weights of a tensor class. */
export function matrixBytes({ formats, weightBits }: WeightStorage, tensors: TensorClass, values: number): number {
  return storedBytes(values, formats[tensors], weightBits?.[tensors]);
}

/** Bytes of a weight of a class, for operations, where its layout is not the usual one of its format. */
export function ownBytes(
  { weightBits }: Pick<WeightStorage, "weightBits">,
  tensors: TensorClass,
): { readonly bytesPerWeight?: number } {
  const bits = weightBits?.[tensors];
  return bits === undefined ? {} : { bytesPerWeight: bits / 8 };
}

/** A model served in other formats. Classes whose format changes are in its usual layout. */
export function restored(spec: WeightStorage, formats: WeightStorage["formats"]): WeightStorage {
  const kept = Object.entries(spec.weightBits ?? {}).filter(
    ([name]) => formats[name as TensorClass] === spec.formats[name as TensorClass],
  );
  return kept.length === 0 ? { formats } : { formats, weightBits: Object.fromEntries(kept) };
}

/**
 * Bytes of the stored weights of each tensor class. Matrices take the class's format, biases and norms the format of
 * the norms, as released checkpoints do. Without `storage`, as released.
 */
export function weightBytes(spec: ModelSpec, storage: WeightStorage = spec): Readonly<Record<TensorClass, number>> {
  const bytes = Object.entries(valueCounts(spec, "all")).map(([name, { matrices, vectors }]) => [
    name,
    matrixBytes(storage, name as TensorClass, matrices) + storedBytes(vectors, storage.formats.norm),
  ]);
  return Object.fromEntries(bytes) as Record<TensorClass, number>;
}

/** Bytes of one routed expert: what an offload moves and a cache slot holds. */
export function expertBytes(moe: MoeFeedForward, storage: WeightStorage): number {
  return (
    matrixBytes(storage, "experts", expertMatrices(moe)) + storedBytes(moe.expertBiasParameters, storage.formats.norm)
  );
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
