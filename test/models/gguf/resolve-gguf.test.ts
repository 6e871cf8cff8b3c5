import { describe, expect, test } from "vitest";
import { weightBytes } from "../../../src/models/bytes.ts";
import { resolveGguf } from "../../../src/models/gguf/resolve-gguf.ts";
import { tensorTypes } from "../../../src/models/gguf/tensor-types.ts";
import type { ModelSpec } from "../../../src/models/spec.ts";
import { type Config, deepseek, mixtral, qwen3, resolve, small, without } from "../configs.ts";
import {
  common,
  experts,
  f32,
  hidden,
  layers,
  layersOf,
  mxfp4,
  outer,
  q4k,
  q8,
  queries,
  qwenFile,
} from "./small-models.ts";
import type { GgufContent, Tensor } from "./write-gguf.ts";

const base: Config = {
  ...small,
  hidden_size: hidden,
  num_hidden_layers: layers,
  vocab_size: 512,
};

const mixtralFile: GgufContent = {
  metadata: { ...common("llama"), "llama.feed_forward_length": 256, "llama.rope.dimension_count": 64 },
  tensors: [...outer, ...layersOf((at) => [...queries(at, false), ...experts(at, 256)])],
};
const deepseekFile: GgufContent = {
  metadata: {
    ...common("deepseek2"),
    "deepseek2.attention.head_count_kv": 1,
    "deepseek2.attention.q_lora_rank": 256,
    "deepseek2.attention.kv_lora_rank": 256,
    "deepseek2.attention.key_length": 288,
    "deepseek2.attention.value_length": 256,
    "deepseek2.attention.key_length_mla": 96,
    "deepseek2.attention.value_length_mla": 64,
    "deepseek2.rope.dimension_count": 32,
    "deepseek2.leading_dense_block_count": 1,
    "deepseek2.expert_shared_count": 1,
    "deepseek2.expert_gating_func": 2,
    "deepseek2.feed_forward_length": 512,
    "deepseek2.expert_feed_forward_length": 256,
  },
  tensors: [
    ...outer,
    ...layersOf((at) => [
      [`${at}attn_norm.weight`, [hidden], f32],
      [`${at}ffn_norm.weight`, [hidden], f32],
      [`${at}attn_q_a_norm.weight`, [256], f32],
      [`${at}attn_kv_a_norm.weight`, [256], f32],
      [`${at}attn_q_a.weight`, [hidden, 256], q8],
      [`${at}attn_q_b.weight`, [256, 4 * 96], q8],
      [`${at}attn_kv_a_mqa.weight`, [hidden, 288], q8],
      [`${at}attn_k_b.weight`, [64, 256, 4], q8],
      [`${at}attn_v_b.weight`, [256, 64, 4], q8],
      [`${at}attn_output.weight`, [256, hidden], q8],
    ]),
    ["blk.0.ffn_gate.weight", [hidden, 512], q4k],
    ["blk.0.ffn_up.weight", [hidden, 512], q4k],
    ["blk.0.ffn_down.weight", [512, hidden], q4k],
    ...experts("blk.1.", 256),
    ["blk.1.exp_probs_b.bias", [8], f32],
    ["blk.1.ffn_gate_shexp.weight", [hidden, 256], q4k],
    ["blk.1.ffn_up_shexp.weight", [hidden, 256], q4k],
    ["blk.1.ffn_down_shexp.weight", [256, hidden], q4k],
  ],
};

const read = ({ metadata, tensors }: GgufContent) =>
  resolveGguf({
    file: "x.gguf",
    metadata: new Map(Object.entries(metadata)) as never,
    tensors: tensors.map(([name, shape, type]) => ({ name, shape, type })),
  });
const fileBytes = (tensors: readonly Tensor[]): number =>
  tensors
    .filter(([name]) => !name.startsWith("rope_"))
    .reduce((sum, [, shape, type]) => {
      const { values, bytes } = tensorTypes[type]!;
      return sum + (shape.reduce((product, size) => product * size, 1) / values) * bytes;
    }, 0);
const total = (spec: ModelSpec): number => Object.values(weightBytes(spec)).reduce((sum, bytes) => sum + bytes, 0);

