import { describe, expect, test } from "vitest";
import type { Json } from "../../src/core/json.ts";
import { type Config, deepseek, mixtral, qwen3, resolve, small } from "./configs.ts";

const networks = (config: Config): string =>
  resolve(config)
    .layers.map(({ feedForward }) => (feedForward.kind === "moe" ? "E" : feedForward.kind === "dense" ? "d" : "-"))
    .join("");
const mixers = (config: Config): string =>
  resolve(config)
    .layers.map(({ attention }) => {
      if (attention.kind === "linear") return "l";
      return attention.kind === "gqa" && attention.windowTokens !== null ? "s" : "f";
    })
    .join("");

const layers = (config: Config, count: number): Config => ({ ...config, num_hidden_layers: count });

describe("which layers hold experts", () => {
  test("all of them, unless a key says otherwise", () => {
    expect(networks(mixtral)).toBe("EEEE");
    expect(networks({ ...mixtral, model_type: "llama", num_local_experts: 0, num_experts_per_tok: 0 })).toBe("dddd");
  });

  test("first_k_dense_replace makes a dense prefix, moe_layer_freq keeps every n-th layer after it", () => {
    expect(networks(layers({ ...deepseek, first_k_dense_replace: 2 }, 6))).toBe("ddEEEE");
    expect(networks(layers({ ...deepseek, first_k_dense_replace: 1, moe_layer_freq: 2 }, 6))).toBe("ddEdEd");
  });

  test("moe_layer_freq may be a list of bits, mlp_layer_types a list of names", () => {
    expect(networks({ ...deepseek, moe_layer_freq: [0, 1, 0, 1] })).toBe("dEdE");
    expect(networks({ ...deepseek, mlp_layer_types: ["dense", "sparse", "sparse", "dense"] })).toBe("dEEd");
  });

  test("decoder_sparse_step counts layers from one, mlp_only_layers from zero", () => {
    expect(networks({ ...qwen3, decoder_sparse_step: 2 })).toBe("dEdE");
    expect(networks({ ...qwen3, mlp_only_layers: [0, 3] })).toBe("dEEd");
    expect(networks(layers({ ...qwen3, decoder_sparse_step: 2, mlp_only_layers: [1] }, 6))).toBe("dddEdE");
  });

  test("keys of experts in no layer change nothing", () => {
    const plain = resolve({ ...deepseek, first_k_dense_replace: 4 }).layers;
    expect(plain.map(({ feedForward }) => feedForward.kind)).toEqual(["dense", "dense", "dense", "dense"]);
    expect(networks({ ...qwen3, mlp_only_layers: [0, 1, 2, 3] })).toBe("dddd");
    expect(networks({ ...qwen3, model_type: "qwen3", num_experts: 0, num_experts_per_tok: 0 })).toBe("dddd");
    const silent: Config = { ...small, model_type: "qwen3", intermediate_size: 96, moe_intermediate_size: 32 };
    expect(() => resolve(silent)).toThrow(/moe_intermediate_size/);
  });

  test("lists of layers hold numbers of layers that the model has", () => {
    const llama4: Config = { ...mixtral, model_type: "llama4", num_experts_per_tok: 1, intermediate_size_mlp: 80 };
    const linear = { num_heads: 4, head_dim: 8, short_conv_kernel_size: 4 };
    const lists: readonly [string, (list: Json) => Config][] = [
      ["mlp_only_layers", (list) => ({ ...qwen3, mlp_only_layers: list })],
      ["moe_layers", (list) => ({ ...llama4, moe_layers: list })],
      ["full_attn_idxs", (list) => ({ ...small, ...mixtral, model_type: "lfm2_moe", full_attn_idxs: list })],
      [
        "linear_attn_config.full_attn_layers",
        (list) => ({
          ...deepseek,
          model_type: "kimi_linear",
          linear_attn_config: { ...linear, full_attn_layers: list },
        }),
      ],
    ];
    for (const [key, config] of lists)
      for (const wrong of ["1", 9, -1, 1.5, null]) {
        const at = `${key}[1]`.replaceAll(/[.[\]]/g, "\\$&");
        expect(() => resolve(config([2, wrong]))).toThrow(new RegExp(`${at}: expected a layer from [01] to [34]`));
      }
    for (const none of [[], null, false]) expect(networks({ ...qwen3, mlp_only_layers: none })).toBe("EEEE");
    expect(() => resolve({ ...qwen3, mlp_only_layers: "0" })).toThrow(/mlp_only_layers: expected a list of layers/);
    // Kimi counts from 1.
    expect(() => resolve(lists[3]![1]([0, 2]))).toThrow(/full_attn_layers\[0\]: expected a layer from 1 to 4/);
  });

  test("interleave_moe_layer_step counts from one, moe_layers names them", () => {
    const llama4: Config = { ...mixtral, model_type: "llama4", num_experts_per_tok: 1, intermediate_size_mlp: 80 };
    expect(networks({ ...llama4, interleave_moe_layer_step: 1 })).toBe("EEEE");
    expect(networks({ ...llama4, interleave_moe_layer_step: 2 })).toBe("dEdE");
    expect(networks({ ...llama4, interleave_moe_layer_step: 2, moe_layers: [0, 2] })).toBe("EdEd");
  });

  test("Jamba places attention and experts by period and offset", () => {
    const jamba: Config = {
      ...layers(mixtral, 8),
      model_type: "jamba",
      attn_layer_period: 4,
      attn_layer_offset: 2,
      expert_layer_period: 2,
      expert_layer_offset: 1,
      mamba_expand: 2,
      mamba_d_state: 4,
      mamba_d_conv: 4,
      mamba_dt_rank: 8,
    };
    expect(mixers(jamba)).toBe("llflllfl");
    expect(networks(jamba)).toBe("dEdEdEdE");
  });
});

