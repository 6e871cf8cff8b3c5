import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { gatherSamples } from "../../../src/calibrate/kernel-tables/gather-samples.ts";
import { mergeRepeats } from "../../../src/calibrate/kernel-tables/merge-repeats.ts";
import { kernelSamplesOf, readKernelSamples } from "../../../src/calibrate/kernel-tables/read-samples.ts";
import { visiblePairs } from "../../../src/calibrate/kernel-tables/readers/attention.ts";
import { InvalidInputError } from "../../../src/core/errors.ts";
import { parquetBytes } from "./parquet-bytes.ts";

const common = {
  framework: "VLLM",
  version: "0.24.0",
  device: "NVIDIA H200",
  op_name: "gemm",
  kernel_source: "kernel",
  latency: 0.0125,
};
const gemmRow = { ...common, gemm_dtype: "fp8_block", m: 16, n: 2048, k: 7168 };
const attentionRow = {
  ...common,
  op_name: "generation_attention",
  batch_size: 4,
  isl: 1,
  num_heads: 32,
  num_key_value_heads: 8,
  head_dim: 128,
  attn_dtype: "bfloat16",
  kv_cache_dtype: "fp8",
  step: 1023,
  window_size: 0,
};
const latentRow = {
  ...common,
  framework: "SGLang",
  op_name: "mla_context",
  mla_dtype: "bfloat16",
  kv_cache_dtype: "bfloat16",
  num_heads: 16,
  batch_size: 2,
  isl: 100,
  tp_size: 8,
  step: 0,
};
const columnsOf = (rows: readonly Record<string, string | number>[]) =>
  Object.fromEntries(Object.keys(rows[0] ?? {}).map((name) => [name, rows.map((row) => row[name] ?? "")]));

describe("a row becomes the operation it timed", () => {
  test("dense products take m, n and k", () => {
    expect(kernelSamplesOf([gemmRow], "gemm.csv")).toEqual([
      {
        family: "gemm",
        op: { kind: "gemm", tokens: 16, inputWidth: 7168, outputWidth: 2048, weightFormat: "fp8_block", math: "fp8" },
        ns: 12_500,
        device: "h200-sxm",
        engine: "vllm",
        version: "0.24.0",
        kernel: "kernel",
        shape: "fp8_block n2048 k7168",
        file: "gemm.csv",
        row: 1,
      },
    ]);
  });

  test("a decoded token reads the cached ones and itself", () => {
    const [sample] = kernelSamplesOf([attentionRow], "a");
    expect(sample).toMatchObject({
      family: "attentionDecode",
      op: { sequences: 4, queryTokens: 4, scorePairs: 4096, cacheTokens: 4096, heads: 32, kvHeads: 8 },
    });
    // Key and value of 8 heads of 128 in one byte each.
    expect(sample?.op).toMatchObject({ cacheBytesPerToken: 2048, widthPerPair: 256, cacheFormat: "fp8" });
  });

  test("a window bounds the keys that a decoded token reads", () => {
    const [sample] = kernelSamplesOf([{ ...attentionRow, window_size: 128 }], "a");
    expect(sample?.op).toMatchObject({ scorePairs: 4 * 128, cacheTokens: 4 * 128 });
  });

  test("a prompt sees half of the square of its length", () => {
    const prompt = { ...attentionRow, op_name: "context_attention", isl: 100, step: 0 };
    expect(kernelSamplesOf([prompt], "a")[0]).toMatchObject({
      family: "attentionPrefill",
      op: { sequences: 4, queryTokens: 400, scorePairs: 4 * 5050, cacheTokens: 400 },
    });
  });

  test("latent attention is expanded in prefill and absorbed in decode", () => {
    expect(kernelSamplesOf([latentRow], "a")[0]).toMatchObject({
      family: "latentPrefill",
      engine: "sglang",
      op: { latent: true, heads: 16, widthPerPair: 320, scorePairs: 2 * 5050, cacheBytesPerToken: 1152 },
    });
    expect(kernelSamplesOf([{ ...latentRow, op_name: "mla_generation", isl: 1, step: 99 }], "a")[0]).toMatchObject({
      family: "latentDecode",
      op: { widthPerPair: 1088, cacheTokens: 200 },
    });
  });

  test("keys seen are counted one by one", () => {
    for (const [cached, tokens, window] of [
      [0, 7, Infinity],
      [5, 3, 4],
      [0, 10, 3],
      [100, 1, 16],
    ] as const) {
      let pairs = 0;
      for (let position = cached; position < cached + tokens; position++) pairs += Math.min(position + 1, window);
      expect(visiblePairs(cached, tokens, window)).toBe(pairs);
    }
  });
});

