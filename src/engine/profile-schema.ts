import { z } from "zod";
import { profileId as id, profileName as name } from "../core/read-profile.ts";
import { numbers } from "../core/sourced.ts";
import { staticSplits } from "./engine-profile.ts";
import { expertExchanges } from "./exchange/expert-exchange.ts";
import { handoverFirstTokens, handoverReservations, handoverTransfers } from "./handover/handover.ts";

/** A figure from 0 to what no engine comes near: one beyond is a slip of its unit. */
const upTo = (most: number) => numbers.nonNegative.extend({ value: z.number().nonnegative().max(most) });
/** The same for factors, which are above 0. */
const factorUpTo = (most: number) => numbers.positive.extend({ value: z.number().positive().max(most) });
/** A whole number from 1. */
const countUpTo = (most: number) => numbers.count.extend({ value: z.int().min(1).max(most) });

const minuteNs = 60e9;
const secondNs = 1e9;
/** Of kernels that one part of a layer launches. */
const kernelsMost = 1000;
/** Of what kernels alone take beyond the peaks: served ones overlap, so that less than once remains of it. */
const excessMost = 10;
/** Between versions of an engine, and between a collective alone and in a step. */
const factorMost = 100;

/** Where caches are kept: one of `words`, or the size of a pool of their own relative to the others. */
function pool<const Words extends readonly [string, ...string[]]>(words: Words) {
  const { kind, source } = numbers.positive.shape;
  const value = z.union([z.enum(words), z.number().positive().max(factorMost)], {
    error: `expected ${words.join(", ")}, or the size of a pool of its own as a share of the others, at most ${factorMost}`,
  });
  return z.strictObject({ value, kind, source });
}

/** One of some words. */
function word<const Words extends readonly [string, ...string[]]>(words: Words) {
  const { kind, source } = numbers.flag.shape;
  return z.strictObject({ value: z.enum(words), kind, source });
}

/** Some of a list of words, each once. */
function wordsOf<const Words extends readonly [string, ...string[]]>(words: Words) {
  const { kind, source } = numbers.flag.shape;
  const value = z
    .array(z.enum(words))
    .refine((list) => new Set(list).size === list.length, "expected each word once")
    .readonly();
  return z.strictObject({ value, kind, source });
}

/** Far beyond the longest output. */
const outputMost = 1e9;

const windowPool = pool(["shared", "reserved", "full"]);

export const engineSchema = z.strictObject({
  id,
  name,
  version: name,
  stepOverheadNs: upTo(minuteNs),
  sequenceOverheadNs: upTo(secondNs),
  requestOverheadNs: upTo(minuteNs),
  /** Without it, one. */
  frontEnds: z
    .strictObject({
      value: z.union([z.int().min(1).max(1024), z.literal("perDataParallelRank")], {
        error: "expected a count of processes per replica, at most 1024, or perDataParallelRank",
      }),
      kind: numbers.count.shape.kind,
      source: numbers.count.shape.source,
    })
    .optional(),
  promptTokenOverheadNs: upTo(secondNs),
  /** Without it, none. */
  promptTokenDelayNs: upTo(secondNs).optional(),
  prefillStepOverheadNs: upTo(minuteNs),
  kernelOverheadNs: upTo(0.1 * secondNs),
  eagerLaunchNs: upTo(0.1 * secondNs),
  capturesGraphs: numbers.flag,
  layerKernels: z.strictObject({
    attention: upTo(kernelsMost),
    queryKeyNorm: upTo(kernelsMost),
    outputGate: upTo(kernelsMost),
    latentAttention: upTo(kernelsMost),
    indexer: upTo(kernelsMost),
    linearAttention: upTo(kernelsMost),
    dense: upTo(kernelsMost),
    experts: upTo(kernelsMost),
    sharedExperts: upTo(kernelsMost),
  }),
  formatKernels: z.strictObject({
    fp8: upTo(kernelsMost),
    fp8Block: upTo(kernelsMost),
    int4: upTo(kernelsMost),
    nvfp4: upTo(kernelsMost),
    mxfp4: upTo(kernelsMost),
  }),
  kernelExcess: upTo(excessMost),
  prefillExcess: upTo(excessMost),
  /** Without it, those that the maps of the device were measured with. */
  ownKernels: z
    .strictObject({
      rowsAbove: countUpTo(1024),
      integerCompute: numbers.share,
      bytesPerActivation: factorUpTo(1000),
      attentionCompute: numbers.share,
      devices: z.strictObject({
        value: z.array(z.string().min(1)).min(1).readonly(),
        kind: numbers.flag.shape.kind,
        source: numbers.flag.shape.source,
      }),
    })
    .optional()
    .describe(
      "Kernels of the engine's own for many rows of quantised weights and for attention over prompts, on CUDA GPUs.",
    ),
  collectiveFactor: factorUpTo(factorMost),
  sparseDenseTokens: upTo(1e9).optional(),
  overlapsSharedExperts: numbers.flag,
  overlapsBatches: numbers.flag,
  expertExchange: word(expertExchanges),
  mixesPrefillWithDecode: numbers.flag,
  /** Without it, no. */
  schedulesAhead: numbers.flag.optional(),
  caches: z
    .strictObject({
      windows: windowPool,
      chunks: windowPool,
      states: pool(["shared", "reserved"]),
      statesPerSequence: countUpTo(1024),
    })
    .optional(),
  /** Without them, no. */
  reservesContext: numbers.flag.optional(),
  embedsOnHost: numbers.flag.optional(),
  reservesLogits: numbers.flag.optional(),
  /** Without it, the engine cannot. */
  handover: z
    .strictObject({
      reserves: word(handoverReservations),
      transfer: word(handoverTransfers),
      firstToken: word(handoverFirstTokens),
      reservedOutputTokens: z.strictObject({
        value: z.union([z.int().min(0).max(outputMost), z.literal("all")], {
          error: "expected a whole number of tokens, or all",
        }),
        kind: numbers.count.shape.kind,
        source: numbers.count.shape.source,
      }),
      tokenisesAgain: numbers.flag,
    })
    .optional(),
  /** Without it, not known. */
  offload: z
    .strictObject({
      cache: numbers.flag,
      static: wordsOf(staticSplits),
      hostCompute: numbers.flag,
      /** Without it, 0. */
      hostCallNs: upTo(secondNs).optional(),
      /** Without it, no. */
      besideDevices: numbers.flag.optional(),
      /** Without it, prompts are computed where their experts are. */
      devicePromptTokens: countUpTo(1e9).optional(),
      /** Without it, 0. */
      deferredExpertsMax: countUpTo(1024).optional(),
    })
    .optional()
    .describe(
      "What the engine has for weights that do not fit the devices; a scenario that uses what it lacks is a what-if.",
    ),
  versions: z
    .record(
      z.string(),
      z.strictObject({
        kernels: factorUpTo(factorMost),
        overheads: factorUpTo(factorMost),
        prefill: factorUpTo(factorMost),
      }),
    )
    .describe("Factors of single versions, by version as measurements write it."),
  defaults: z.strictObject({
    maxBatchTokens: countUpTo(1e9),
    maxSequences: countUpTo(65536),
    /** Without it, 1. */
    recvInterval: countUpTo(65536).optional(),
    chunkedPrefill: numbers.flag,
    prefixCaching: numbers.flag,
    blockTokens: countUpTo(1024),
    memoryUtilisation: numbers.share,
  }),
});

export type EngineProfileFile = z.infer<typeof engineSchema>;
