import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InvalidInputError } from "../../../src/core/errors.ts";
import type { Json } from "../../../src/core/json.ts";
import { resolveConfig } from "../../../src/models/resolve.ts";
import { type Config, qwen3 } from "../configs.ts";

/** Problems and assumptions of a config: what a reader is told. */
function said(config: Config): string {
  try {
    return resolveConfig(config, { file: "config.json" }).assumptions.join("\n");
  } catch (error) {
    if (error instanceof InvalidInputError) return error.message;
    throw error;
  }
}

const filled: fc.Arbitrary<Json> = fc.oneof(
  fc.integer({ min: 1, max: 64 }),
  fc.constantFrom("fp4", "w4a8", "nf4", "int8"),
  fc.constant(true),
  fc.constant({ lut: 4 }),
  fc.constant(["lm_head"]),
);
const topKeys = fc.oneof(
  fc.constantFrom(
    "quantization",
    "quantize",
    "quant_config",
    "quant_method",
    "quantization_bits",
    "weight_bits",
    "bits",
    "w_bit",
    "group_size",
    "compression_config",
    "load_in_4bit",
    "awq_config",
    "weight_precision",
    "fp8_config",
    "w4a16",
    "weights_dtype",
    "moe_weight_dtype",
  ),
  fc.stringMatching(/^[a-z]{1,6}_quant(?:_[a-z]{1,6})?$/),
);

const documents: Readonly<Record<string, { [key: string]: Json }>> = {
  fp8: { quant_method: "fp8", weight_block_size: [128, 128] },
  mxfp4: { quant_method: "mxfp4" },
  gptq: { quant_method: "gptq", bits: 4, group_size: 128 },
  awq: { quant_method: "awq", bits: 4, group_size: 128 },
  autoRound: { quant_method: "auto-round", bits: 4, group_size: 128 },
  bitsAndBytes: { quant_method: "bitsandbytes", load_in_8bit: true },
  torchAo: { quant_method: "torchao", quant_type: "int8_weight_only" },
  modelOpt: { quant_method: "modelopt", quant_algo: "NVFP4" },
  mlx: { bits: 4, group_size: 64 },
  quark: { quant_method: "quark", global_quant_config: { weight: { dtype: "int8" }, input_tensors: null } },
  compressed: {
    quant_method: "compressed-tensors",
    ignore: ["lm_head"],
    config_groups: { group_0: { targets: ["Linear"], weights: { num_bits: 8, type: "int" } } },
  },
};

describe("what looks like a quantisation and is not understood is never silent", () => {
  test("at the top of the file, and where a language model is nested", () => {
    fc.assert(
      fc.property(topKeys, filled, fc.boolean(), (key, value, nested) => {
        const inner = { ...qwen3, ...(nested ? {} : { [key]: value }) };
        const config: Config = nested ? { model_type: "any_vl", [key]: value, text_config: inner } : inner;
        const plain: Config = nested ? { model_type: "any_vl", text_config: qwen3 } : qwen3;
        expect(said(config)).not.toBe(said(plain));
        expect(said(config)).toContain(key);
      }),
    );
  });

  test("inside the configuration of every tool", () => {
    const inside = fc.stringMatching(/^[a-z]{2,8}_[a-z]{2,8}x$/);
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(documents)), inside, filled, (tool, key, value) => {
        expect(said({ ...qwen3, quantization_config: { ...documents[tool], [key]: value } })).toContain(key);
      }),
    );
  });

  test("inside groups, tensors and modules", () => {
    const weights = { num_bits: 4, type: "int", group_size: 128 };
    const inGroup = (group: object): Config => ({
      ...qwen3,
      quantization_config: { quant_method: "compressed-tensors", config_groups: { group_0: group as Json } },
    });
    expect(said(inGroup({ weights, targets: ["Linear"] }))).toBe("");
    expect(said(inGroup({ weights: { ...weights, second_scale_bits: 4 } }))).toMatch(/weights\.second_scale_bits/);
    expect(said(inGroup({ weights, codebook_type: 1 }))).toMatch(/group_0\.codebook_type/);
    expect(
      said({ ...qwen3, quantization: { bits: 4, group_size: 64, "model.layers.0.mlp": { bits: 4, lut: 3 } } }),
    ).toMatch(/lut/);
  });

  test("documents of tools hold nothing that is not understood", () => {
    for (const [tool, document] of Object.entries(documents))
      expect(`${tool}: ${said({ ...qwen3, quantization_config: document })}`).toMatch(
        /: (?:outliers.*|quantised by MLX.*)?$/,
      );
  });

  test("what cannot change weights is left alone: sampling, training, numerics of routers", () => {
    const harmless = { moe_router_dtype: "fp32", quant_method: null, quantization_config: {} };
    expect(said({ ...qwen3, ...harmless })).toBe("");
  });
});