test("repeated measurements of a kernel become their median", () => {
  const rows = [0.01, 0.05, 0.02].map((latency) => ({ ...gemmRow, latency }));
  const merged = mergeRepeats(kernelSamplesOf([...rows, { ...gemmRow, m: 17 }], "a"));
  expect(merged.map(({ ns }) => ns)).toEqual([20_000, 12_500]);
});

describe("tables that cannot be used", () => {
  const problemsOf = (rows: Record<string, unknown>[]) => {
    try {
      kernelSamplesOf(rows, "table.csv");
      return [];
    } catch (error) {
      if (!(error instanceof InvalidInputError)) throw error;
      return error.problems;
    }
  };

  test("a missing column is named with the layout that lacks it", () => {
    const { k: _, ...rest } = gemmRow;
    expect(problemsOf([{ ...rest, kk: 1 }])).toMatchObject([{ expected: 'a column "k" of a table of dense products' }]);
  });

  test("every bad cell is named by row and column", () => {
    expect(
      problemsOf([{ ...gemmRow, latency: -1 }, gemmRow, { ...gemmRow, m: "many", gemm_dtype: "pf8" }]),
    ).toMatchObject([
      { at: "row 1, latency", expected: "a number above 0", found: -1 },
      { at: "row 3, gemm_dtype", found: "pf8", hint: "did you mean fp8?" },
      { at: "row 3, m", expected: "a number above 0" },
    ]);
  });

  test("an operation that is neither context nor generation is refused", () => {
    expect(problemsOf([{ ...attentionRow, op_name: "attention" }])).toMatchObject([{ at: "row 1, op_name" }]);
  });
});

describe("files", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "kernels-"));
    await writeFile(join(folder, "gemm.parquet"), parquetBytes(columnsOf([gemmRow, { ...gemmRow, m: 32 }])));
    await writeFile(join(folder, "attention.parquet"), parquetBytes(columnsOf([attentionRow])));
    await writeFile(join(folder, "notes.csv"), "subject,text\na,b\n");
    await writeFile(join(folder, "h100_sxm__broken.csv"), "not a table");
    await writeFile(join(folder, "broken.parquet.txt"), "no table name");
    await writeFile(join(folder, "cut.parquet.bak"), "");
  });
  afterAll(() => rm(folder, { recursive: true }));

  test("a Parquet table gives the samples of its rows", async () => {
    const rows = [gemmRow, { ...gemmRow, m: 32 }];
    const file = join(folder, "gemm.parquet");
    expect(await readKernelSamples(file)).toEqual(kernelSamplesOf(rows, file));
  });

  test("a file that is no Parquet is refused by name", async () => {
    const file = join(folder, "cut.parquet");
    await writeFile(file, "PAR1 but nothing else");
    await expect(readKernelSamples(file)).rejects.toThrow(/cut\.parquet: expected a Parquet file/);
    await rm(file);
  });

  test("a folder gives the kernels of one device; other tables are skipped, files of other devices not opened", async () => {
    const found = await gatherSamples([folder], { device: "h200-sxm" });
    expect(found.samples.map(({ family }) => family)).toEqual(["attentionDecode", "gemm", "gemm"]);
    expect(found.skipped).toEqual([join(folder, "notes.csv")]);
    const none = await gatherSamples([folder], { device: "b200-sxm" });
    expect(none.samples).toEqual([]);
  });

  test("a file named by the user has to be a kernel table", async () => {
    await expect(gatherSamples([join(folder, "notes.csv")], { device: "h200-sxm" })).rejects.toThrow(InvalidInputError);
    await expect(gatherSamples([join(folder, "absent")], { device: "h200-sxm" })).rejects.toThrow(
      "a file or folder that exists",
    );
  });
});
