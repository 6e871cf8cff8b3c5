import type { StorageFormat } from "../core/dtype.ts";
import { expertBytes, modelKvBytesPerSequence, modelKvBytesPerToken, weightBytes } from "./bytes.ts";
import { type FlopsOptions, flopsPerToken } from "./flops.ts";
import { type Parameters, parametersOf } from "./parameters.ts";
import type { LayerSpec, ModelSpec, TensorClass } from "./spec.ts";

/** One number of a model with the key of config.json, or the rule, that it came from. */
interface DescribedValue {
  /** Path in the spec, such as `layers[].feedForward.topK`. */
  readonly name: string;
  readonly value: number | string | boolean | null;
  readonly key: string;
}

/** Consecutive layers of one shape; `first` and `last` count from 0. */
interface LayerRun {
  readonly first: number;
  readonly last: number;
  readonly layer: LayerSpec;
}

/** All that `moecast model show` prints, as plain data. */
export interface ModelDescription {
  readonly id: string;
  readonly modelType: string;
  readonly rows: readonly DescribedValue[];
  readonly layers: readonly LayerRun[];
  readonly parameters: Parameters;
  /** Stored weights by tensor class as released, in bytes, with the format of each class. */
  readonly weights: {
    readonly formats: Readonly<Record<TensorClass, StorageFormat>>;
    /** Of classes that are not in the usual layout of their format. */
    readonly bitsPerValue: Readonly<Partial<Record<TensorClass, number>>>;
    readonly bytes: Readonly<Record<TensorClass, number>>;
    readonly totalBytes: number;
  };
  /** Bytes of one routed expert as released; null for a dense model. */
  readonly expertBytes: number | null;
  readonly kv: {
    readonly format: StorageFormat;
    readonly bytesPerToken: number;
    /** At some context lengths up to the model's maximum; windows and states make this less than proportional. */
    readonly sequences: readonly { readonly contextTokens: number; readonly bytes: number }[];
  };
  readonly flops: readonly (FlopsOptions & {
    readonly weights: number;
    readonly mixing: number;
    readonly total: number;
  })[];
}

const contexts = [1024, 8192, 32768, 131072];

export function describeModel(spec: ModelSpec): ModelDescription {
  const bytes = weightBytes(spec);
  const reachable = contexts.filter((tokens) => tokens <= spec.contextTokensMax);
  const moe = spec.layers.map(({ feedForward }) => feedForward).find((network) => network.kind === "moe");
  return {
    id: spec.id,
    modelType: spec.modelType,
    rows: Object.entries(spec.provenance).map(([name, { key, value }]) => ({ name, value, key })),
    layers: layerRuns(spec.layers),
    parameters: parametersOf(spec),
    weights: {
      formats: spec.formats,
      bitsPerValue: spec.weightBits ?? {},
      bytes,
      totalBytes: Object.values(bytes).reduce((sum, part) => sum + part, 0),
    },
    expertBytes: moe === undefined ? null : expertBytes(moe, spec),
    kv: {
      format: spec.kvFormat,
      bytesPerToken: modelKvBytesPerToken(spec),
      sequences: reachable.map((contextTokens) => ({
        contextTokens,
        bytes: modelKvBytesPerSequence(spec, contextTokens),
      })),
    },
    flops: reachable.flatMap((contextTokens) =>
      (["prefill", "decode"] as const).map((phase) => {
        const options = { contextTokens, phase, logits: phase === "decode" };
        const { mixing, total } = flopsPerToken(spec, options);
        return { ...options, weights: total - mixing, mixing, total };
      }),
    ),
  };
}

/** Joins consecutive layers of equal shape. */
function layerRuns(layers: readonly LayerSpec[]): readonly LayerRun[] {
  const runs: LayerRun[] = [];
  layers.forEach((layer, index) => {
    const previous = runs.at(-1);
    if (previous !== undefined && JSON.stringify(previous.layer) === JSON.stringify(layer))
      runs[runs.length - 1] = { ...previous, last: index };
    else runs.push({ first: index, last: index, layer });
  });
  return runs;
}
