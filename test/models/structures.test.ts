import { describe, expect, test } from "vitest";
import { InvalidInputError } from "../../src/core/errors.ts";
import { modelKvBytesPerSequence, modelKvBytesPerToken } from "../../src/models/bytes.ts";
import { parametersOf } from "../../src/models/parameters.ts";
import { resolveConfig } from "../../src/models/resolve.ts";
import type { ModelSpec } from "../../src/models/spec.ts";
import { type Config, mixtral, resolve, without } from "./configs.ts";
import {
  graniteMicro,
  graniteSmall,
  graniteTiny,
  graniteTypes,
  hunyuanA13b,
  hunyuanLarge,
  lfm8,
  lfm24,
  lingTiny,
  longcat,
  longcatLite,
  minimax,
  ringMini,
} from "./structure-configs.ts";

interface Published {
  readonly name: string;
  readonly config: Config;
  /** In billions, with the value of the last digit. */
  readonly total: readonly [value: number, unit: number];
  readonly active: readonly [value: number, unit: number];
  /** What the count for a token leaves out. */
  readonly without?: "embedding" | "both";
  readonly source: string;
}

const published: readonly Published[] = [
  {
    name: "LongCat-Flash-Chat",
    config: longcat,
    total: [560, 1],
    active: [27, 1],
    without: "embedding",
    source: "LongCat-Flash Technical Report, arXiv 2509.01322: 560 B, 18.6 to 31.3 B for a token, 27 B on average",
  },
  {
    name: "LongCat-Flash-Lite",
    config: longcatLite,
    total: [68.5, 0.1],
    active: [3.98, 0.01],
    without: "embedding",
    source:
      "model card of meituan-longcat/LongCat-Flash-Lite: 68.5 B, 2.9 to 4.5 B for a token; its mean is that of 8 of 12 choices",
  },
  {
    name: "MiniMax-Text-01",
    config: minimax,
    total: [456, 1],
    active: [45.9, 0.1],
    without: "both",
    source: "MiniMax-01, arXiv 2501.08313: 456 B, 45.9 B for a token",
  },
  {
    name: "MiniMax-M1",
    config: { ...minimax, model_type: "minimax_m1" },
    total: [456, 1],
    active: [45.9, 0.1],
    without: "both",
    source: "MiniMax-M1, arXiv 2506.13585: the same",
  },
  {
    name: "Granite-4.0-H-Tiny",
    config: graniteTiny,
    total: [7, 1],
    active: [1, 1],
    source: "model card of ibm-granite/granite-4.0-h-tiny: 7 B, 1 B for a token",
  },
  {
    name: "Granite-4.0-H-Small",
    config: graniteSmall,
    total: [32, 1],
    active: [9, 1],
    source: "model card of ibm-granite/granite-4.0-h-small: 32 B, 9 B for a token",
  },
  {
    name: "Granite-4.0-H-Micro",
    config: graniteMicro,
    total: [3, 1],
    active: [3, 1],
    source: "model card of ibm-granite/granite-4.0-h-micro: 3 B, dense",
  },
  {
    name: "LFM2-8B-A1B",
    config: lfm8,
    total: [8.3, 0.1],
    active: [1.5, 0.1],
    source: "model card of LiquidAI/LFM2-8B-A1B: 8.3 B, 1.5 B for a token",
  },
  {
    name: "LFM2-24B-A2B",
    config: lfm24,
    total: [24, 1],
    active: [2.3, 0.1],
    source: "liquid.ai/blog/lfm2-24b-a2b: 24 B, 2.3 B for a token; the width of its two dense layers is not stated",
  },
  {
    name: "Hunyuan-A13B",
    config: hunyuanA13b,
    total: [80, 1],
    active: [13, 1],
    source: "Hunyuan-A13B Technical Report: 80 B, 13 B for a token",
  },
  {
    name: "Hunyuan-Large",
    config: hunyuanLarge,
    total: [389, 1],
    active: [52, 1],
    source: "Hunyuan-Large, arXiv 2411.02265: 389 B, 52 B for a token",
  },
  {
    name: "Ring-mini-linear-2.0",
    config: ringMini,
    total: [16, 1],
    active: [0.957, 0.001],
    without: "both",
    source: "Ring-linear, arXiv 2510.19338: 16 B, 957 M for a token without embeddings",
  },
  {
    name: "Ling-3.0-tiny",
    config: lingTiny,
    total: [7.9, 0.1],
    active: [1.3, 0.1],
    source: "model card of inclusionAI/Ling-3.0-tiny: 7.9 B, 1.3 B for a token",
  },
];

