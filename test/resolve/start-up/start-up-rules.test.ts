import { describe, expect, test } from "vitest";
import { engineIds, engineNamed } from "../../../src/engine/catalogue.ts";
import { errorBandTable } from "../../../src/forecast/bands/error-band-table.ts";
import { systemIds, systemProfileNamed } from "../../../src/hardware/named-profiles.ts";
import { modelNamed } from "../../../src/models/catalogue.ts";
import { families } from "../../../src/models/families.ts";
import type { Attention, FeedForward, ModelSpec } from "../../../src/models/spec.ts";
import { missing } from "../../../src/resolve/start-up/rules/model-families.ts";
import { startUpFindings, startUpRules } from "../../../src/resolve/start-up/start-up-rules.ts";
import type { SpeculationConfig } from "../../../src/sim/config.ts";
import { tinyMla, tinyModel, tinyScan } from "../../sim/build.ts";
import { type Case, deploymentOf, notedAt, refusedAt } from "./deployments.ts";

/** A model of one layer. */
const layer = (attention: Attention, feedForward: FeedForward = { kind: "none" }): ModelSpec =>
  tinyModel({ layers: [{ attention, feedForward }], hiddenSize: 2048 });

const gqa = { ...tinyModel().layers[0]!.attention } as Extract<Attention, { kind: "gqa" }>;
const moe = { ...tinyModel().layers[0]!.feedForward } as Extract<FeedForward, { kind: "moe" }>;
const linear = (scan: Partial<typeof tinyScan>): Attention => ({
  kind: "linear",
  projectionParameters: 1,
  stateValues: 1,
  smallParameters: 0,
  scan: { ...tinyScan, ...scan },
});
const experts = (parts: Partial<typeof moe>): ModelSpec => layer(gqa, { ...moe, ...parts });
const sparse = layer({ ...tinyMla, indexer: { heads: 4, headDim: 32, topTokens: 16 } });
const compressed = layer({ ...tinyMla, compressed: { ratio: 4, windowTokens: 16, projectionParameters: 1 } });
const fp16 = Object.fromEntries(Object.keys(tinyModel().formats).map((tensors) => [tensors, "fp16"] as const));
const drafts = (kind: "mtp" | "eagle" | "free"): SpeculationConfig => ({
  draftTokens: 1,
  acceptance: Float64Array.of(0.5),
  draft: kind === "free" ? { kind } : { kind, layersPerToken: 1 },
});

