import { describe, expect, test } from "vitest";
import { parametersOf } from "../../src/models/parameters.ts";
import { resolveConfig } from "../../src/models/resolve.ts";
import { type Config, deepseek, mixtral, qwen3, resolve, without } from "./configs.ts";
import { graniteTiny, graniteTypes, lfm8, lingTiny, minimax, ringMini } from "./structure-configs.ts";

describe("which layers attend", () => {
  const mixers = (config: Config) =>
    resolve(config)
      .layers.map(({ attention }) => (attention.kind === "linear" ? "l" : "f"))
      .join("");
  const lightning: Config = { ...mixtral, model_type: "minimax_m1" };

  test("lightning attention stands where a list has 0, or a name, or inside groups", () => {
    expect(mixers({ ...lightning, attn_type_list: [0, 0, 1, 0] })).toBe("llfl");
    const names = ["linear_attention", "full_attention", "linear_attention", "linear_attention"];
    expect(mixers({ ...lightning, model_type: "minimax", layer_types: names })).toBe("lfll");
    expect(mixers({ ...ringMini, num_hidden_layers: 12 })).toBe("llllfllllfff");
  });

  test("convolutions stand where a list has conv, or where the attending layers are numbered", () => {
    const few: Config = { ...lfm8, num_hidden_layers: 4 };
    expect(mixers({ ...few, layer_types: ["conv", "full_attention", "conv", "conv"] })).toBe("lfll");
    expect(mixers({ ...without(few, "layer_types"), full_attn_idxs: [1, 3] })).toBe("lflf");
  });

  test("a hybrid all of whose layers attend may carry the keys of its mixer", () => {
    const layer_types = Array.from({ length: Number(graniteTiny["num_hidden_layers"]) }, () => "attention");
    const left = Object.keys(graniteTiny).filter((key) => key.startsWith("mamba_"));
    expect(left.length).toBeGreaterThan(4);
    const attending = resolve({ ...graniteTiny, layer_types });
    expect(attending.layers).toEqual(resolve({ ...without(graniteTiny, ...left), layer_types }).layers);
    expect(attending.layers.every(({ attention }) => attention.kind === "gqa")).toBe(true);
    expect(() => resolve({ ...qwen3, mamba_n_heads: 4 })).toThrow(/mamba_n_heads/);
  });

  test("layers of Kimi-Linear are in one of its lists", () => {
    const linear = { num_heads: 4, head_dim: 8, short_conv_kernel_size: 4, full_attn_layers: [2, 4] };
    const config = (kda_layers: readonly number[]): Config => ({
      ...deepseek,
      model_type: "kimi_linear",
      linear_attn_config: { ...linear, kda_layers },
    });
    expect(mixers(config([1, 3]))).toBe("lflf");
    expect(() => resolve(config([1, 2]))).toThrow(/kda_layers\[1\]: expected a layer that full_attn_layers leaves/);
    expect(() => resolve(config([1]))).toThrow(/kda_layers: expected the 2 layers/);
  });

  test("layers_block_type names whole layers, except of Nemotron-H", () => {
    expect(mixers({ ...without(graniteTiny, "layer_types"), layers_block_type: graniteTypes })).toBe(
      mixers(graniteTiny),
    );
  });

  test("a hybrid that does not say which is refused, never taken for full attention", () => {
    for (const config of [
      without(lightning, "attn_type_list"),
      without(lfm8, "layer_types"),
      without(graniteTiny, "layer_types"),
    ])
      expect(() => resolve(config)).toThrow(/layer_types: expected a list that says which layers attend/);
    expect(() => resolve({ ...lfm8, layer_types: ["conv"] })).toThrow(
      /layer_types: expected 24 entries, one a layer, found 1$/,
    );
  });
});