describe("published sizes, within the last digit", () => {
  test.each(published)("$name: $source", ({ config, total, active, without: left }) => {
    const parameters = parametersOf(resolve(config));
    const { embedding, head } = parameters.activeByClass;
    const used = parameters.active - (left === undefined ? 0 : embedding) - (left === "both" ? head : 0);
    expect(Math.abs(parameters.total / 1e9 - total[0])).toBeLessThan(total[1]);
    expect(Math.abs(used / 1e9 - active[0])).toBeLessThan(active[1]);
  });

  test.each([
    [longcat, 18.6, 31.3],
    [longcatLite, 2.9, 4.5],
  ])(
    "LongCat-Flash uses 18.6 to 31.3 B for a token, its Lite 2.9 to 4.5 B, by how many choices compute",
    (config, fewest, most) => {
      const { activeRange, activeByClass } = parametersOf(resolve(config));
      const billions = (values: number) => (values - activeByClass.embedding) / 1e9;
      expect(Math.abs(billions(activeRange!.fewest) - fewest)).toBeLessThan(0.1);
      expect(Math.abs(billions(activeRange!.most) - most)).toBeLessThan(0.1);
    },
  );
});

describe("cache of a sequence", () => {
  /** Bytes of a sequence less what its tokens add. */
  const stateBytes = (spec: ModelSpec) => modelKvBytesPerSequence(spec, 1000) - 1000 * modelKvBytesPerToken(spec);

  test("LongCat-Flash keeps a latent for both attentions of its 28 layers", () => {
    const spec = resolve(longcat);
    expect(modelKvBytesPerToken(spec)).toBe(2 * 28 * (512 + 64) * 2);
    expect(spec.layers.length).toBe(56);
  });

  test("MiniMax-Text-01 keeps keys of ten layers, and a square per head in the others", () => {
    const spec = resolve(minimax);
    expect(modelKvBytesPerToken(spec)).toBe(10 * 2 * 8 * 128 * 2);
    expect(stateBytes(spec)).toBe(70 * 64 * 128 * 128 * 2);
  });

  test("Granite 4 keeps keys of four layers, and states of Mamba-2 in the others", () => {
    const spec = resolve(graniteTiny);
    expect(modelKvBytesPerToken(spec)).toBe(4 * 2 * 4 * 128 * 2);
    expect(stateBytes(spec)).toBe(36 * 4 * (48 * 64 * 128 + 3 * (48 * 64 + 2 * 128)));
  });

  test("LFM2 keeps keys of six layers, and two inputs of each convolution", () => {
    const spec = resolve(lfm8);
    expect(modelKvBytesPerToken(spec)).toBe(6 * 2 * 8 * 64 * 2);
    expect(stateBytes(spec)).toBe(18 * 2 * 2048 * 2);
  });

  test("Hunyuan-Large keeps keys of every second layer", () => {
    expect(modelKvBytesPerToken(resolve(hunyuanLarge))).toBe(32 * 2 * 8 * 80 * 2);
  });
});

