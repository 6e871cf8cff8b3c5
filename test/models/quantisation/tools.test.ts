import { describe, expect, test } from "vitest";
import type { Json } from "../../../src/core/json.ts";
import { resolveConfig } from "../../../src/models/resolve.ts";
import type { TensorClass } from "../../../src/models/spec.ts";
import { type Config, deepseek, qwen3, resolve } from "../configs.ts";

/** Format and bits per value of a class, such as `int4 4.5`; of the usual layout no bits. */
function stored(config: Config, name: TensorClass = "experts"): string {
  const spec = resolve(config);
  const bits = spec.weightBits?.[name];
  return bits === undefined ? spec.formats[name] : `${spec.formats[name]} ${bits}`;
}
const quantised = (quantization_config: Json): Config => ({ ...qwen3, quantization_config });
const assumptions = (config: Config): string => resolveConfig(config, { file: "config.json" }).assumptions.join("\n");

describe("MLX", () => {
  const mlx = (quantization: Json): Config => ({ ...qwen3, quantization });

  test("quantises embedding, router and head too, with a scale and a bias per group", () => {
    const config = mlx({ group_size: 64, bits: 4 });
    for (const name of ["embedding", "attention", "router", "experts", "head"] as const)
      expect(stored(config, name)).toBe("int4 4.5");
    expect(stored(config, "norm")).toBe("bf16");
    expect(stored(mlx({ group_size: 32, bits: 3 }))).toBe("int3 4");
    expect(stored(mlx({ bits: 8 }))).toBe("int8_a16 8.5");
    expect(assumptions(config)).toContain("other engines do not load");
  });

  test("has floats in blocks as modes, computed with 16-bit activations", () => {
    expect(stored(mlx({ group_size: 32, bits: 4, mode: "mxfp4" }))).toBe("mxfp4_a16");
    expect(stored(mlx({ group_size: 16, bits: 4, mode: "nvfp4" }))).toBe("nvfp4_a16");
    expect(stored(mlx({ group_size: 32, bits: 8, mode: "mxfp8" }))).toBe("fp8_a16 8.25");
    expect(() => resolve(mlx({ group_size: 64, bits: 4, mode: "mxfp4" }))).toThrow(/quantization\.group_size/);
    expect(() => resolve(mlx({ bits: 4, mode: "fancy" }))).toThrow(/quantization\.mode/);
  });

  test("gives modules keys of their own, or leaves them", () => {
    const modules = Object.fromEntries(
      [0, 1, 2, 3].flatMap((layer) => [
        [`model.layers.${layer}.mlp.gate`, { group_size: 64, bits: 8 }],
        [`model.layers.${layer}.self_attn.q_proj`, false],
        [`model.layers.${layer}.self_attn.k_proj`, false],
        [`model.layers.${layer}.self_attn.v_proj`, false],
        [`model.layers.${layer}.self_attn.o_proj`, false],
        [`model.layers.${layer}.mlp.switch_mlp.down_proj`, { bits: 6 }],
      ]),
    );
    const config = mlx({ group_size: 64, bits: 4, ...modules });
    expect(stored(config, "router")).toBe("int8_a16 8.5");
    expect(stored(config, "attention")).toBe("bf16");
    expect(resolve(config).weightBits?.experts).toBeCloseTo((4.5 + 4.5 + 6.5) / 3, 12);
  });

  test("a module with keys of its own has nothing of the general ones, the mode included", () => {
    const modules = (own: Json): Json =>
      Object.fromEntries([0, 1, 2, 3].map((layer) => [`model.layers.${layer}.mlp.gate`, own]));
    const general = (mode: string, group_size: number): object => ({ group_size, bits: 4, mode });
    for (const whole of [general("mxfp4", 32), general("nvfp4", 16), general("affine", 128)]) {
      const router = (own: Json): string => stored(mlx({ ...whole, ...Object(modules(own)) }), "router");
      expect(router({ group_size: 64, bits: 8 })).toBe("int8_a16 8.5");
      expect(router({ bits: 6 })).toBe("int6 6.5");
      expect(router({ bits: 4 })).toBe("int4 4.5");
      expect(router({ mode: "mxfp8" })).toBe("fp8_a16 8.25");
    }
  });

  test("writes the same under two keys; two that differ are refused", () => {
    const quantization = { group_size: 64, bits: 4 };
    expect(stored({ ...qwen3, quantization, quantization_config: quantization })).toBe("int4 4.5");
    expect(stored(quantised(quantization))).toBe("int4 4.5");
    expect(stored({ ...qwen3, quantization, quantization_config: { bits: 4, group_size: 64 } })).toBe("int4 4.5");
    expect(() => resolve({ ...qwen3, quantization, quantization_config: { group_size: 64, bits: 8 } })).toThrow(
      /quantization: expected what quantization_config says/,
    );
  });
});

