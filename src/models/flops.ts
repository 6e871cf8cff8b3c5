import { valueCounts } from "./parameters.ts";
import { type Attention, type ModelSpec, type TensorClass, tensorClasses } from "./spec.ts";

export interface FlopsOptions {
  /** Decode: tokens in the cache, the new one included. Prefill: tokens of the prompt. */
  readonly contextTokens: number;
  readonly phase: "prefill" | "decode";
  /** Whether the output head runs for this token (in prefill only for the last). */
  readonly logits: boolean;
}

interface Flops {
  /** Multiply-adds with the weights, two operations each, by tensor class. */
  readonly weights: Readonly<Record<TensorClass, number>>;
  /** Scores against the cached keys, sums over values, selection by an indexer, updates of recurrent states. */
  readonly mixing: number;
  readonly total: number;
}

/**
 * Operations for one token, all ranks together. In prefill the mean over the prompt's tokens, each seeing itself and
 * those before it; in decode one token that sees all of `contextTokens`. MLA scores in decode work in the latent space
 * (absorbed projections), in prefill in the heads. Norms, activations, softmax and rotary embeddings are not counted.
 */
export function flopsPerToken(spec: ModelSpec, options: FlopsOptions): Flops {
  const counts = valueCounts(spec, "chosen");
  const used = (name: TensorClass): number => {
    if (name === "embedding") return spec.ngramEmbedding?.projectionParameters ?? 0;
    if (name !== "head") return counts[name].matrices;
    return options.logits ? spec.vocabSize * spec.hiddenSize : 0;
  };
  const weights = Object.fromEntries(tensorClasses.map((name) => [name, 2 * used(name)])) as Record<
    TensorClass,
    number
  >;
  const mixing = spec.layers.reduce((sum, { attention }) => sum + mixingFlops(attention, options), 0);
  return { weights, mixing, total: tensorClasses.reduce((sum, name) => sum + weights[name], mixing) };
}

/** Keys that a token sees: in prefill the mean of min(i, limit) over the tokens i = 1..n. */
export function keysSeen(options: FlopsOptions, limit: number | null): number {
  const tokens = options.contextTokens;
  if (options.phase === "decode") return limit === null ? tokens : Math.min(tokens, limit);
  if (limit === null || limit >= tokens) return (tokens + 1) / 2;
  return (limit * (limit + 1)) / 2 / tokens + (limit * (tokens - limit)) / tokens;
}

function mixingFlops(attention: Attention, options: FlopsOptions): number {
  switch (attention.kind) {
    case "gqa": {
      const limits = [attention.windowTokens, attention.topTokens].filter((limit) => limit != null);
      const keys = keysSeen(options, limits.length === 0 ? null : Math.min(...limits));
      return 2 * keys * attention.queryHeads * (attention.headDim + (attention.valueHeadDim ?? attention.headDim));
    }
    case "mla": {
      const { queryHeads, kvLoraRank, nopeHeadDim, ropeHeadDim, valueHeadDim, indexer, compressed } = attention;
      const latent = options.phase === "decode" || compressed !== undefined;
      const perKey = latent
        ? 2 * queryHeads * (2 * kvLoraRank + ropeHeadDim + (compressed === undefined ? 0 : ropeHeadDim))
        : 2 * queryHeads * (nopeHeadDim + ropeHeadDim + valueHeadDim);
      const entries = compressed === undefined ? keysSeen(options, null) : compressedEntries(options, compressed.ratio);
      const window = compressed === undefined ? 0 : keysSeen(options, compressed.windowTokens);
      const attended =
        indexer === null ? entries : selected(options, entries, indexer.topTokens, compressed?.ratio ?? 1);
      const indexed =
        indexer === null || attention.indexerShared === true ? 0 : 2 * entries * indexer.heads * indexer.headDim;
      return perKey * (attended + window) + indexed;
    }
    case "linear":
      // A convolution multiplies the values in its state and the new one of each channel.
      if (attention.scan.rule === "convolution") return 2 * (attention.stateValues + attention.scan.convolved);
      // Read of the state, rank-one update, output: a multiply-add per state value each.
      return 6 * attention.stateValues;
    case "none":
      return 0;
  }
}

function compressedEntries(options: FlopsOptions, ratio: number): number {
  return ratio === 0 ? 0 : keysSeen(options, null) / ratio;
}

function selected(options: FlopsOptions, entries: number, topTokens: number, ratio: number): number {
  return Math.min(entries, keysSeen(options, topTokens * Math.max(ratio, 1)) / Math.max(ratio, 1));
}