describe("experts that return their input", () => {
  const hidden = 64;
  const model: Config = { ...longcat, hidden_size: hidden, num_layers: 2, vocab_size: 1000 };

  test("none of them is the plain model, whatever type they would be", () => {
    const plain = resolve(without(model, "zero_expert_num", "zero_expert_type"));
    expect(resolve({ ...model, zero_expert_num: 0 }).layers).toEqual(plain.layers);
    expect(parametersOf(plain).activeRange).toBeUndefined();
  });

  test("have a column and a bias in the router and nothing else", () => {
    const plain = parametersOf(resolve(without(model, "zero_expert_num", "zero_expert_type")));
    const some = parametersOf(resolve({ ...model, zero_expert_num: 7 }));
    expect(some.total - plain.total).toBe(2 * 7 * (hidden + 1));
    expect(some.byClass.experts).toBe(plain.byClass.experts);
  });

  test("take their share of the choices of a token", () => {
    const active = (zero: number) => parametersOf(resolve({ ...model, zero_expert_num: zero })).activeByClass.experts;
    expect(active(512)).toBe(active(0) / 2);
    const { activeRange, active: mean } = parametersOf(resolve({ ...model, zero_expert_num: 4 }));
    expect(activeRange!.most).toBeGreaterThan(mean);
    expect(activeRange!.fewest).toBeLessThan(mean);
    expect((activeRange!.most - activeRange!.fewest) / (active(0) / 12)).toBeCloseTo(4, 9);
  });

  test("of another type are refused", () => {
    expect(() => resolve({ ...model, zero_expert_type: "drop" })).toThrow(/zero_expert_type: expected identity/);
    expect(() => resolve(without(model, "zero_expert_type"))).toThrow(/zero_expert_type/);
  });

  test("num_hidden_layers may count layers or their halves, and nothing else", () => {
    const layers = (count: number) => resolve({ ...model, num_hidden_layers: count }).layers.length;
    expect([layers(2), layers(4)]).toEqual([4, 4]);
    expect(() => layers(3)).toThrow(/num_hidden_layers: expected num_layers 2/);
  });

  test("what the class cannot express is refused", () => {
    expect(() => resolve({ ...model, router_bias: true })).toThrow(/router_bias/);
    expect(() => resolve({ ...model, attention_method: "GQA" })).toThrow(/attention_method: expected MLA/);
    expect(() => resolve({ ...model, first_k_dense_replace: 1 })).toThrow(/first_k_dense_replace/);
    expect(() => resolve({ ...model, ngram_vocab_size_ratio: 78 })).toThrow(/n-grams/);
  });
});

describe("caches shared between layers", () => {
  const model: Config = { ...mixtral, model_type: "hunyuan", moe_topk: 2, num_experts: 8 };
  const plain: Config = without(model, "num_experts_per_tok", "num_local_experts");
  const shared = (factor: number): Config => ({ ...plain, use_cla: true, cla_share_factor: factor });

  test("a factor of 1 shares nothing, and a factor is idle unless it is switched on", () => {
    expect(resolve(shared(1)).layers).toEqual(resolve(plain).layers);
    expect(resolve({ ...shared(2), use_cla: false }).layers).toEqual(resolve(plain).layers);
  });

  test("of every n layers one has projections of keys and values, and a cache", () => {
    const whole = resolve(plain);
    const keysAndValues = 64 * 2 * 2 * 16;
    for (const [factor, sharing] of [
      [2, 2],
      [3, 2],
      [4, 3],
    ] as const) {
      const spec = resolve(shared(factor));
      expect(parametersOf(whole).total - parametersOf(spec).total).toBe(sharing * keysAndValues);
      expect(modelKvBytesPerToken(spec)).toBe((modelKvBytesPerToken(whole) * (4 - sharing)) / 4);
      expect(spec.layers.map(({ joined }) => joined === true)).toEqual(
        [0, 1, 2, 3].map((layer) => layer % factor !== 0),
      );
    }
  });

  test("biases of keys and values go with their projections", () => {
    const biased = (config: Config) => parametersOf(resolve({ ...config, attention_bias: true })).total;
    const bare = (config: Config) => parametersOf(resolve(config)).total;
    const ofOne = (biased(plain) - bare(plain)) / 4;
    expect(biased(shared(2)) - bare(shared(2))).toBe(4 * ofOne - 2 * 2 * 2 * 16);
  });
});

describe("values listed by layer", () => {
  const model: Config = without(
    { ...mixtral, model_type: "hunyuan_v1_moe", num_experts: 8, moe_topk: 2 },
    "num_local_experts",
    "num_experts_per_tok",
  );

  test("are one value where all layers agree", () => {
    const listed = {
      ...model,
      moe_topk: [2, 2, 2, 2],
      num_experts: [8, 8, 8, 8],
      moe_intermediate_size: [32, 32, 32, 32],
    };
    expect(resolve(listed).layers).toEqual(resolve(model).layers);
  });

  test("are refused where layers differ, by layer and value, or where one is missing", () => {
    expect(() => resolve({ ...model, moe_topk: [2, 2, 1, 2] })).toThrow(
      /moe_topk\[2\]: expected 2, as in the first layer.*found 1/,
    );
    expect(() => resolve({ ...model, moe_topk: [2, 2] })).toThrow(/moe_topk: expected 4 entries/);
    expect(() => resolve({ ...model, moe_topk: ["2", 2, 2, 2] })).toThrow(/moe_topk\[0\]: expected a whole number/);
  });

  test("a shared expert counts as often as its list says, and not at all without mixed layers", () => {
    const width = (config: Config) => {
      const { feedForward } = resolve(config).layers[0]!;
      return feedForward.kind === "moe" ? feedForward.sharedWidth : null;
    };
    expect(width({ ...model, num_shared_expert: [2, 2, 2, 2] })).toBe(64);
    expect(width({ ...model, num_shared_expert: 2, use_mixed_mlp_moe: false })).toBe(0);
  });
});

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

