import { z } from "zod";
import {
  all2allBackends,
  alltoallMethods,
  deepepModes,
  type ExchangeOptions,
  moeA2aBackends,
} from "../engine/exchange/exchange-options.ts";
import { count } from "./quantity.ts";

/**
 * How tokens reach the experts of other ranks, in the words of each engine. Engines have few of these in common, so each
 * keeps its own names.
 */
export const exchangeOptions = {
  all2allBackend: z
    .enum(all2allBackends)
    .optional()
    .describe(
      "vLLM: --all2all-backend. Exchange with experts where attention is data-parallel; default allgather_reducescatter, before 0.11 naive.",
    ),
  enableDbo: z
    .boolean()
    .optional()
    .describe("vLLM: --enable-dbo. Two half batches, one computing while the other exchanges; needs a deepep backend."),
  dboDecodeTokenThreshold: count()
    .optional()
    .describe("vLLM: --dbo-decode-token-threshold. Tokens of a rank above which decodes are divided; default 32."),
  dboPrefillTokenThreshold: count()
    .optional()
    .describe("vLLM: --dbo-prefill-token-threshold. The same for steps with prompts; default 512."),
  moeA2aBackend: z
    .enum(moeA2aBackends)
    .optional()
    .describe(
      "SGLang: --moe-a2a-backend. Exchange with experts where attention is data-parallel; default none: gathering.",
    ),
  deepepMode: z
    .enum(deepepModes)
    .optional()
    .describe(
      "SGLang: --deepep-mode. Default auto: low_latency in steps that only decode, else normal, which runs without captured graphs if it is asked for throughout.",
    ),
  deepepNumMaxDispatchTokensPerRank: count(1, 1024)
    .optional()
    .describe(
      "SGLang: SGLANG_DEEPEP_NUM_MAX_DISPATCH_TOKENS_PER_RANK. Tokens of a device in one low-latency dispatch; default 128. It limits maxNumSeqs.",
    ),
  enableTwoBatchOverlap: z
    .boolean()
    .optional()
    .describe(
      "SGLang: --enable-two-batch-overlap. Two half batches, one computing while the other exchanges; needs deepep.",
    ),
  enableSingleBatchOverlap: z
    .boolean()
    .optional()
    .describe(
      "SGLang: --enable-single-batch-overlap. Low-latency combining beside the last product of the experts; needs deepep.",
    ),
  forceAlltoallMethod: z
    .enum(alltoallMethods)
    .optional()
    .describe(
      "TensorRT-LLM: TRTLLM_FORCE_ALLTOALL_METHOD. Exchange with experts where attention is data-parallel; default NVLinkOneSided in a rack of one NVLink domain with more expert ranks than experts of a token, else NotEnabled: gathering.",
    ),
} satisfies Record<keyof ExchangeOptions, z.ZodType>;

export const exchangeKeys = Object.keys(exchangeOptions) as (keyof ExchangeOptions)[];
