import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { storageFormats } from "../../src/core/dtype.ts";
import {
  expertBytes,
  kvBytesPerSequence,
  kvBytesPerToken,
  modelKvBytesPerSequence,
  modelKvBytesPerToken,
  weightBytes,
} from "../../src/models/bytes.ts";
import { catalogue, modelNamed } from "../../src/models/catalogue.ts";
import { parametersOf } from "../../src/models/parameters.ts";
import type { MoeFeedForward } from "../../src/models/spec.ts";
import { drawn } from "../drawn.ts";

function moeOf(id: string): MoeFeedForward {
  const moe = modelNamed(id)
    .layers.map(({ feedForward }) => feedForward)
    .find(({ kind }) => kind === "moe");
  if (moe?.kind !== "moe") throw new Error("no MoE layer");
  return moe;
}

test("keys and values of unequal width are both counted", () => {
  const attention = modelNamed("mixtral-8x7b").layers[0]!.attention;
  if (attention.kind !== "gqa") throw new Error("unexpected attention");
  const values = attention.kvHeads * (attention.headDim + 16);
  expect(kvBytesPerToken({ ...attention, valueHeadDim: 16 }, "bf16")).toBe(2 * values);
  expect(kvBytesPerSequence({ ...attention, valueHeadDim: 16, windowTokens: 100 }, "fp8", 1000)).toBe(100 * values);
});

describe("weights", () => {
  test("in bf16 every parameter is two bytes", () => {
    for (const id of ["mixtral-8x7b", "qwen3-30b-a3b", "glm-5", "phi-3.5-moe"]) {
      const bytes = Object.values(weightBytes(modelNamed(id))).reduce((sum, part) => sum + part, 0);
      expect(bytes).toBe(2 * parametersOf(modelNamed(id)).total);
    }
  });

  test("gpt-oss-20b as released: experts at 4.25 bits with bf16 biases, the rest bf16", () => {
    const bytes = weightBytes(modelNamed("gpt-oss-20b"));
    const matrices = 24 * 32 * 3 * 2880 * 2880;
    expect(bytes.experts).toBe((matrices * 4.25) / 8 + 2 * 24 * 32 * 3 * 2880);
    expect(bytes.attention).toBe(2 * parametersOf(modelNamed("gpt-oss-20b")).byClass.attention);
  });

  test("other formats change only the classes they name", () => {
    const spec = modelNamed("mixtral-8x7b");
    const int4 = weightBytes(spec, { formats: { ...spec.formats, experts: "int4" } });
    expect(int4).toEqual({ ...weightBytes(spec), experts: (45_097_156_608 * 4.125) / 8 });
  });

  test("the experts of a model are its experts, one by one", () => {
    for (const id of ["mixtral-8x7b", "qwen3-235b-a22b", "gpt-oss-120b", "deepseek-v2-lite"]) {
      const spec = modelNamed(id);
      const layers = spec.layers.filter(({ feedForward }) => feedForward.kind === "moe").length;
      const one = expertBytes(moeOf(id), spec);
      expect(one * moeOf(id).experts * layers).toBe(weightBytes(spec).experts);
    }
    expect(expertBytes(moeOf("mixtral-8x7b"), modelNamed("mixtral-8x7b"))).toBe(2 * 3 * 4096 * 14336);
  });
});

describe("cache", () => {
  test("DeepSeek-V3 caches 576 values in 61 layers: 70,272 bytes a token in bf16", () => {
    expect(modelKvBytesPerToken(modelNamed("deepseek-v3"))).toBe(70_272);
    expect(modelKvBytesPerToken(modelNamed("kimi-k2"))).toBe(576 * 61 * 2);
  });

  test("grouped-query attention caches keys and values of its key-value heads", () => {
    expect(modelKvBytesPerToken(modelNamed("mixtral-8x7b"))).toBe(2 * 8 * 128 * 32 * 2);
    expect(modelKvBytesPerToken({ ...modelNamed("mixtral-8x7b"), kvFormat: "fp8" })).toBe(2 * 8 * 128 * 32);
    expect(modelKvBytesPerToken(modelNamed("qwen3-30b-a3b"))).toBe(98_304);
  });

  test("GLM-5 caches the indexer's key beside the latent", () => {
    expect(modelKvBytesPerToken(modelNamed("glm-5"))).toBe((512 + 64 + 128) * 78 * 2);
  });

  test("a windowed layer stops growing at its window", () => {
    const spec = modelNamed("gpt-oss-20b");
    const perLayer = 2 * 8 * 64 * 2;
    expect(modelKvBytesPerSequence(spec, 100)).toBe(24 * perLayer * 100);
    expect(modelKvBytesPerSequence(spec, 5000)).toBe(12 * perLayer * 5000 + 12 * perLayer * 128);
  });

  test("a linear layer holds its state whatever the context", () => {
    const linear = modelNamed("qwen3.5-397b-a17b").layers[0]?.attention ?? { kind: "none" };
    expect(linear.kind).toBe("linear");
    const values = 64 * 128 * 128 + (2 * 2048 + 8192) * 3;
    expect(kvBytesPerSequence(linear, "bf16", 1)).toBe(4 * values);
    expect(kvBytesPerSequence(linear, "bf16", 100_000)).toBe(4 * values);
    expect(kvBytesPerToken(linear, "bf16")).toBe(0);
  });

  test("DeepSeek-V4 keeps a window and one entry per 4 or 128 tokens", () => {
    const spec = modelNamed("deepseek-v4-flash");
    const [windowOnly, , selected, heavy] = spec.layers.map(({ attention }) => attention);
    if (windowOnly === undefined || selected === undefined || heavy === undefined) throw new Error("layers");
    expect(kvBytesPerSequence(windowOnly, "bf16", 4096)).toBe(128 * 512 * 2);
    expect(kvBytesPerSequence(selected, "bf16", 4096)).toBe(128 * 512 * 2 + 1024 * (512 + 128) * 2);
    expect(kvBytesPerSequence(heavy, "bf16", 4096)).toBe(128 * 512 * 2 + 32 * 512 * 2);
    expect(kvBytesPerToken(selected, "bf16")).toBe((640 * 2) / 4);
  });

  test("a longer sequence never holds less, and what a token adds bounds the growth", () => {
    const ids = Object.keys(catalogue);
    fc.assert(
      fc.property(fc.constantFrom(...ids), fc.nat(20_000), fc.nat(20_000), (id, shorter, more) => {
        const spec = modelNamed(id);
        const growth = modelKvBytesPerSequence(spec, shorter + more) - modelKvBytesPerSequence(spec, shorter);
        expect(growth).toBeGreaterThanOrEqual(0);
        const hasWindowEntries = spec.layers.some(({ attention }) => "compressed" in attention);
        if (!hasWindowEntries) expect(growth).toBeLessThanOrEqual(modelKvBytesPerToken(spec) * more);
      }),
      { numRuns: drawn(200), seed: 5 },
    );
  });

  test("fewer bits are fewer bytes", () => {
    const attention = modelNamed("mixtral-8x7b").layers[0]?.attention ?? { kind: "none" };
    for (const [name, { bitsPerValue }] of Object.entries(storageFormats))
      expect(kvBytesPerToken(attention, name as keyof typeof storageFormats)).toBe(
        Math.ceil((2 * 8 * 128 * bitsPerValue) / 8),
      );
  });
});
