import { z } from "zod";
import { profileId as id, profileName as name } from "../core/read-profile.ts";
import { numbers } from "../core/sourced.ts";
import { expertExchanges } from "./exchange/expert-exchange.ts";

/** Where caches are kept: one of `words`, or the size of a pool of their own relative to the others. */
function pool<const Words extends readonly [string, ...string[]]>(words: Words) {
  const { kind, source } = numbers.positive.shape;
  const value = z.union([z.enum(words), z.number().positive()], {
    error: `expected ${words.join(", ")}, or the size of a pool of its own as a share of the others`,
  });
  return z.strictObject({ value, kind, source });
}

const windowPool = pool(["shared", "reserved", "full"]);

export const engineSchema = z.strictObject({
  id,
  name,
  version: name,
  stepOverheadNs: numbers.nonNegative,
  sequenceOverheadNs: numbers.nonNegative,
  requestOverheadNs: numbers.nonNegative,
  /** Without it, one. */
  frontEnds: z
    .strictObject({
      value: z.union([numbers.count.shape.value, z.literal("perDataParallelRank")], {
        error: "expected a count of processes per replica, or perDataParallelRank",
      }),
      kind: numbers.count.shape.kind,
      source: numbers.count.shape.source,
    })
    .optional(),
  promptTokenOverheadNs: numbers.nonNegative,
  /** Without it, none. */
  promptTokenDelayNs: numbers.nonNegative.optional(),
  prefillStepOverheadNs: numbers.nonNegative,
  kernelOverheadNs: numbers.nonNegative,
  eagerLaunchNs: numbers.nonNegative,
  capturesGraphs: numbers.flag,
  layerKernels: z.strictObject({
    attention: numbers.nonNegative,
    queryKeyNorm: numbers.nonNegative,
    outputGate: numbers.nonNegative,
    latentAttention: numbers.nonNegative,
    indexer: numbers.nonNegative,
    linearAttention: numbers.nonNegative,
    dense: numbers.nonNegative,
    experts: numbers.nonNegative,
    sharedExperts: numbers.nonNegative,
  }),
  formatKernels: z.strictObject({
    fp8: numbers.nonNegative,
    fp8Block: numbers.nonNegative,
    int4: numbers.nonNegative,
    nvfp4: numbers.nonNegative,
    mxfp4: numbers.nonNegative,
  }),
  kernelExcess: numbers.nonNegative,
  prefillExcess: numbers.nonNegative,
  collectiveFactor: numbers.positive,
  sparseDenseTokens: numbers.nonNegative.optional(),
  overlapsSharedExperts: numbers.flag,
  overlapsBatches: numbers.flag,
  expertExchange: z.strictObject({
    value: z.enum(expertExchanges),
    kind: numbers.flag.shape.kind,
    source: numbers.flag.shape.source,
  }),
  mixesPrefillWithDecode: numbers.flag,
  /** Without it, no. */
  schedulesAhead: numbers.flag.optional(),
  caches: z
    .strictObject({
      windows: windowPool,
      chunks: windowPool,
      states: pool(["shared", "reserved"]),
      statesPerSequence: numbers.count,
    })
    .optional(),
  versions: z
    .record(
      z.string(),
      z.strictObject({ kernels: numbers.positive, overheads: numbers.positive, prefill: numbers.positive }),
    )
    .describe("Factors of single versions, by version as measurements write it."),
  defaults: z.strictObject({
    maxBatchTokens: numbers.count,
    maxSequences: numbers.count,
    /** Without it, 1. */
    recvInterval: numbers.count.optional(),
    chunkedPrefill: numbers.flag,
    prefixCaching: numbers.flag,
    blockTokens: numbers.count,
    memoryUtilisation: numbers.share,
  }),
});

export type EngineProfileFile = z.infer<typeof engineSchema>;
