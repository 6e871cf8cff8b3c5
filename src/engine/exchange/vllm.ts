import { beyondDeepEp } from "./deepep.ts";
import { beyondNvlink, type ExchangeChooser, type ExchangeOptions, needing } from "./exchange-options.ts";
import type { ExpertExchange } from "./expert-exchange.ts";

const exchanges = {
  naive: "broadcastAllReduce",
  allgather_reducescatter: "allGatherReduceScatter",
  deepep_high_throughput: "deepepNormal",
  deepep_low_latency: "deepepLowLatency",
  flashinfer_all2allv: "nvlink",
  flashinfer_nvlink_two_sided: "nvlink",
  flashinfer_nvlink_one_sided: "nvlink",
} as const satisfies Record<NonNullable<ExchangeOptions["all2allBackend"]>, ExpertExchange>;

/** Tokens that vLLM dispatches at once in low-latency mode: VLLM_MOE_DP_CHUNK_SIZE. */
const chunkTokens = 256;
/** Thresholds of dual-batch overlap, vllm/config/parallel.py: batches above them are divided. */
const dboDecodes = 32;
const dboPrompts = 512;

/** `naive` was the default of VLLM_ALL2ALL_BACKEND (docs of 0.9), `allgather_reducescatter` is that of 0.11 and later. */
function defaultBackend(version: string | undefined): "naive" | "allgather_reducescatter" {
  const [, minor] = /^0\.(\d+)(?:\.|$)/.exec(version ?? "") ?? [];
  return minor !== undefined && Number(minor) < 11 ? "naive" : "allgather_reducescatter";
}

/** vLLM: `--all2all-backend`, `--enable-dbo` and its thresholds. */
export const vllmExchange: ExchangeChooser = {
  keys: ["all2allBackend", "enableDbo", "dboDecodeTokenThreshold", "dboPrefillTokenThreshold"],
  choose(options, site) {
    const backend = options.all2allBackend ?? defaultBackend(site.version);
    const exchange = exchanges[backend];
    const deepep = backend === "deepep_high_throughput" || backend === "deepep_low_latency";
    const dbo = options.enableDbo === true;
    return {
      key: "all2allBackend",
      problems: [
        ...(exchange === "nvlink" ? beyondNvlink("all2allBackend", backend, site) : []),
        ...(deepep
          ? beyondDeepEp(
              "all2allBackend",
              backend,
              { normal: exchange === "deepepNormal", lowLatency: exchange === "deepepLowLatency" },
              site,
            )
          : needing(
              options,
              ["enableDbo"],
              `false with all2allBackend ${backend}: vLLM overlaps half batches with deepep_low_latency and deepep_high_throughput only`,
            )),
        ...(dbo
          ? []
          : needing(options, ["dboDecodeTokenThreshold", "dboPrefillTokenThreshold"], "enableDbo: true beside it")),
      ],
      words: `--all2all-backend ${backend}${dbo ? ", --enable-dbo" : ""}`,
      features: {
        ...(options.all2allBackend === undefined && backend !== "naive" ? {} : { expertExchange: exchange }),
        ...(deepep ? { sentExperts: true } : {}),
        ...(backend === "deepep_low_latency" ? { dispatchTokensMax: chunkTokens } : {}),
        // vLLM switches graphs off: the counts that are exchanged first are not known when a graph is captured.
        ...(backend === "deepep_high_throughput" ? { capturesGraphs: false } : {}),
        ...(dbo
          ? {
              overlapsBatches: true,
              halfBatchOrder: { decodes: "dualBatch", prompts: "dualBatch" },
              halvedAbove: {
                decodes: options.dboDecodeTokenThreshold ?? dboDecodes,
                prompts: options.dboPrefillTokenThreshold ?? dboPrompts,
              },
            }
          : {}),
      },
    };
  },
};