describe("which layers see how much", () => {
  const windowed = { ...qwen3, sliding_window: 128 };

  test("layer_types names each layer", () => {
    const types = ["sliding_attention", "full_attention", "sliding_attention", "full_attention"];
    expect(mixers({ ...windowed, layer_types: types })).toBe("sfsf");
  });

  test("full_attention_interval puts full attention last in every interval", () => {
    const next: Config = {
      ...layers(qwen3, 8),
      model_type: "qwen3_next",
      full_attention_interval: 4,
      linear_num_key_heads: 2,
      linear_num_value_heads: 4,
      linear_key_head_dim: 8,
      linear_value_head_dim: 8,
      linear_conv_kernel_dim: 4,
      shared_expert_intermediate_size: 32,
    };
    expect(mixers(next)).toBe("lllflllf");
  });

  test("hybrid_layer_pattern marks windowed layers, which may have heads of their own", () => {
    const mimo: Config = {
      ...windowed,
      model_type: "mimo_v2_flash",
      hybrid_layer_pattern: [0, 1, 1, 0],
      head_dim: 24,
      v_head_dim: 16,
      swa_num_key_value_heads: 4,
      swa_head_dim: 12,
      swa_v_head_dim: 8,
      add_swa_attention_sink_bias: true,
    };
    expect(mixers(mimo)).toBe("fssf");
    const [full, sliding] = resolve(mimo).layers;
    expect(full?.attention).toMatchObject({ kvHeads: 2, headDim: 24, valueHeadDim: 16, smallParameters: 0 });
    expect(sliding?.attention).toMatchObject({ kvHeads: 4, headDim: 12, valueHeadDim: 8, smallParameters: 4 });
  });

  test("Qwen's sliding_window counts only when it is enabled, from max_window_layers on", () => {
    expect(mixers(windowed)).toBe("ffff");
    expect(mixers({ ...windowed, use_sliding_window: true, max_window_layers: 2 })).toBe("ffss");
  });

  test("Mixtral's sliding_window holds in all layers, unless it covers every context", () => {
    expect(mixers({ ...mixtral, sliding_window: 1024 })).toBe("ssss");
    expect(mixers({ ...mixtral, sliding_window: 4096 })).toBe("ffff");
    expect(mixers({ ...mixtral, sliding_window: null })).toBe("ffff");
  });

  test("gpt-oss alternates, sliding first", () => {
    expect(mixers({ ...mixtral, model_type: "gpt_oss", sliding_window: 128 })).toBe("sfsf");
  });

  test("Llama 4 lets every fourth layer see everything, or those without rotary embedding", () => {
    const llama4: Config = {
      ...mixtral,
      model_type: "llama4",
      num_experts_per_tok: 1,
      intermediate_size_mlp: 80,
      attention_chunk_size: 512,
    };
    expect(mixers(llama4)).toBe("sssf");
    expect(mixers({ ...llama4, no_rope_layers: [1, 0, 1, 0] })).toBe("sfsf");
  });

  test("Kimi Linear lists its full-attention layers from one", () => {
    const kimi: Config = {
      ...deepseek,
      model_type: "kimi_linear",
      linear_attn_config: {
        full_attn_layers: [4],
        kda_layers: [1, 2, 3],
        num_heads: 4,
        head_dim: 8,
        short_conv_kernel_size: 4,
      },
    };
    expect(resolve(kimi).layers.map(({ attention }) => attention.kind)).toEqual(["linear", "linear", "linear", "mla"]);
  });

  test("blocks of Nemotron-H may be letters or words", () => {
    const letters: Config = {
      ...small,
      model_type: "nemotron_h",
      hybrid_override_pattern: "*-*-",
      intermediate_size: 40,
    };
    const { hybrid_override_pattern: _pattern, ...rest } = letters;
    const words = { ...rest, layers_block_type: ["attention", "mlp", "attention", "mlp"] };
    expect(resolve(words).layers).toEqual(resolve(letters).layers);
    expect(networks(words)).toBe("-d-d");
  });
});