describe("the shape of a GGUF file is that of the same model's config.json", () => {
  test.each<[string, GgufContent, Config]>([
    [
      "qwen3moe",
      qwenFile,
      { ...qwen3, ...base, head_dim: 64, num_experts: 8, moe_intermediate_size: 256, intermediate_size: 1024 },
    ],
    ["llama with experts, which is Mixtral", mixtralFile, { ...mixtral, ...base, intermediate_size: 256 }],
    [
      "deepseek2 with absorbed projections",
      deepseekFile,
      {
        ...without(deepseek, "n_group", "topk_group", "topk_method"),
        ...base,
        num_key_value_heads: 4,
        q_lora_rank: 256,
        kv_lora_rank: 256,
        qk_nope_head_dim: 64,
        qk_rope_head_dim: 32,
        v_head_dim: 64,
        intermediate_size: 512,
        moe_intermediate_size: 256,
      },
    ],
  ])("%s", (_name, file, config) => {
    const { spec } = read(file);
    expect(spec.layers).toEqual(resolve(config).layers);
    expect(total(spec)).toBe(fileBytes(file.tensors));
  });

  test("gpt-oss: windows, sinks and biases, with experts in MXFP4", () => {
    const metadata = {
      ...common("gpt-oss"),
      "gpt-oss.attention.key_length": 64,
      "gpt-oss.attention.value_length": 64,
      "gpt-oss.attention.sliding_window": 128,
      "gpt-oss.expert_feed_forward_length": 256,
    };
    const tensors = [
      ...outer,
      ...layersOf((at) => [
        ...queries(at, false),
        [`${at}attn_q.bias`, [256], f32],
        [`${at}attn_k.bias`, [128], f32],
        [`${at}attn_v.bias`, [128], f32],
        [`${at}attn_output.bias`, [hidden], f32],
        [`${at}attn_sinks.weight`, [4], f32],
        [`${at}ffn_gate_inp.bias`, [8], f32],
        [`${at}ffn_gate_exps.bias`, [256, 8], f32],
        [`${at}ffn_up_exps.bias`, [256, 8], f32],
        [`${at}ffn_down_exps.bias`, [hidden, 8], f32],
        [`${at}ffn_gate_inp.weight`, [hidden, 8], f32],
        [`${at}ffn_gate_exps.weight`, [hidden, 256, 8], mxfp4],
        [`${at}ffn_up_exps.weight`, [hidden, 256, 8], mxfp4],
        [`${at}ffn_down_exps.weight`, [256, hidden, 8], mxfp4],
      ]),
    ] as Tensor[];
    const { spec } = read({ metadata, tensors });
    expect(spec.formats.experts).toBe("mxfp4_a16");
    expect(spec.layers[0]?.attention).toMatchObject({ windowTokens: 128 });
    expect(spec.layers[1]?.attention).toMatchObject({ windowTokens: null });
    expect(total(spec)).toBe(fileBytes(tensors));
  });
});

test("classes have the bits of their tensors, the format with most bytes, and mixtures are declared", () => {
  const { spec, assumptions } = read(qwenFile);
  expect(spec.formats).toMatchObject({
    embedding: "int8_a16",
    head: "int6",
    experts: "int4",
    router: "fp32",
    norm: "fp32",
  });
  expect(spec.weightBits?.experts).toBeCloseTo((4.5 + 4.5 + 6.5625) / 3, 12);
  expect(spec.weightBits?.embedding).toBe(8.5);
  expect(spec.kvFormat).toBe("fp16");
  expect(assumptions.join("\n")).toMatch(/experts weights are stored in several formats/);
  expect(spec.provenance["layers[].feedForward.experts"]?.key).toBe("qwen3moe.expert_count");
});

test("a router of one expert is one, though it is listed as a vector", () => {
  const tensors = qwenFile.tensors.map(([name, shape, type]): Tensor => {
    if (name.endsWith("gate_inp.weight")) return [name, [hidden], type];
    return [name, name.includes("_exps") ? [...shape.slice(0, 2), 1] : shape, type];
  });
  const one = { "qwen3moe.expert_count": 1, "qwen3moe.expert_used_count": 1 };
  const { spec } = read({ metadata: { ...qwenFile.metadata, ...one }, tensors });
  expect(spec.layers[0]?.feedForward).toMatchObject({ experts: 1, topK: 1 });
  expect(spec.formats.router).toBe("fp32");
});

describe("what is not understood is refused", () => {
  const changed =
    (metadata: object, tensors: readonly Tensor[] = qwenFile.tensors) =>
    () =>
      read({ metadata: { ...qwenFile.metadata, ...metadata } as GgufContent["metadata"], tensors });

  test.each([
    ["an unknown architecture", changed({ "general.architecture": "fancymoe" }), /general\.architecture.*fancymoe/],
    ["no architecture", changed({ "general.architecture": 3 }), /general\.architecture/],
    ["a missing count", changed({ "qwen3moe.block_count": "two" }), /qwen3moe\.block_count/],
    ["lists that differ by layer", changed({ "qwen3moe.attention.head_count": [4, 8] }), /the same in all layers/],
    ["a key that may change a shape", changed({ "qwen3moe.attention.sliding_window": 128 }), /sliding_window/],
    [
      "metadata that the tensors deny",
      changed({ "qwen3moe.expert_count": 16 }),
      /experts weights, as its metadata says/,
    ],
    ["an unknown tensor", changed({}, [...qwenFile.tensors, ["blk.0.ssm_in.weight", [256, 64], q8]]), /blk\.0\.ssm_in/],
    ["an unknown type", changed({}, [...qwenFile.tensors, ["blk.0.x.weight", [256, 64], 99]]), /type 99/],
    ["half a block", changed({}, [...qwenFile.tensors, ["blk.0.x.weight", [100, 64], q8]]), /whole blocks/],
    ["missing tensors", changed({}, outer), /attention weights/],
  ])("%s", (_what, act, message) => {
    expect(act).toThrow(message);
  });

  test("layers of multi-token prediction behind the model's own are left out", () => {
    const more: Tensor[] = [["blk.2.attn_q.weight", [hidden, 256], q4k]];
    const { spec } = read({
      metadata: { ...qwenFile.metadata, "qwen3moe.block_count": 3, "qwen3moe.nextn_predict_layers": 1 },
      tensors: [...qwenFile.tensors, ...more],
    });
    expect(spec.layers.length).toBe(2);
    expect(spec.mtpLayers).toBe(1);
  });
});
