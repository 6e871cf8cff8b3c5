import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { kernelSamplesOf, readKernelSamples } from "../../../src/calibrate/kernel-tables/read-samples.ts";
import { kernelTableReaders } from "../../../src/calibrate/kernel-tables/readers.ts";

const described = {
  gpu: "NVIDIA RTX PRO 6000 Blackwell Server Edition",
  vllm_version: "0.19.0",
  model: "Qwen/Qwen3-30B-A3B-Instruct-2507",
};
const common = { device: "rtx-pro-6000", engine: "vllm", version: "0.19.0", file: "t.csv", row: 1 };
const samplesOf = (row: Record<string, string | number>) => kernelSamplesOf([{ ...described, ...row }], "t.csv");

describe("a row of a layer profile becomes the operation of the model's shape", () => {
  test("projections around attention: 32 query and 4 KV heads of 128 on hidden 2,048", () => {
    const gemm = { kind: "gemm", tokens: 16, weightFormat: "bf16", math: "bf16" };
    expect(samplesOf({ layer: "qkv_proj", tokens: 16, time_us: 14.5 })).toEqual([
      {
        ...common,
        ns: 14_500,
        family: "gemm",
        kernel: "qkv_proj",
        op: { ...gemm, inputWidth: 2048, outputWidth: 40 * 128 },
        shape: "bf16 n5120 k2048",
      },
    ]);
    expect(samplesOf({ layer: "o_proj", tokens: 16, time_us: 9 })[0]?.op).toEqual({
      ...gemm,
      inputWidth: 4096,
      outputWidth: 2048,
    });
  });

  test("the LM head by sequences; samplers, norms and embeddings stand for no operation", () => {
    expect(samplesOf({ layer: "lm_head", sequences: 8, time_us: 400 })[0]?.op).toMatchObject({
      kind: "gemm",
      tokens: 8,
      inputWidth: 2048,
      outputWidth: 151_936,
    });
    expect(samplesOf({ layer: "sampler", sequences: 8, time_us: 13 })).toEqual([]);
    expect(samplesOf({ layer: "layernorm", tokens: 8, time_us: 2 })).toEqual([]);
  });

  const attentionRow = { prefill_chunk: 0, kv_prefill: 0, n_decode: 0, kv_decode: 0, time_us: 12 };

  test("a chunk of a prompt sees what is cached and itself up to each token", () => {
    const [sample] = samplesOf({ ...attentionRow, prefill_chunk: 3, kv_prefill: 10 });
    expect(sample).toMatchObject({
      family: "attentionPrefill",
      op: { sequences: 1, queryTokens: 3, scorePairs: 11 + 12 + 13, cacheTokens: 13, heads: 32, kvHeads: 4 },
    });
  });

  test("decodes read their keys, 2 KiB a token; a mixed step is left out", () => {
    const [sample] = samplesOf({ ...attentionRow, n_decode: 4, kv_decode: 100 });
    expect(sample).toMatchObject({
      family: "attentionDecode",
      op: { sequences: 4, queryTokens: 4, scorePairs: 400, cacheTokens: 400, cacheBytesPerToken: 2048 },
    });
    expect(samplesOf({ ...attentionRow, prefill_chunk: 16, n_decode: 4, kv_decode: 100 })).toEqual([]);
  });

  test("experts: top-8 pairs over those that fire, 9.4 MB each in bf16", () => {
    const [sample] = samplesOf({ tokens: 64, activated_experts: 32, time_us: 235 });
    expect(sample).toMatchObject({
      family: "groupedGemm",
      op: { pairs: 512, distinctExperts: 32, presentedPairs: 512, parametersPerExpert: 4_718_592, shardWidth: 768 },
    });
  });

  test("a model outside the catalogue is a problem that names it", () => {
    expect(() => samplesOf({ model: "Some/Model-7B", tokens: 1, activated_experts: 8, time_us: 50 })).toThrow(
      "a model of the catalogue",
    );
  });

  test("shapes hold everything but the batch", () => {
    const shape = (row: Record<string, number>) => samplesOf({ ...attentionRow, ...row })[0]?.shape;
    expect(shape({ n_decode: 4, kv_decode: 100 })).toBe(shape({ n_decode: 8, kv_decode: 100 }));
    expect(shape({ n_decode: 4, kv_decode: 100 })).not.toBe(shape({ n_decode: 4, kv_decode: 200 }));
  });
});

describe("what the description beside a table says holds for all its rows", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "moecast-profile-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test("device, version and model; nested keys of the same name do not count", async () => {
    const meta = [
      "gpu: NVIDIA H100 80GB HBM3",
      "model: 'Qwen/Qwen3-30B-A3B'",
      "engine_effective:",
      "  model: (generated dummy checkpoint)",
      '  vllm_version: "none"',
      'vllm_version: "0.18.1"',
    ];
    const file = join(folder, "moe.csv");
    await writeFile(file, "tokens,activated_experts,time_us\n2,16,135\n");
    await expect(readKernelSamples(file)).rejects.toThrow();
    await writeFile(join(folder, "meta.yaml"), `${meta.join("\n")}\n`);
    const [sample] = await readKernelSamples(file);
    expect(sample).toMatchObject({ device: "h100-sxm", version: "0.18.1", family: "groupedGemm" });
  });

  test("no reader takes the tables of another", () => {
    const profiled = kernelTableReaders.filter(({ columns }) => columns.includes("vllm_version"));
    for (const a of profiled)
      for (const b of profiled)
        if (a !== b) expect(a.columns.every((column) => b.columns.includes(column))).toBe(false);
  });
});