/** The least that is refused, its place, and the nearest that is not. */
const refusals: readonly (readonly [name: string, refused: Case, at: string, accepted: Case])[] = [
  [
    "TensorRT-LLM: types of GGUF files",
    { engine: "tensorrt-llm", formats: { experts: "q4_k" } },
    "model.dtypes.experts",
    { engine: "tensorrt-llm", formats: { experts: "int4" } },
  ],
  ["query heads", { mapping: { tp: 3, ep: 3 } }, "parallel.tp", { mapping: { tp: 4, ep: 4 } }],
  [
    "key-value heads that are neither divided nor held alike",
    { model: layer({ ...gqa, queryHeads: 12, kvHeads: 4 }), mapping: { tp: 6 } },
    "parallel.tp",
    { model: layer({ ...gqa, queryHeads: 12, kvHeads: 4 }), mapping: { tp: 12 } },
  ],
  [
    "an expert width",
    { model: experts({ expertWidth: 96 }), mapping: { dp: 64, etp: 64 } },
    "parallel.etp",
    { model: experts({ expertWidth: 96 }), mapping: { dp: 32, etp: 32 } },
  ],
  [
    "a width of dense layers",
    {
      model: layer({ ...gqa, queryHeads: 12, kvHeads: 12 }, { kind: "dense", width: 1000, matrices: 3 }),
      mapping: { tp: 12 },
    },
    "parallel.tp",
    {
      model: layer({ ...gqa, queryHeads: 12, kvHeads: 12 }, { kind: "dense", width: 1200, matrices: 3 }),
      mapping: { tp: 12 },
    },
  ],
  [
    "a width of shared experts",
    { model: experts({ sharedWidth: 1020 }), mapping: { tp: 8, ep: 8 } },
    "parallel.tp",
    { model: experts({ sharedWidth: 1020 }), mapping: { dp: 8, ep: 8 } },
  ],
  [
    "heads, on a platform whose engine is a port",
    { system: "tpu-v7x-4", mapping: { tp: 3, ep: 3 } },
    "parallel.tp",
    { system: "tpu-v7x-4", mapping: { tp: 4, ep: 4 } },
  ],
  ...["vllm", "sglang", "tensorrt-llm"].map(
    (engine) =>
      [
        `${engine}: expert slices of FP8 blocks, Qwen3-235B 1536 / 8`,
        { engine, model: "qwen3-235b-a22b", formats: { experts: "fp8_block" }, mapping: { tp: 8, etp: 8 } },
        "parallel.etp",
        { engine, model: "qwen3-235b-a22b", formats: { experts: "fp8_block" }, mapping: { tp: 4, etp: 4 } },
      ] as const,
  ),
  [
    "vLLM for ROCm: the same",
    { system: "mi300x-8", model: "minimax-m2.5", mapping: { tp: 8, etp: 8 } },
    "parallel.etp",
    { system: "mi300x-8", model: "minimax-m2.5", mapping: { tp: 8, ep: 8 } },
  ],
  [
    "whole experts that are no multiple of a block",
    { model: experts({ expertWidth: 192 }), formats: { experts: "fp8_block" } },
    "model.dtypes.experts",
    { model: experts({ expertWidth: 192 }), formats: { experts: "fp8" } },
  ],
  [
    "expert slices of NVFP4 groups, Nemotron 3 Nano 1856 / 8",
    { model: "nemotron-3-nano-30b-a3b", formats: { experts: "nvfp4" }, mapping: { tp: 8, etp: 8 } },
    "parallel.etp",
    { model: "nemotron-3-nano-30b-a3b", formats: { experts: "nvfp4" }, mapping: { tp: 4, etp: 4 } },
  ],
  [
    "expert slices of 4-bit groups of 32",
    { model: experts({ expertWidth: 96 }), formats: { experts: "int4" }, mapping: { tp: 2, etp: 2 } },
    "parallel.etp",
    { model: experts({ expertWidth: 128 }), formats: { experts: "int4_g32" }, mapping: { tp: 2, etp: 2 } },
  ],
  [
    "dense layers in FP8 blocks, DeepSeek-V3 18432 / 32",
    { engine: "sglang", model: "deepseek-v3", mapping: { tp: 32, ep: 32 } },
    "parallel.tp",
    { engine: "sglang", model: "deepseek-v3", mapping: { tp: 16, ep: 16 } },
  ],
  [
    "query heads in FP8 blocks, 192 wide",
    {
      model: layer({ ...tinyMla, nopeHeadDim: 128, ropeHeadDim: 64, valueHeadDim: 128 }),
      formats: { attention: "fp8_block" },
      mapping: { tp: 8 },
    },
    "parallel.tp",
    {
      model: layer({ ...tinyMla, nopeHeadDim: 128, ropeHeadDim: 64, valueHeadDim: 128 }),
      formats: { attention: "fp8_block" },
      mapping: { tp: 4 },
    },
  ],
  [
    "shared experts in FP8 blocks",
    { model: experts({ sharedWidth: 256 }), formats: { shared: "fp8_block" }, mapping: { tp: 4, ep: 4 } },
    "parallel.tp",
    { model: experts({ sharedWidth: 256 }), formats: { shared: "fp8_block" }, mapping: { tp: 2, ep: 2 } },
  ],
  [
    "inputs of a dense layer in NVFP4",
    { model: layer(gqa, { kind: "dense", width: 64, matrices: 3 }), formats: { dense: "nvfp4" }, mapping: { tp: 8 } },
    "parallel.tp",
    { model: layer(gqa, { kind: "dense", width: 64, matrices: 3 }), formats: { dense: "nvfp4" }, mapping: { tp: 4 } },
  ],
  [
    "value heads of linear attention",
    { model: layer(linear({ heads: 4, keyHeads: 2 })), mapping: { tp: 8 } },
    "parallel.tp",
    { model: layer(linear({ heads: 4, keyHeads: 2 })), mapping: { tp: 2 } },
  ],
  [
    "key heads of linear attention",
    { engine: "sglang", model: layer(linear({ heads: 4, keyHeads: 2 })), mapping: { tp: 4 } },
    "parallel.tp",
    { engine: "sglang", model: layer(linear({ heads: 4, keyHeads: 4 })), mapping: { tp: 4 } },
  ],
  [
    "groups of Mamba-2",
    { model: layer(linear({ rule: "decay", heads: 8, keyHeads: 2 })), mapping: { tp: 4 } },
    "parallel.tp",
    { model: layer(linear({ rule: "decay", heads: 8, keyHeads: 1 })), mapping: { tp: 4 } },
  ],
  ...(
    [
      ["vllm", "0.22", "0.23"],
      ["sglang", "0.5.12", "0.5.13"],
      ["tensorrt-llm", "1.2", "1.3"],
    ] as const
  ).flatMap(
    ([engine, last, first]) =>
      [
        [
          `${engine}: sparse attention before Hopper`,
          { engine, model: sparse, system: "a100-sxm-8" },
          "hardware.system",
          { engine, model: sparse, system: "h100-sxm-8" },
        ],
        [
          `${engine}: sparse attention on RTX Blackwell up to ${last}`,
          { engine, model: sparse, system: "rtx-pro-6000-2", version: last },
          "hardware.system",
          { engine, model: sparse, system: "rtx-pro-6000-2", version: first },
        ],
        [
          `${engine}: a compressed cache before Hopper`,
          { engine, model: compressed, system: "l40s-8" },
          "hardware.system",
          { engine, model: layer(tinyMla), system: "l40s-8" },
        ],
      ] as const,
  ),
  [
    "SGLang: experts that ranks do not share evenly",
    { engine: "sglang", model: "qwen1.5-moe-a2.7b", mapping: { tp: 8, ep: 8 } },
    "parallel.ep",
    { engine: "sglang", model: "qwen1.5-moe-a2.7b", mapping: { tp: 8, ep: 8 }, more: { redundantExperts: 4 } },
  ],
  [
    "vLLM Ascend: experts that ranks do not share evenly",
    { system: "ascend-800i-a2-8", model: "qwen1.5-moe-a2.7b", mapping: { tp: 8, ep: 8 } },
    "parallel.ep",
    { system: "ascend-800i-a2-8", model: "qwen1.5-moe-a2.7b", mapping: { tp: 4, ep: 4 } },
  ],
  [
    "vLLM: uneven experts of DeepSeek-V4",
    { model: { ...experts({}), modelType: "deepseek_v4" }, mapping: { dp: 3, ep: 3 } },
    "parallel.ep",
    { model: experts({}), mapping: { dp: 3, ep: 3 } },
  ],
  [
    "vLLM: uneven experts under EPLB",
    { model: experts({ experts: 60 }), mapping: { dp: 8, ep: 8 }, more: { eplb: true } },
    "parallel.ep",
    { model: experts({ experts: 60 }), mapping: { dp: 8, ep: 8 } },
  ],
  [
    "SGLang: copies that ranks do not share evenly",
    { engine: "sglang", model: experts({}), mapping: { tp: 8, ep: 8 }, more: { redundantExperts: 1 } },
    "parallel.ep",
    { engine: "sglang", model: experts({}), mapping: { tp: 8, ep: 8 } },
  ],
  [
    "vLLM with DeepEP: uneven experts",
    {
      model: experts({ experts: 60 }),
      mapping: { dp: 8, ep: 8 },
      more: { engine: { ...engineNamed("vllm"), expertExchange: "deepepNormal" } },
    },
    "parallel.ep",
    { model: experts({ experts: 60 }), mapping: { dp: 8, ep: 8 } },
  ],
  [
    "low-latency DeepEP: hidden size",
    {
      engine: "sglang",
      model: experts({ expertHidden: 2304 }),
      mapping: { dp: 8, ep: 8 },
      more: { engine: { ...engineNamed("sglang"), expertExchange: "deepep" } },
    },
    "engine.deepepMode",
    {
      engine: "sglang",
      model: experts({ expertHidden: 2304 }),
      mapping: { dp: 8, ep: 8 },
      more: { engine: { ...engineNamed("sglang"), expertExchange: "deepepNormal" } },
    },
  ],
  [
    "low-latency DeepEP: choices of a token",
    {
      model: experts({ expertHidden: 2304, experts: 32, topK: 12 }),
      mapping: { dp: 8, ep: 8 },
      more: { engine: { ...engineNamed("vllm"), expertExchange: "deepepLowLatency" } },
    },
    "engine.all2allBackend",
    {
      model: experts({ expertHidden: 2304, experts: 32, topK: 11 }),
      mapping: { dp: 8, ep: 8 },
      more: { engine: { ...engineNamed("vllm"), expertExchange: "deepepLowLatency" } },
    },
  ],
  [
    "TensorRT-LLM: attention of both kinds",
    { engine: "tensorrt-llm", mapping: { tp: 2, dp: 2, ep: 4 } },
    "parallel.dp",
    { engine: "tensorrt-llm", mapping: { dp: 4, ep: 4 } },
  ],
  [
    "vLLM: copies of all experts",
    { engine: "vllm", mapping: { dp: 4, ep: 2, edp: 2 } },
    "parallel.edp",
    { engine: "vllm", mapping: { dp: 4, ep: 4 } },
  ],
  [
    "SGLang: copies of all experts for data-parallel ranks",
    { engine: "sglang", mapping: { dp: 4, ep: 2, edp: 2 } },
    "parallel.edp",
    { engine: "sglang", mapping: { cp: 2, tp: 2, ep: 2, edp: 2 } },
  ],
  [
    "llama.cpp: context parallelism",
    { engine: "llama.cpp", mapping: { cp: 2, etp: 2 } },
    "parallel.cp",
    { engine: "llama.cpp", mapping: { tp: 2, etp: 2 } },
  ],
  [
    "llama.cpp: data parallelism",
    { engine: "llama.cpp", mapping: { dp: 2, ep: 2 } },
    "parallel.dp",
    { engine: "llama.cpp", mapping: { pp: 2 } },
  ],
  [
    "llama.cpp: expert parallelism",
    { engine: "llama.cpp", mapping: { tp: 2, ep: 2 } },
    "parallel.ep",
    { engine: "llama.cpp", mapping: { tp: 2, etp: 2 } },
  ],
  [
    "TensorRT-LLM: FP8 before Ada",
    { engine: "tensorrt-llm", system: "a100-sxm-8", formats: { experts: "fp8" } },
    "model.dtypes.experts",
    { engine: "tensorrt-llm", system: "l40s-8", formats: { experts: "fp8" } },
  ],
  [
    "TensorRT-LLM: FP8 blocks before Hopper",
    { engine: "tensorrt-llm", system: "l40s-8", formats: { experts: "fp8_block" } },
    "model.dtypes.experts",
    { engine: "tensorrt-llm", formats: { experts: "fp8_block" } },
  ],
  [
    "TensorRT-LLM: NVFP4 before Blackwell",
    { engine: "tensorrt-llm", formats: { experts: "nvfp4" } },
    "model.dtypes.experts",
    { engine: "tensorrt-llm", system: "b200-sxm-8", formats: { experts: "nvfp4" } },
  ],
  [
    "TensorRT-LLM: MXFP4 before Hopper",
    { engine: "tensorrt-llm", system: "a100-sxm-8", model: "gpt-oss-20b" },
    "model.dtypes.experts",
    { engine: "tensorrt-llm", model: "gpt-oss-20b" },
  ],
  [
    "SGLang: FP8 experts before Ada",
    { engine: "sglang", system: "a100-sxm-8", formats: { experts: "fp8_block" } },
    "model.dtypes.experts",
    { engine: "vllm", system: "a100-sxm-8", formats: { experts: "fp8_block" } },
  ],
  [
    "SGLang: NVFP4 before Blackwell in 0.5.9",
    { engine: "sglang", formats: { experts: "nvfp4" } },
    "model.dtypes.experts",
    { engine: "sglang", formats: { experts: "nvfp4" }, version: "0.5.10.post1" },
  ],
  [
    "vLLM: 8-bit integers outside of experts on Blackwell",
    { system: "b200-sxm-8", formats: { attention: "int8", experts: "int8" } },
    "model.dtypes.attention",
    { system: "b200-sxm-8", formats: { experts: "int8" } },
  ],
  [
    "vLLM: NVFP4 caches in 0.19",
    { system: "b200-sxm-8", more: { kvFormat: "nvfp4" } },
    "model.kvCacheDtype",
    { system: "b200-sxm-8", version: "0.25.0", more: { kvFormat: "nvfp4" } },
  ],
  [
    "vLLM: FP8 caches of latent attention before Ada",
    { system: "a100-sxm-8", model: "deepseek-v2-lite", more: { kvFormat: "fp8" } },
    "model.kvCacheDtype",
    { system: "a100-sxm-8", more: { kvFormat: "fp8" } },
  ],
  [
    "SGLang: caches in 8-bit integers",
    { engine: "sglang", more: { kvFormat: "int8" } },
    "model.kvCacheDtype",
    { engine: "sglang", more: { kvFormat: "fp8" } },
  ],
  [
    "TensorRT-LLM: NVFP4 caches before Blackwell",
    { engine: "tensorrt-llm", more: { kvFormat: "nvfp4" } },
    "model.kvCacheDtype",
    { engine: "tensorrt-llm", system: "b200-sxm-8", more: { kvFormat: "nvfp4" } },
  ],
  [
    "TensorRT-LLM: caches in 4-bit integers",
    { engine: "tensorrt-llm", system: "b200-sxm-8", more: { kvFormat: "int4" } },
    "model.kvCacheDtype",
    { engine: "tensorrt-llm", system: "b200-sxm-8", more: { kvFormat: "fp16" } },
  ],
  [
    "vLLM Ascend: FP8",
    { system: "ascend-800i-a2-8", formats: { experts: "fp8_block" } },
    "model.dtypes.experts",
    { system: "ascend-800i-a2-8", formats: { experts: "int8" } },
  ],
  [
    "vLLM: a budget below the longest request, without chunks",
    { scheduler: { chunkedPrefill: false, maxBatchTokens: 4096, contextTokensMax: 8192 } },
    "engine.maxNumBatchedTokens",
    { scheduler: { chunkedPrefill: false, maxBatchTokens: 8192, contextTokensMax: 8192 } },
  ],
  [
    "vLLM: a budget below the sequences",
    { scheduler: { maxBatchTokens: 128, maxSequences: 256 } },
    "engine.maxNumBatchedTokens",
    // Its default is lowered.
    { scheduler: { maxBatchTokens: 128 } },
  ],
  [
    "vLLM: own prediction layers in stages",
    { mapping: { pp: 2 }, more: { speculation: drafts("mtp") } },
    "engine.speculative",
    { mapping: { pp: 2 }, more: { speculation: drafts("eagle") } },
  ],
  [
    "vLLM up to 0.15: any drafts in stages",
    { mapping: { pp: 2 }, version: "0.15.1", more: { speculation: drafts("free") } },
    "engine.speculative",
    { mapping: { pp: 2 }, version: "0.16.0", more: { speculation: drafts("free") } },
  ],
  [
    "SGLang: drafts in stages",
    { engine: "sglang", mapping: { pp: 2 }, more: { speculation: drafts("eagle") } },
    "engine.speculative",
    { engine: "sglang", mapping: { pp: 2 }, more: { speculation: drafts("eagle"), role: "prefill" } },
  ],
  [
    "TensorRT-LLM: formats of bitsandbytes",
    { engine: "tensorrt-llm", formats: { experts: "nf4" } },
    "model.dtypes.experts",
    { engine: "vllm", formats: { experts: "nf4" } },
  ],
  [
    "TensorRT-LLM: a model that it has no class for",
    { engine: "tensorrt-llm", model: "olmoe-1b-7b" },
    "engine.id",
    { engine: "vllm", model: "olmoe-1b-7b" },
  ],
  [
    "llama.cpp: a model that it has no class for",
    { engine: "llama.cpp", model: "pangu-pro-moe" },
    "engine.id",
    { engine: "llama.cpp", model: "olmoe-1b-7b" },
  ],
];