test("what is not simulated or not said is an assumption", () => {
  const { assumptions } = resolveConfig(longcat, { file: "config.json" });
  expect(assumptions).toContainEqual(expect.stringContaining("second half"));
  expect(assumptions).toContainEqual(expect.stringContaining("take no time"));
  expect(resolveConfig(minimax, { file: "config.json" }).assumptions).toContainEqual(
    expect.stringContaining("bf16, as vLLM"),
  );
});

test("modules of a paired layer are named by the layer of the file, and by what the file leaves out", () => {
  const fp8: Config = { ...longcat, quantization_config: { quant_method: "fp8", weight_block_size: [128, 128] } };
  const formats = (config: Config) => resolve(config).formats;
  expect(formats(fp8)).toMatchObject({ attention: "fp8_block", dense: "fp8_block", experts: "fp8_block" });
  const without8 = formats({ ...fp8, disable_quant_module: ["self_attn", "mlps"] });
  expect(without8).toMatchObject({ attention: "bf16", dense: "bf16", experts: "fp8_block" });
  expect(() => resolve({ ...fp8, disable_quant_module: ["otherwise"] })).toThrow(/disable_quant_module\[0\]/);
  const modules = Array.from({ length: 28 }, (_, layer) => `model.layers.${layer}.mlps.0.down_proj`);
  const listed = {
    ...fp8,
    quantization_config: { quant_method: "fp8", weight_block_size: [128, 128], modules_to_not_convert: modules },
  };
  expect(formats(listed)).toMatchObject({ attention: "fp8_block", dense: "bf16", experts: "fp8_block" });
  expect(resolveConfig(listed, { file: "config.json" }).assumptions.join()).not.toMatch(/some layers only/);
});

describe("embeddings of n-grams", () => {
  test("have four tables for two, three and four tokens each, of which a token reads a row and counts no more", () => {
    const { ngramEmbedding } = resolve(longcatLite);
    // Twelve tables of 78 vocabularies and 1, 3, ... 23 rows more, 3072 / 12 values each.
    expect(ngramEmbedding).toEqual({
      tableParameters: 256 * (12 * 78 * 131_072 + 12 * 12),
      rowParameters: 3072,
      projectionParameters: 3072 * 3072,
    });
    const { byClass, activeByClass } = parametersOf(resolve(longcatLite));
    expect(byClass.embedding - activeByClass.embedding).toBe(ngramEmbedding!.tableParameters - 3072);
  });

  test("are refused where their tables do not share the hidden size, or their keys are missing", () => {
    expect(() => resolve({ ...longcatLite, emb_split_num: 5 })).toThrow(/emb_split_num: expected tables that divide/);
    expect(() => resolve(without(longcatLite, "emb_neighbor_num"))).toThrow(/emb_neighbor_num/);
  });
});

describe("hostile values", () => {
  const configs = [longcat, longcatLite, minimax, ringMini, lingTiny, graniteTiny, lfm8, hunyuanA13b, hunyuanLarge];
  const values = [
    null,
    true,
    false,
    0,
    -1,
    0.5,
    3,
    1e9,
    2 ** 53,
    "",
    "auto",
    "identity",
    [],
    [0],
    [1, 2],
    {},
    { a: 1 },
  ];

  test("under any key give a model of finite size or name the key, never another error", () => {
    let refused = 0;
    for (const config of configs)
      for (const key of Object.keys(config))
        for (const value of values) {
          try {
            const { total, active } = parametersOf(resolve({ ...config, [key]: value }));
            expect(Number.isSafeInteger(total) && Number.isSafeInteger(active)).toBe(true);
          } catch (error) {
            expect(error, `${config["model_type"]}.${key}: ${JSON.stringify(value)}`).toBeInstanceOf(InvalidInputError);
            refused++;
          }
        }
    expect(refused).toBeGreaterThan(1000);
  });
});