describe("mixers", () => {
  const linearOf = (config: Config) => {
    const found = resolve(config).layers.find(({ attention }) => attention.kind === "linear")!.attention;
    return found.kind === "linear" ? found : null;
  };

  test("lightning attention: five projections, a norm over all heads or in groups, norms of queries and keys where the class has them", () => {
    expect(linearOf(minimax)).toMatchObject({
      projectionParameters: 5 * 6144 * 8192,
      wholeNorm: true,
      smallParameters: 8192,
    });
    const ring = linearOf(ringMini)!;
    expect(ring.wholeNorm).toBeUndefined();
    expect(ring.smallParameters).toBe(2048 + 2 * 128);
    expect(linearOf({ ...ringMini, use_qk_norm: false })!.smallParameters).toBe(2048);
    expect(() => resolve({ ...ringMini, use_qkv_bias: true })).toThrow(/use_qkv_bias/);
  });

  test("a short convolution: three projections in, one out, a kernel per channel, biases where the file has them", () => {
    expect(linearOf(lfm8)).toMatchObject({ projectionParameters: 4 * 2048 * 2048 + 3 * 2048, smallParameters: 0 });
    expect(linearOf({ ...lfm8, conv_bias: true })!.smallParameters).toBe(5 * 2048);
    expect(() => resolve({ ...lfm8, conv_dim: 1024 })).toThrow(/conv_dim: expected hidden_size 2048/);
  });

  test("Mamba-2 heads may have an automatic width", () => {
    expect(linearOf({ ...graniteTiny, mamba_d_head: "auto" })).toEqual(linearOf(graniteTiny));
    expect(() => resolve({ ...graniteTiny, mamba_expand: 3 })).toThrow(/mamba_expand: expected .* 2$/);
    expect(() => resolve({ ...graniteTiny, mamba_conv_bias: "yes" })).toThrow(
      /mamba_conv_bias: expected true or false/,
    );
    expect(() => resolve({ ...graniteTiny, mamba_d_head: "auto", mamba_n_heads: 50 })).toThrow(
      /mamba_n_heads: expected a divisor/,
    );
  });

  test("MLA beside lightning attention: Ring 2.5", () => {
    const hybrid: Config = {
      ...ringMini,
      model_type: "bailing_hybrid",
      kv_lora_rank: 512,
      q_lora_rank: 1536,
      qk_nope_head_dim: 128,
      qk_rope_head_dim: 64,
      v_head_dim: 128,
    };
    const kinds = resolve(hybrid).layers.map(({ attention }) => attention.kind);
    expect(kinds.filter((kind) => kind === "mla").length).toBe(4);
  });

  test("Ling 3 has Kimi Delta Attention, of full rank or low, and gates the heads of its latent attention", () => {
    const spec = resolve(lingTiny);
    const delta = linearOf(lingTiny)!;
    expect(delta.scan.rule).toBe("channelDelta");
    expect(delta.projectionParameters).toBe(6 * 1536 * 2048 + 3 * 2048 * 4 + 1536 * 16);
    const low = linearOf({ ...lingTiny, no_kda_lora: false, use_kda_lora: true })!;
    expect(low.projectionParameters).toBe(4 * 1536 * 2048 + 3 * 2048 * 4 + 1536 * 16 + 2 * 128 * (1536 + 2048));
    const plain = resolve(without(lingTiny, "gated_attention_proj_granularity_type"));
    expect(parametersOf(spec).total - parametersOf(plain).total).toBe(6 * 1536 * 16);
    expect(() => resolve({ ...lingTiny, use_kda_lora: true })).toThrow(/use_kda_lora: expected false/);
    expect(() => resolve({ ...lingTiny, gated_attention_proj_granularity_type: "element_wise" })).toThrow(/head_wise/);
    expect(() => resolve({ ...lingTiny, num_kv_heads_for_linear_attn: 4 })).toThrow(/num_kv_heads_for_linear_attn/);
  });
});

test("the format of states that no key gives is an assumption", () => {
  const assumed = (config: Config) => resolveConfig(config, { file: "config.json" }).assumptions.join();
  expect(assumed(graniteTiny)).toMatch(/Mamba-2 are kept in fp32/);
  expect(assumed({ ...graniteTiny, mamba_ssm_cache_dtype: "float32" })).not.toMatch(/Mamba-2/);
  expect(assumed(ringMini)).toMatch(/bf16, as vLLM/);
});
