import { beyondDeepEp } from "./deepep.ts";
import { type ExchangeChooser, needing } from "./exchange-options.ts";

const exchanges = { auto: "deepep", normal: "deepepNormal", low_latency: "deepepLowLatency" } as const;

/** SGLANG_DEEPEP_NUM_MAX_DISPATCH_TOKENS_PER_RANK: buffers of low-latency mode, which refuses batches beyond them. */
const dispatchTokens = 128;

/** SGLang: `--moe-a2a-backend`, `--deepep-mode`, two-batch and single-batch overlap. */
export const sglangExchange: ExchangeChooser = {
  keys: [
    "moeA2aBackend",
    "deepepMode",
    "deepepNumMaxDispatchTokensPerRank",
    "enableTwoBatchOverlap",
    "enableSingleBatchOverlap",
  ],
  choose(options, site) {
    if (options.moeA2aBackend !== "deepep")
      return {
        key: "moeA2aBackend",
        problems: needing(
          options,
          ["deepepMode", "deepepNumMaxDispatchTokensPerRank", "enableTwoBatchOverlap", "enableSingleBatchOverlap"],
          "moeA2aBackend: deepep beside it",
        ),
        words: "--moe-a2a-backend none",
        features: options.moeA2aBackend === undefined ? {} : { expertExchange: "allGatherReduceScatter" },
      };
    const mode = options.deepepMode ?? "auto";
    const twoBatches = options.enableTwoBatchOverlap === true;
    const singleBatch = options.enableSingleBatchOverlap === true;
    const dispatched = options.deepepNumMaxDispatchTokensPerRank ?? dispatchTokens;
    const stepTokens = dispatched * (twoBatches ? 2 : 1);
    return {
      key: "moeA2aBackend",
      problems: [
        ...beyondDeepEp(
          "moeA2aBackend",
          "deepep",
          { normal: mode !== "low_latency", lowLatency: mode !== "normal" },
          site,
        ),
        ...(mode === "normal"
          ? needing(
              options,
              ["deepepNumMaxDispatchTokensPerRank", "enableSingleBatchOverlap"],
              "deepepMode auto or low_latency: it belongs to low-latency dispatch",
            )
          : []),
        ...(twoBatches
          ? needing(
              options,
              ["enableSingleBatchOverlap"],
              "one of enableTwoBatchOverlap and enableSingleBatchOverlap: layers run half batches or whole ones",
            )
          : []),
      ],
      words:
        `--moe-a2a-backend deepep, --deepep-mode ${mode}` +
        `${twoBatches ? ", --enable-two-batch-overlap" : ""}${singleBatch ? ", --enable-single-batch-overlap" : ""}` +
        `${mode === "normal" ? "" : `, low-latency dispatch of up to ${dispatched} tokens a device`}`,
      ...(mode === "normal"
        ? {}
        : {
            stepTokensMax: {
              decodes: stepTokens,
              prompts: mode === "low_latency" ? stepTokens : Number.POSITIVE_INFINITY,
            },
          }),
      features: {
        expertExchange: exchanges[mode],
        sentExperts: true,
        ...(mode === "normal" ? { capturesGraphs: false } : { dispatchTokensMax: dispatched }),
        ...(twoBatches
          ? {
              overlapsBatches: true,
              halfBatchOrder: { decodes: "twoBatchDecodes", prompts: "twoBatchPrompts" },
            }
          : {}),
        ...(singleBatch ? { overlapsCombine: true } : {}),
      },
    };
  },
};