describe("an engine refuses", () => {
  test.each(refusals)("%s", (_name, refused, at, accepted) => {
    expect(refusedAt(refused)).toEqual([at]);
    expect(refusedAt(accepted)).toEqual([]);
  });

  test.each(refusals)("%s, by its name, its version and its reason", (_name, refused) => {
    const deployment = deploymentOf(refused);
    for (const { severity, reason, expected, found } of startUpFindings(deployment)) {
      if (severity !== "refusal") continue;
      expect(reason).toContain(`${deployment.engine.name} ${deployment.engine.version}`);
      expect(expected).not.toBe("");
      expect(found).toBeDefined();
    }
  });
});

/** What starts with an option more or otherwise than it is simulated, and the nearest that does not. */
const warnings: readonly (readonly [name: string, noted: Case, at: string, plain: Case])[] = [
  [
    "MXFP4 slices padded by a tenth and more, gpt-oss 2880 / 8",
    { model: "gpt-oss-120b", mapping: { tp: 8, etp: 8 } },
    "parallel.etp",
    { model: "gpt-oss-120b", mapping: { tp: 4, etp: 4 } },
  ],
  [
    "expert slices of groups of 128",
    { model: "qwen3-235b-a22b", formats: { experts: "int4" }, mapping: { tp: 8, etp: 8 } },
    "parallel.etp",
    { model: "qwen3-235b-a22b", formats: { experts: "int4" }, mapping: { tp: 4, etp: 4 } },
  ],
  [
    "SGLang: expert slices of NVFP4 groups",
    {
      engine: "sglang",
      system: "b200-sxm-8",
      model: "nemotron-3-nano-30b-a3b",
      formats: { experts: "nvfp4" },
      mapping: { tp: 8, etp: 8 },
    },
    "parallel.etp",
    {
      engine: "sglang",
      system: "b200-sxm-8",
      model: "nemotron-3-nano-30b-a3b",
      formats: { experts: "nvfp4" },
      mapping: { tp: 4, etp: 4 },
    },
  ],
  [
    "vLLM: 16-bit expert slices on Blackwell",
    { system: "b200-sxm-8", mapping: { tp: 8, etp: 8 } },
    "parallel.etp",
    { system: "h100-sxm-8", mapping: { tp: 8, etp: 8 } },
  ],
  [
    "vLLM: NVFP4 expert slices, Gemma 4 704 / 2",
    {
      model: experts({ expertWidth: 704 }),
      system: "b200-sxm-8",
      formats: { experts: "nvfp4" },
      mapping: { tp: 2, etp: 2 },
    },
    "parallel.etp",
    {
      model: experts({ expertWidth: 768 }),
      system: "b200-sxm-8",
      formats: { experts: "nvfp4" },
      mapping: { tp: 2, etp: 2 },
    },
  ],
  [
    "vLLM pads cut FP8 blocks on Blackwell from 0.30 on",
    { system: "b200-sxm-8", version: "0.30.0", model: "minimax-m2.5", mapping: { tp: 8, etp: 8 } },
    "parallel.etp",
    { system: "b200-sxm-8", version: "0.30.0", model: "minimax-m2.5", mapping: { tp: 4, etp: 4 } },
  ],
  [
    "keys in FP8 blocks, 192 wide as in MiMo-V2-Flash",
    {
      engine: "sglang",
      model: layer({ ...gqa, headDim: 192, valueHeadDim: 128 }),
      formats: { attention: "fp8_block" },
      mapping: { tp: 4 },
    },
    "parallel.tp",
    {
      engine: "sglang",
      model: layer({ ...gqa, headDim: 192, valueHeadDim: 128 }),
      formats: { attention: "fp8_block" },
      mapping: { tp: 2 },
    },
  ],
  [
    "vLLM: slices of some of the experts",
    { model: "mixtral-8x7b", mapping: { tp: 8, ep: 4, etp: 2 } },
    "parallel.ep",
    { model: "mixtral-8x7b", mapping: { tp: 8, ep: 8 } },
  ],
  [
    "TensorRT-LLM: uneven experts",
    { engine: "tensorrt-llm", model: "qwen1.5-moe-a2.7b", mapping: { tp: 8, ep: 8 } },
    "parallel.ep",
    { engine: "tensorrt-llm", model: "qwen1.5-moe-a2.7b", mapping: { tp: 4, ep: 4 } },
  ],
  [
    "NVFP4 on AMD GPUs",
    { system: "mi355x-8", formats: { experts: "nvfp4" } },
    "model.dtypes.experts",
    { system: "mi355x-8", formats: { experts: "mxfp4" } },
  ],
  ["bfloat16 before Ampere", { system: "t4-1" }, "model.dtypes.attention", { system: "a100-sxm-8" }],
  [
    "one group of Mamba-2 in quantised weights",
    {
      model: layer(linear({ rule: "decay", heads: 8, keyHeads: 1 })),
      formats: { attention: "fp8" },
      mapping: { tp: 4 },
      scheduler: { prefixCaching: false },
    },
    "parallel.tp",
    {
      model: layer(linear({ rule: "selective", heads: 1, keyHeads: 1 })),
      formats: { attention: "fp8" },
      mapping: { tp: 4 },
      scheduler: { prefixCaching: false },
    },
  ],
  [
    "vLLM: shared prefixes under linear attention",
    { model: layer(linear({})), scheduler: { prefixCaching: true } },
    "engine.enablePrefixCaching",
    { model: layer(linear({})), scheduler: { prefixCaching: false } },
  ],
  [
    "TensorRT-LLM: the same",
    { engine: "tensorrt-llm", model: layer(linear({})), scheduler: { prefixCaching: true } },
    "engine.enablePrefixCaching",
    { engine: "tensorrt-llm", model: layer(gqa), scheduler: { prefixCaching: true } },
  ],
  [
    "SGLang: the same while it drafts tokens",
    {
      engine: "sglang",
      model: layer(linear({})),
      scheduler: { prefixCaching: true },
      more: { speculation: drafts("mtp") },
    },
    "engine.enablePrefixCaching",
    { engine: "sglang", model: layer(linear({})), scheduler: { prefixCaching: true } },
  ],
  [
    "latent attention on Turing",
    { model: layer(tinyMla), system: "t4-1", formats: fp16 },
    "hardware.system",
    { model: layer(gqa), system: "t4-1", formats: fp16 },
  ],
  ...(
    [
      ["vllm", "0.23"],
      ["sglang", "0.5.13"],
      ["tensorrt-llm", "1.3"],
    ] as const
  ).map(
    ([engine, version]) =>
      [
        `${engine}: sparse attention on RTX Blackwell from ${version} on`,
        { engine, model: sparse, system: "rtx-pro-6000-2", version },
        "hardware.system",
        { engine, model: layer(tinyMla), system: "rtx-pro-6000-2", version },
      ] as const,
  ),
  [
    "llama.cpp: NF4",
    { engine: "llama.cpp", formats: { experts: "nf4" } },
    "model.dtypes.experts",
    { engine: "llama.cpp", formats: { experts: "int4" } },
  ],
  [
    "SGLang: experts in NF4",
    { engine: "sglang", formats: { experts: "nf4" } },
    "model.dtypes.experts",
    { engine: "sglang", formats: { attention: "nf4" } },
  ],
  [
    "vLLM: types of GGUF files",
    { engine: "vllm", formats: { experts: "iq4_xs" } },
    "model.dtypes.experts",
    { engine: "llama.cpp", formats: { experts: "iq4_xs" } },
  ],
  [
    "llama.cpp: K-quants on Ascend",
    { engine: "llama.cpp", formats: { experts: "q4_k" }, system: "ascend-800i-a2-8" },
    "model.dtypes.experts",
    { engine: "llama.cpp", formats: { experts: "q4_0" }, system: "ascend-800i-a2-8" },
  ],
  [
    "llama.cpp: FP8",
    { engine: "llama.cpp", formats: { experts: "fp8_block" } },
    "model.dtypes.experts",
    { engine: "llama.cpp", formats: { experts: "int4" } },
  ],
  [
    "llama.cpp: a context that nobody gave",
    { engine: "llama.cpp", scheduler: { contextTokensMax: 8192, reserved: { contexts: 1, tokensMin: 4096 } } },
    "engine.maxModelLen",
    {
      engine: "llama.cpp",
      scheduler: { contextTokensMax: 8192, reserved: { contexts: 4, tokensMin: 8192 }, maxSequences: 4 },
    },
  ],
  [
    "llama.cpp: slots that nobody counted",
    {
      engine: "llama.cpp",
      scheduler: { contextTokensMax: 8192, reserved: { contexts: 1, tokensMin: 8192 }, maxSequences: 4 },
    },
    "engine.maxNumSeqs",
    {
      engine: "llama.cpp",
      scheduler: { contextTokensMax: 8192, reserved: { contexts: 1, tokensMin: 8192 }, maxSequences: 1 },
    },
  ],
  [
    "vLLM: caches in 8-bit integers",
    { more: { kvFormat: "int8" } },
    "model.kvCacheDtype",
    { more: { kvFormat: "fp8" } },
  ],
  [
    "a context beyond the model's",
    { scheduler: { contextTokensMax: 65_536 } },
    "engine.maxModelLen",
    { scheduler: { contextTokensMax: 40_960 } },
  ],
];