describe("GPTQ and AWQ", () => {
  test("have a scale and a zero point per group, of any size and width", () => {
    const gptq = (more: object): string => stored(quantised({ quant_method: "gptq", bits: 4, ...more }));
    expect(gptq({ group_size: 128 })).toBe("int4 4.15625");
    expect(gptq({ group_size: 32 })).toBe("int4 4.625");
    expect(gptq({ group_size: -1 })).toBe("int4 4");
    expect(gptq({ bits: 8, group_size: 128 })).toBe("int8_a16 8.1875");
    expect(gptq({ bits: 3, group_size: 128 })).toBe("int3 3.1484375");
    expect(gptq({ bits: 2, group_size: 64 })).toBe("int2 2.28125");
    const awq = (more: object): string => stored(quantised({ quant_method: "awq", bits: 4, group_size: 64, ...more }));
    expect(awq({ zero_point: true })).toBe("int4 4.3125");
    expect(awq({ zero_point: false })).toBe("int4 4.25");
    expect(stored(quantised({ quant_method: "awq", w_bit: 4, q_group_size: 128 }))).toBe("int4 4.15625");
  });

  test("leave or change modules that rules name, the first rule that fits", () => {
    const config = quantised({
      quant_method: "gptq",
      bits: 4,
      group_size: 128,
      dynamic: {
        "-:.*self_attn.*": {},
        "+:.*layers\\.0\\..*": { bits: 8 },
        ".*layers\\.0\\..*": { bits: 3 },
        ".*layers\\.1\\..*": { group_size: 32 },
      },
    });
    expect(stored(config, "attention")).toBe("bf16");
    expect(resolve(config).weightBits?.experts).toBe((8.1875 + 4.625 + 2 * 4.15625) / 4);
    const list = { quant_method: "awq", bits: 4, modules_to_not_convert: ["self_attn", "mlp.gate"] };
    expect(resolve(quantised(list)).formats).toMatchObject({ attention: "bf16", experts: "int4" });
  });

  test("refuse rules that are no patterns, without hanging on those that repeat repetitions", () => {
    const rule = (text: string): Config =>
      quantised({ quant_method: "gptq", bits: 4, group_size: 128, dynamic: { [text]: { bits: 8 } } });
    for (const text of ["+:(", "+:(a+)+$", "+:((.*)*)*x", `+:${".*".repeat(20)}x`])
      expect(() => resolve(rule(text))).toThrow(/dynamic/);
  });

  test("declare an order of channels, and quantise the head where told", () => {
    const config = { quant_method: "gptq", bits: 4, group_size: 128, desc_act: true, lm_head: true };
    expect(assumptions(quantised(config))).toMatch(/desc_act/);
    expect(stored(quantised(config), "head")).toBe("int4 4.15625");
  });
});

