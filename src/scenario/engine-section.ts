import { z } from "zod";
import { share } from "../core/quantity.ts";
import { exchangeOptions } from "./exchange-options.ts";
import { count, exactlyOne, filePath, word } from "./quantity.ts";
import { speculativeSection } from "./speculative-section.ts";

/**
 * The serving engine and its scheduler. Keys are flags in camel case: vLLM's where engines have the same option, else the
 * engine's own.
 */
export const engineSection = z
  .strictObject({
    id: word()
      .optional()
      .describe(
        "Bundled engine profile, such as vllm; on AMD and Ascend devices its build for them, such as vllm-rocm. Refused on devices that it is not built for. Not together with file.",
      ),
    file: filePath().optional().describe("An engine profile of your own; not together with id."),
    version: z
      .string({ error: "text, in quotes where it looks like a number" })
      .pipe(word())
      .optional()
      .describe("Version of the engine, such as 0.19.0; default the figures of all versions."),
    maxNumBatchedTokens: count().optional().describe("Tokens per step and data-parallel rank."),
    maxNumSeqs: count(1, 65536).optional().describe("Running sequences per data-parallel rank."),
    maxModelLen: count().optional().describe("Longest prompt + output accepted; default the model's context."),
    apiServerCount: count(1, 1024)
      .optional()
      .describe(
        "Front ends of a replica, which take requests in and tokenise them: --api-server-count of vLLM, --tokenizer-worker-num of SGLang, --num_serve_frontends of TensorRT-LLM; default the engine's.",
      ),
    schedulerRecvInterval: count(1, 65536)
      .optional()
      .describe(
        "Steps without prompts after which the scheduler looks for new requests: --scheduler-recv-interval of SGLang; default the engine's.",
      ),
    blockSize: count(1, 1024).optional().describe("Tokens per KV block."),
    gpuMemoryUtilization: share().optional().describe("Share of device memory the engine may use."),
    enableChunkedPrefill: z.boolean().optional().describe("Whether prompts are computed in chunks beside decodes."),
    enablePrefixCaching: z.boolean().optional().describe("Whether KV blocks of equal prefixes are shared."),
    ...exchangeOptions,
    startsAnyway: z
      .boolean()
      .optional()
      .describe(
        "Whether the engine starts what its releases refuse (docs/start-up.md), as a fork or a patch of yours does; default false. The ledger then says what is refused.",
      ),
    speculative: speculativeSection.optional().describe("Speculative decoding; without it, one token per decode."),
  })
  .superRefine(exactlyOne("id", "file"));
