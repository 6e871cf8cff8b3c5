import { expect, test } from "vitest";
import { resolveConfig } from "../../../src/models/resolve.ts";
import {
  type Config,
  deepseekV2,
  deepseekV3,
  gptOss,
  mixtral,
  olmoe,
  plan,
  qwen2Moe,
  qwen3Moe,
} from "./model-configs.ts";

const configs: Readonly<Record<string, Config>> = {
  mixtral,
  "mixtral with a window": { ...mixtral, sliding_window: 5 },
  olmoe,
  "qwen2-moe": qwen2Moe,
  "qwen3-moe": qwen3Moe,
  "qwen3-moe with dense layers": { ...qwen3Moe, mlp_only_layers: [0], decoder_sparse_step: 3 },
  "deepseek-v2": deepseekV2,
  "deepseek-v2-lite": { ...deepseekV2, q_lora_rank: null, n_group: 1, topk_group: 1, topk_method: "greedy" },
  "deepseek-v3": deepseekV3,
  "kimi-k2": { ...deepseekV3, model_type: "kimi_k2", n_group: 1, topk_group: 1 },
  "gpt-oss": gptOss,
};

test.each(Object.keys(configs))("%s: what is executed has the shapes that are simulated", (name) => {
  const config = configs[name]!;
  const { spec } = resolveConfig(config, { file: "config.json" });
  const { layers, ...rest } = plan(config);
  expect([rest.hiddenSize, rest.vocabSize, rest.contextTokensMax]).toEqual([
    spec.hiddenSize,
    spec.vocabSize,
    spec.contextTokensMax,
  ]);
  expect(rest.head.weight === rest.embedding).toBe(spec.tiedEmbeddings);
  const executed = layers.map(({ attention, feedForward }) => ({
    attention:
      attention.kind === "gqa"
        ? {
            kind: "gqa",
            queryHeads: attention.queryHeads,
            kvHeads: attention.kvHeads,
            headDim: attention.headDim,
            windowTokens: attention.windowTokens,
          }
        : {
            kind: "mla",
            queryHeads: attention.queryHeads,
            queryLoraRank: attention.queryDown?.linear.outputWidth ?? null,
            kvLoraRank: attention.kvLoraRank,
            nopeHeadDim: attention.nopeHeadDim,
            ropeHeadDim: attention.ropeHeadDim,
            valueHeadDim: attention.valueHeadDim,
          },
    feedForward:
      feedForward.kind === "dense"
        ? { kind: "dense", width: feedForward.gate.outputWidth }
        : {
            kind: "moe",
            experts: feedForward.experts,
            topK: feedForward.topK,
            expertWidth: feedForward.expertWidth,
            sharedWidth: feedForward.shared?.gate.outputWidth ?? 0,
            sharedGate: feedForward.sharedGate !== null,
            router: {
              scoring: feedForward.routing.scoring,
              normalisesTopK: feedForward.routing.normalisesTopK,
              groups:
                feedForward.routing.groups === null
                  ? null
                  : { count: feedForward.routing.groups.count, kept: feedForward.routing.groups.kept },
            },
          },
  }));
  expect(spec.layers).toMatchObject(executed);
});
