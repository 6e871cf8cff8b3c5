import { computedRange, computedTopK, routableExperts } from "./expert-choices.ts";
import {
  type Attention,
  type FeedForward,
  type ModelSpec,
  type MoeFeedForward,
  type TensorClass,
  tensorClasses,
} from "./spec.ts";

/** Values of a tensor class: matrices, which are quantised, and vectors (biases, norms), which are not. */
interface ValueCount {
  readonly matrices: number;
  readonly vectors: number;
}

export interface Parameters {
  readonly byClass: Readonly<Record<TensorClass, number>>;
  /** The same for one token: of each layer's routed experts only the chosen ones. */
  readonly activeByClass: Readonly<Record<TensorClass, number>>;
  readonly total: number;
  readonly active: number;
  /** `active` where it varies from token to token: the fewest and the most; absent where it does not. */
  readonly activeRange?: { readonly fewest: number; readonly most: number };
  /** Without the token embedding and the output head. */
  readonly totalWithoutEmbedding: number;
  readonly activeWithoutEmbedding: number;
}

/** Weights of the projections of an attention layer, without biases and norms. */
export function attentionMatrices(attention: Attention, hiddenSize: number): number {
  switch (attention.kind) {
    case "gqa": {
      const { queryHeads, kvHeads, headDim, outputGate, keyIsValue, queryRank, sharedCache } = attention;
      const valueHeadDim = attention.valueHeadDim ?? headDim;
      const queries = queryHeads * headDim;
      const outputs = queryHeads * valueHeadDim;
      const keysAndValues = sharedCache === true ? 0 : kvHeads * (headDim + (keyIsValue === true ? 0 : valueHeadDim));
      const projected = queryRank === undefined ? hiddenSize * queries : queryRank * (hiddenSize + queries);
      return projected + hiddenSize * (keysAndValues + outputs + (outputGate ? outputs : 0));
    }
    case "mla": {
      if (attention.compressed !== undefined) return attention.compressed.projectionParameters;
      const { queryHeads, queryLoraRank, kvLoraRank, nopeHeadDim, ropeHeadDim, valueHeadDim, indexer } = attention;
      const queryWidth = queryHeads * (nopeHeadDim + ropeHeadDim);
      const queries = queryLoraRank === null ? hiddenSize * queryWidth : queryLoraRank * (hiddenSize + queryWidth);
      const compression = hiddenSize * (kvLoraRank + ropeHeadDim);
      const expansion = kvLoraRank * queryHeads * (nopeHeadDim + valueHeadDim);
      const outputs = queryHeads * valueHeadDim * hiddenSize;
      const gate =
        (attention.outputGate === true ? outputs : 0) + (attention.headGate === true ? hiddenSize * queryHeads : 0);
      const indexed =
        indexer === null || attention.indexerShared === true
          ? 0
          : (queryLoraRank ?? hiddenSize) * indexer.heads * indexer.headDim +
            hiddenSize * (indexer.headDim + indexer.heads);
      return queries + compression + expansion + outputs + gate + indexed;
    }
    case "linear":
      return attention.projectionParameters;
    case "none":
      return 0;
  }
}

/** Weights of one routed expert's matrices. */
export function expertMatrices(moe: MoeFeedForward): number {
  return moe.matrices * moe.expertHidden * moe.expertWidth;
}

/** Weights of a feed-forward network by class; `experts` is how many routed experts count. */
function feedForwardValues(
  feedForward: FeedForward,
  hiddenSize: number,
  experts: number,
): Partial<Record<TensorClass, ValueCount>> {
  switch (feedForward.kind) {
    case "none":
      return {};
    case "dense":
      return { dense: { matrices: feedForward.matrices * hiddenSize * feedForward.width, vectors: 0 } };
    case "moe": {
      const { matrices, sharedWidth, sharedGate, expertHidden, denseWidth, router } = feedForward;
      // A latent MoE projects once into and once out of the experts' hidden size, for all experts together.
      const latent = expertHidden === hiddenSize ? 0 : 2 * hiddenSize * expertHidden;
      return {
        experts: {
          matrices: experts * expertMatrices(feedForward),
          vectors: experts * feedForward.expertBiasParameters,
        },
        shared: {
          matrices: matrices * hiddenSize * sharedWidth + latent + (sharedGate && sharedWidth > 0 ? hiddenSize : 0),
          vectors: 0,
        },
        dense: { matrices: matrices * hiddenSize * denseWidth, vectors: 0 },
        router: {
          matrices: hiddenSize * routableExperts(feedForward),
          vectors: router.bias ? routableExperts(feedForward) : 0,
        },
      };
    }
  }
}

