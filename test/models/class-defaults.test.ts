import { describe, expect, test } from "vitest";
import { parametersOf } from "../../src/models/parameters.ts";
import { resolveConfig } from "../../src/models/resolve.ts";
import { type Config, deepseek, mixtral, qwen3, without } from "./configs.ts";

const read = (config: Config) => resolveConfig(config, { file: "config.json" });
const heads = { num_attention_heads: 32, hidden_size: 2048, head_dim: 64 };

describe("a key that a file leaves out is the default of its class in transformers, and an assumption", () => {
  test.each<[string, Config, string, Config]>([
    ["heads of Mixtral", { ...mixtral, ...heads }, "num_key_value_heads", { num_key_value_heads: 8 }],
    ["heads of Qwen3-MoE", { ...qwen3, ...heads }, "num_key_value_heads", { num_key_value_heads: 4 }],
    ["dense layers of DeepSeek-V3", deepseek, "first_k_dense_replace", { first_k_dense_replace: 3 }],
    ["the shared expert of DeepSeek-V3", deepseek, "n_shared_experts", { n_shared_experts: 1 }],
  ])("%s", (_what, config, key, same) => {
    const left = read(without(config, key));
    const written = read({ ...config, ...same });
    expect(left.spec.layers).toEqual(written.spec.layers);
    expect(parametersOf(left.spec)).toEqual(parametersOf(written.spec));
    expect(left.assumptions).toContain(`${key} ${JSON.stringify(same[key])}, the default of the model class`);
    expect(written.assumptions.filter((text) => text.startsWith(key))).toEqual([]);
  });

  test("every fourth layer of Qwen3-Next attends; layers that are listed need no interval", () => {
    const linear = { linear_num_key_heads: 2, linear_num_value_heads: 4, linear_key_head_dim: 16 };
    const config: Config = {
      ...qwen3,
      ...linear,
      model_type: "qwen3_next",
      num_hidden_layers: 8,
      linear_value_head_dim: 16,
      linear_conv_kernel_dim: 4,
    };
    const kinds = (more: Config) => read({ ...config, ...more }).spec.layers.map(({ attention }) => attention.kind);
    const fourth = ["linear", "linear", "linear", "gqa", "linear", "linear", "linear", "gqa"];
    expect(kinds({})).toEqual(fourth);
    const listed = fourth.map((kind) => (kind === "gqa" ? "full_attention" : "linear_attention"));
    expect(kinds({ layer_types: listed })).toEqual(fourth);
    const { assumptions } = read({ ...config, layer_types: listed });
    expect(assumptions.join()).not.toMatch(/interval/);
  });

  test("a class without one has as many key-value heads as query heads; null says so itself", () => {
    const olmoe: Config = { ...mixtral, ...heads, model_type: "olmoe" };
    const text = "as many key-value heads as query heads, as no key gives their number";
    const left = read(without(olmoe, "num_key_value_heads"));
    expect(left.spec.layers[0]?.attention).toMatchObject({ queryHeads: 32, kvHeads: 32 });
    expect(left.assumptions).toContain(text);
    for (const model_type of ["olmoe", "mixtral"]) {
      const none = read({ ...olmoe, model_type, num_key_value_heads: null });
      expect(none.spec.layers[0]?.attention).toMatchObject({ queryHeads: 32, kvHeads: 32 });
      expect(none.assumptions).not.toContain(text);
    }
  });
});