test.each(warnings)("noted: %s", (_name, noted, at, plain) => {
  expect(notedAt(noted)).toEqual([at]);
  expect(refusedAt(noted)).toEqual([]);
  expect(notedAt(plain)).toEqual([]);
});

test("padding of cut FP8 blocks is of vLLM 0.30 and later on Blackwell alone", () => {
  const sliced = { model: "minimax-m2.5", mapping: { tp: 8, etp: 8 } };
  expect(refusedAt({ ...sliced, system: "b200-sxm-8", version: "0.29.0" })).toEqual(["parallel.etp"]);
  expect(refusedAt({ ...sliced, system: "h200-sxm-8", version: "0.30.0" })).toEqual(["parallel.etp"]);
  expect(refusedAt({ ...sliced, system: "b200-sxm-8", engine: "sglang" })).toEqual(["parallel.etp"]);
});

test("several refusals of one deployment come together", () => {
  const found = refusedAt({
    engine: "tensorrt-llm",
    system: "a100-sxm-8",
    model: experts({ expertWidth: 384 }),
    formats: { experts: "fp8_block" },
    mapping: { tp: 2, dp: 2, etp: 2, ep: 2 },
  });
  expect(found.sort()).toEqual(["model.dtypes.experts", "parallel.dp", "parallel.etp"]);
});