function forEachClass<T>(value: (tensorClass: TensorClass) => T): Record<TensorClass, T> {
  return Object.fromEntries(tensorClasses.map((name) => [name, value(name)])) as Record<TensorClass, T>;
}

/** Routed experts that count: all that are stored, or those that compute for one token (mean, fewest or most). */
type Counted = "all" | "chosen" | "fewest" | "most";

function countedExperts(moe: MoeFeedForward, counted: Counted): number {
  if (counted === "all") return moe.experts;
  return counted === "chosen" ? computedTopK(moe) : computedRange(moe)[counted];
}

/** Values of each tensor class that are stored (`all`) or used for one token, at each visit anew. */
export function valueCounts(spec: ModelSpec, experts: Counted): Readonly<Record<TensorClass, ValueCount>> {
  const counts = forEachClass(() => ({ matrices: 0, vectors: 0 }));
  const add = (tensorClass: TensorClass, matrices: number, vectors: number): void => {
    counts[tensorClass].matrices += matrices;
    counts[tensorClass].vectors += vectors;
  };
  const { hiddenSize, vocabSize } = spec;
  add("embedding", vocabSize * hiddenSize, 0);
  if (spec.ngramEmbedding !== undefined) {
    const { tableParameters, rowParameters, projectionParameters } = spec.ngramEmbedding;
    // Of tables far larger than the model itself a token counts what it reads.
    add("embedding", (experts === "all" ? tableParameters : rowParameters) + projectionParameters, 0);
  }
  add("head", spec.tiedEmbeddings ? 0 : vocabSize * hiddenSize, spec.headBias === true ? vocabSize : 0);
  add("norm", 0, hiddenSize);
  for (const { attention, feedForward, normParameters, revisit } of spec.layers) {
    const sublayers = Number(attention.kind !== "none") + Number(feedForward.kind !== "none");
    add("norm", 0, normParameters ?? sublayers * hiddenSize);
    const small = attention.kind === "none" ? 0 : attention.smallParameters;
    add("attention", attentionMatrices(attention, hiddenSize), small);
    const counted = feedForward.kind === "moe" ? countedExperts(feedForward, experts) : 0;
    for (const [name, value] of Object.entries(feedForwardValues(feedForward, hiddenSize, counted))) {
      const heldBefore = revisit !== undefined && (name !== "router" || revisit.router === "shared");
      if (experts !== "all" || !heldBefore) add(name as TensorClass, value.matrices, value.vectors);
    }
  }
  return counts;
}

/** Number of parameters, all and per token. MTP modules are not counted; a tied embedding is counted once. */
export function parametersOf(spec: ModelSpec): Parameters {
  const countsOf = (experts: Counted): Record<TensorClass, number> => {
    const counts = valueCounts(spec, experts);
    // Experts that compute may be a fraction on the mean.
    return forEachClass((name) => Math.round(counts[name].matrices + counts[name].vectors));
  };
  const sum = (counts: Readonly<Record<TensorClass, number>>): number =>
    tensorClasses.reduce((running, name) => running + counts[name], 0);
  const byClass = countsOf("all");
  const activeByClass = countsOf("chosen");
  const varies = spec.layers.some(
    ({ feedForward }) => feedForward.kind === "moe" && (feedForward.zeroExperts ?? 0) > 0,
  );
  const total = sum(byClass);
  const active = sum(activeByClass);
  return {
    byClass,
    activeByClass,
    total,
    active,
    ...(varies ? { activeRange: { fewest: sum(countsOf("fewest")), most: sum(countsOf("most")) } } : {}),
    totalWithoutEmbedding: total - byClass.embedding - byClass.head,
    activeWithoutEmbedding: active - activeByClass.embedding - activeByClass.head,
  };
}
