import { expect, test } from "vitest";
import { planOf } from "../../../src/capture/architectures/plan-of.ts";
import {
  type Config,
  deepseekV2,
  deepseekV3,
  gptOss,
  mixtral,
  olmoe,
  panguProMoe,
  qwen2Moe,
  qwen3Moe,
  refusalsOf,
} from "./model-configs.ts";

const wrong: readonly [what: string, config: Config, key: string][] = [
  ["another activation", { ...mixtral, hidden_act: "gelu" }, "hidden_act"],
  ["a bias on the head", { ...mixtral, lm_head_bias: true }, "lm_head_bias"],
  ["biased networks", { ...deepseekV2, mlp_bias: true }, "mlp_bias"],
  ["an unknown key that looks like a shape", { ...mixtral, num_extra_experts: 2 }, "num_extra_experts"],
  ["more experts per token than experts", { ...mixtral, num_experts_per_tok: 9 }, "num_experts_per_tok"],
  ["query heads that keys do not divide", { ...mixtral, num_key_value_heads: 3 }, "num_key_value_heads"],
  ["a clip of zero", { ...olmoe, clip_qkv: 0 }, "clip_qkv"],
  ["a window that only some kernels apply", { ...olmoe, sliding_window: 64 }, "sliding_window"],
  ["windows without a list of layers", { ...qwen2Moe, use_sliding_window: true }, "use_sliding_window"],
  [
    "an unknown kind of layer",
    { ...qwen2Moe, layer_types: ["full_attention", "x", "full_attention"] },
    "layer_types[1]",
  ],
  ["windows that versions place differently", { ...qwen3Moe, use_sliding_window: true }, "use_sliding_window"],
  ["a dense layer that does not exist", { ...qwen3Moe, mlp_only_layers: [3] }, "mlp_only_layers"],
  ["renormalisation, on which implementations differ", { ...deepseekV2, norm_topk_prob: true }, "norm_topk_prob"],
  ["another scoring function", { ...deepseekV2, scoring_func: "sigmoid" }, "scoring_func"],
  ["another selection", { ...deepseekV2, topk_method: "noaux_tc" }, "topk_method"],
  ["groups that do not divide the experts", { ...deepseekV2, n_group: 3 }, "n_group"],
  ["groups too few to choose from", { ...deepseekV3, topk_group: 1 }, "topk_group"],
  ["groups of one expert, ranked by their best two", { ...deepseekV3, n_group: 8, topk_group: 4 }, "n_group"],
  ["no number of groups", { ...deepseekV3, n_group: null, topk_group: 1 }, "n_group"],
  ["an epsilon that the norms of latent attention do not have", { ...deepseekV3, rms_norm_eps: 1e-5 }, "rms_norm_eps"],
  ["keys and queries of different heads", { ...deepseekV3, num_key_value_heads: 2 }, "num_key_value_heads"],
  ["a width of heads that is no sum", { ...deepseekV3, qk_head_dim: 99 }, "qk_head_dim"],
  ["another clamp", { ...gptOss, swiglu_limit: 5 }, "swiglu_limit"],
  ["no width of heads", { ...gptOss, head_dim: null }, "head_dim"],
  ["groups that do not divide the experts", { ...panguProMoe, num_experts_per_tok: 3 }, "num_experts_per_tok"],
];

test.each(wrong)("%s: refused by its key alone", (_what, config, key) => {
  expect(refusalsOf(config).map((text) => text.split(": ")[0])).toEqual([key]);
});

test("everything that is wrong is refused at once", () => {
  const config = { ...qwen3Moe, hidden_act: "relu", rms_norm_eps: null, moe_intermediate_size: null, rope_theta: -1 };
  expect(refusalsOf(config).map((text) => text.split(": ")[0])).toEqual([
    "hidden_act",
    "rms_norm_eps",
    "rope_theta",
    "moe_intermediate_size",
  ]);
});

test("what is no config.json of a known model is refused", () => {
  expect(() => planOf([], "config.json")).toThrow(/config\.json: expected a JSON object/);
  expect(() => planOf({}, "config.json")).toThrow(/model_type: expected an executable architecture: .*mixtral/);
  expect(() => planOf({ model_type: "toString" }, "config.json")).toThrow(/found "toString"/);
});