test("an engine that is a port on a platform is not judged by the loaders of its GPU build", () => {
  const parts = { model: "minimax-m2.5", mapping: { tp: 8, etp: 8 } };
  expect(refusedAt({ ...parts, system: "tpu-v7x-4" })).toEqual([]);
  expect(refusedAt({ ...parts, system: "h100-sxm-8" })).toEqual(["parallel.etp"]);
});

test("every engine of a rule is one of the catalogue", () => {
  for (const { engines } of startUpRules)
    if (engines !== "every") for (const id of engines) expect(engineIds).toContain(id);
});

/**
 * Points of this deployment are listed as tensor parallelism inside experts. Their launch script set --enable-expert-parallel
 * for any EP_SIZE from 1 on (SemiAnalysisAI/InferenceX, pull requests 869 and 947), so they ran with whole experts.
 */
const listedAsSlices = "minimax-m2.5 h200-sxm vllm 0.18.0 fp8_block 8 1 1";

test("every deployment that the error bands were measured on starts", () => {
  const refused: string[] = [];
  for (const { model, device, engine, deployments } of errorBandTable.setups)
    for (const { version, weights, tp, dp, ep } of deployments) {
      const system = systemIds.find((id) => systemProfileNamed(id).device === device)!;
      const { attention } = modelNamed(model).formats;
      const quantised = weights.startsWith("fp8")
        ? weights
        : weights === "bf16"
          ? "bf16"
          : attention === "bf16"
            ? "bf16"
            : attention;
      const parts: Case = {
        model,
        system,
        engine,
        version,
        formats: { experts: weights, shared: weights, dense: weights, attention: quantised },
        mapping: { tp, dp, ep, etp: (tp * dp) / ep },
      };
      if (refusedAt(parts).length > 0) refused.push([model, device, engine, version, weights, tp, dp, ep].join(" "));
    }
  expect(refused).toEqual([listedAsSlices]);
});

test.each(Object.entries(missing))(
  "models that %s has no class for are families as models name them",
  (_, { types }) => {
    expect(types.filter((type) => !Object.hasOwn(families, type))).toEqual([]);
  },
);