test("AutoRound: integers with zero points, floats in blocks, and modules of their own", () => {
  const round = (more: object): Config => quantised({ quant_method: "auto-round", bits: 4, group_size: 128, ...more });
  expect(stored(round({ sym: true, packing_format: "auto_round:auto_gptq" }))).toBe("int4 4.15625");
  expect(stored(round({ bits: 2, group_size: 32 }))).toBe("int2 2.5625");
  expect(stored(round({ data_type: "mx_fp", group_size: 32, act_bits: 4 }))).toBe("mxfp4_a4");
  expect(stored(round({ data_type: "nv_fp", group_size: 16, act_bits: 4 }))).toBe("nvfp4");
  expect(stored(round({ bits: 8, act_bits: 8 }))).toBe("int8 8.1875");
  const extra = {
    "model.layers.0.mlp.gate": { bits: 16, data_type: "float" },
    ".*self_attn.*": { bits: 16, data_type: "float" },
    "model.layers.1.mlp.experts.0.up_proj": { bits: 8 },
  };
  expect(stored(round({ block_name_to_quantize: "model.layers" }))).toBe("int4 4.15625");
  const half = resolve(round({ block_name_to_quantize: [["model.layers.0", "model.layers.1"]] }));
  expect(half.weightBits?.experts).toBe((16 + 4.15625) / 2);
  const config = round({ extra_config: extra });
  expect(stored(config, "router")).toBe("bf16");
  expect(stored(config, "attention")).toBe("bf16");
  const projections = 4 * 8 * 3;
  expect(resolve(config).weightBits?.experts).toBeCloseTo((8.1875 + (projections - 1) * 4.15625) / projections, 12);
  expect(() => resolve(round({ super_bits: 6 }))).toThrow(/super_bits/);
});

test("bitsandbytes: codes with a scale per 64 values, quantised again or not, or LLM.int8()", () => {
  const bnb = (more: object): Config => quantised({ quant_method: "bitsandbytes", ...more });
  const four = { load_in_4bit: true, bnb_4bit_quant_type: "nf4" };
  expect(stored(bnb(four))).toBe("nf4");
  expect(stored(bnb({ ...four, bnb_4bit_use_double_quant: true }))).toBe(`nf4 ${4 + 8 / 64 + 32 / (64 * 256)}`);
  expect(stored(bnb({ load_in_8bit: true }))).toBe("int8");
  expect(assumptions(bnb({ load_in_8bit: true }))).toMatch(/outliers/);
  expect(stored(bnb({ ...four, llm_int8_skip_modules: ["lm_head", "self_attn"] }), "attention")).toBe("bf16");
  expect(() => resolve(bnb({}))).toThrow(/load_in_4bit/);
  expect(() => resolve(bnb({ ...four, bnb_4bit_quant_type: "af4" }))).toThrow(/bnb_4bit_quant_type/);
});

describe("Quark", () => {
  const tensor = (dtype: string, more: object = {}): Json => ({ dtype, is_dynamic: false, ...more });
  const quark = (weight: Json, inputs: Json, more: object = {}): Config =>
    quantised({ quant_method: "quark", global_quant_config: { weight, input_tensors: inputs }, ...more });

  test("has formats by the types of weights and activations", () => {
    const blocks = { qscheme: "per_group", group_size: 32, scale_format: "e8m0" };
    expect(stored(quark(tensor("fp8_e4m3"), tensor("fp8_e4m3")))).toBe("fp8");
    expect(stored(quark(tensor("fp4", blocks), tensor("fp4", blocks)))).toBe("mxfp4_a4");
    expect(stored(quark(tensor("fp4", blocks), tensor("fp8_e4m3")))).toBe("mxfp4");
    expect(stored(quark(tensor("fp4", blocks), null))).toBe("mxfp4_a16");
    expect(stored(quark(tensor("int8"), tensor("int8")))).toBe("int8");
    expect(stored(quark(tensor("uint4", { group_size: 128, symmetric: false }), null))).toBe("int4 4.15625");
    expect(stored(quark([tensor("fp8_e4m3"), tensor("int4")], tensor("fp8_e4m3")))).toBe("int4_fp8 4");
    expect(() => resolve(quark(tensor("fp6_e2m3", blocks), null))).toThrow(/weight\.dtype/);
  });

  test("has layers of their own, excluded ones, and a cache in fp8", () => {
    const config = quark(tensor("fp4", { group_size: 32 }), tensor("fp4", { group_size: 32 }), {
      layer_quant_config: {
        "*self_attn*": { weight: tensor("fp8_e4m3"), input_tensors: tensor("fp8_e4m3") },
      },
      exclude: ["lm_head", "*.mlp.gate"],
      kv_cache_group: ["*k_proj", "*v_proj"],
    });
    expect(resolve(config)).toMatchObject({ kvFormat: "fp8", formats: { attention: "fp8", experts: "mxfp4_a4" } });
  });
});

