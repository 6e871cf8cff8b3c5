import { activationsFor, mathFor } from "../../hardware/math-format.ts";
import type { GemmOp } from "../../hardware/op.ts";
import { ownBytes } from "../../models/bytes.ts";
import type { PoolConfig } from "../config.ts";
import { kvShards } from "../mapping.ts";
import type { LayerCache } from "../memory/layer-cache.ts";
import type { AttentionProgram } from "./attention-parts.ts";
import { attentionProgram } from "./attention-program.ts";
import { type FeedForwardProgram, feedForwardProgram } from "./feed-forward-program.ts";
import { feedForwardUnits, isSummed, kernelsOf, mixingUnits } from "./layer-kernels.ts";
import type { ServedKernels } from "./served-kernels.ts";
import { layerClasses } from "./stage-plan.ts";

/** What a deployment's layers run, by their classes. No step changes it. */
export interface LayerPrograms {
  /** [feed-forward classes] */
  readonly feedForward: readonly FeedForwardProgram[];
  /** [attention classes], [feed-forward classes] kernels that a layer launches. */
  readonly mixingKernels: Float64Array;
  readonly feedForwardKernels: Float64Array;
  /** [attention classes] whether the norm of queries and keys sums over the tensor-parallel ranks. */
  readonly sumsNorms: readonly boolean[];
  /**
   * [attention classes] whether the class mixes tokens at all: blocks of hybrid models may have a feed-forward network
   * alone.
   */
  readonly mixes: readonly boolean[];
  readonly head: GemmOp;
}

export function layerPrograms(config: PoolConfig): LayerPrograms {
  const { model, mapping, formats, node, engine } = config;
  const classes = layerClasses(model);
  return {
    feedForward: classes.feedForward.map((spec) => feedForwardProgram(spec, config)),
    mixingKernels: Float64Array.from(classes.attention, (spec) =>
      kernelsOf(mixingUnits(spec, formats, mapping.tp), engine),
    ),
    feedForwardKernels: Float64Array.from(classes.feedForward, (spec) =>
      kernelsOf(feedForwardUnits(spec, formats), engine),
    ),
    sumsNorms: classes.attention.map((spec) => isSummed(spec, mapping.tp)),
    mixes: classes.attention.map(({ kind }) => kind !== "none"),
    head: {
      kind: "gemm",
      tokens: 0,
      inputWidth: model.hiddenSize,
      outputWidth: Math.ceil(model.vocabSize / mapping.tp),
      weightFormat: formats.head,
      ...ownBytes(config, "head"),
      math: mathFor(node.device, formats.head, activationsFor(formats.head, node.device)),
    },
  };
}

/** [attention classes] token mixing, timed as kernels are served in one step in flight. */
export function attentionPrograms(
  config: PoolConfig,
  served: ServedKernels,
  windows: Float64Array,
): readonly AttentionProgram[] {
  const { model, mapping, formats, node, engine, kvFormat } = config;
  const math = mathFor(node.device, formats.attention, activationsFor(formats.attention, node.device));
  const shards = kvShards(config);
  return layerClasses(model).attention.map((spec) => {
    const program = attentionProgram(spec, {
      hidden: model.hiddenSize,
      tp: mapping.tp,
      weightFormat: formats.attention,
      ...ownBytes(config, "attention"),
      kvFormat,
      math,
      cost: served,
      mixedDecodeRows: engine.mixedDecodeRows ?? null,
      sparseDenseTokens: engine.sparseDenseTokens,
      windows,
    });
    return shards === 1 ? program : { ...program, caches: program.caches.map((cache) => shardOf(cache, shards)) };
  });
}

/** What one of `shards` ranks keeps of a cache whose tokens are dealt to them in turn. */
const shardOf = (cache: LayerCache, shards: number): LayerCache =>
  cache.kind === "state" ? cache : { ...cache, bytesPerToken: cache.bytesPerToken / shards };