test("torchao: configurations by class or by older names, one for all or one a module", () => {
  const ao = (quant_type: Json, more: object = {}): Config =>
    quantised({ quant_method: "torchao", quant_type, ...more });
  const typed = (_type: string, _data: object = {}): Json => ({ _type, _data, _version: 1 }) as Json;
  expect(stored(ao({ default: typed("Int4WeightOnlyConfig", { group_size: 64 }) }))).toBe("int4 4.5");
  expect(stored(ao({ default: typed("Float8DynamicActivationFloat8WeightConfig") }))).toBe("fp8");
  expect(stored(ao("int8_dynamic_activation_int8_weight"))).toBe("int8");
  expect(stored(ao("int4_weight_only", { quant_type_kwargs: { group_size: 128 } }))).toBe("int4 4.25");
  const byModule = {
    _default: typed("Int8WeightOnlyConfig"),
    "re:.*self_attn.*": null,
    lm_head: typed("Int8WeightOnlyConfig"),
  };
  const config = ao({ default: typed("ModuleFqnToConfig", { module_fqn_to_config: byModule }) });
  expect(stored(config)).toBe("int8_a16 8");
  expect(stored(config, "attention")).toBe("bf16");
  expect(stored(config, "head")).toBe("int8_a16 8");
  expect(() => resolve(ao({ default: typed("FancyConfig") }))).toThrow(/_type/);
});

test("Ascend's quantize: integers by the widths in its word, declared to hold for all products", () => {
  const ascend = (quantize: Json): Config => ({ ...qwen3, quantize });
  expect(stored(ascend("w8a8_dynamic"))).toBe("int8");
  expect(stored(ascend("w4a8_dynamic"))).toBe("int4_int8 4");
  expect(stored(ascend("W8A16"))).toBe("int8_a16 8");
  expect(assumptions(ascend("w8a8"))).toMatch(/quantize = w8a8 holds for attention/);
  for (const wrong of ["w4a4_flatquant", "fp8", 8]) expect(() => resolve(ascend(wrong))).toThrow(/quantize/);
});

test("SGLang's 8-bit methods", () => {
  expect(stored(quantised({ quant_method: "w8a8_int8" }))).toBe("int8");
  expect(stored(quantised({ quant_method: "w8a8_fp8" }))).toBe("fp8");
  const blocks = { quant_method: "blockwise_int8", weight_block_size: [128, 128], activation_scheme: "dynamic" };
  expect(stored(quantised(blocks))).toBe(`int8 ${8 + 32 / (128 * 128)}`);
  expect(() => resolve(quantised({ quant_method: "blockwise_int8" }))).toThrow(/weight_block_size/);
});

test("what other tools once wrote without a method is not taken for MLX", () => {
  for (const more of [{ desc_act: false }, { sym: true }, { zero_point: true }])
    expect(() => resolve(quantised({ bits: 4, group_size: 128, ...more }))).toThrow(/quant_method/);
});

test("AutoFP8's word for a cache in fp8", () => {
  expect(resolve(quantised({ quant_method: "fp8", kv_cache_scheme: "static" })).kvFormat).toBe("fp8");
});

test("MXFP8, experts in int4 with fp8 activations, and DeepSeek-V4's experts", () => {
  expect(stored(quantised({ quant_method: "mxfp8", weight_block_size: [1, 32] }), "attention")).toBe("mxfp8");
  const mixed = quantised({ quant_method: "w4afp8", group_size: 128, weight_block_size: [128, 128] });
  expect(stored(mixed)).toBe("int4_fp8");
  expect(stored(mixed, "attention")).toBe("fp8_block");
  const v4 = (expert_dtype: string): Config => ({
    ...deepseek,
    expert_dtype,
    quantization_config: { quant_method: "fp8", weight_block_size: [128, 128] },
  });
  expect(stored(v4("fp4"))).toBe("mxfp4");
  expect(stored(v4("fp8"))).toBe("fp8_block");
  expect(() => resolve(v4("fp2"))).toThrow(/expert_dtype/);
});
