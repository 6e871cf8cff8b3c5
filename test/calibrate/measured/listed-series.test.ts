import { expect, test } from "vitest";
import { listedSeries, listedSeriesOf } from "../../../src/calibrate/measured/listed-series.ts";
import { examplePoint } from "./example-point.ts";

type Change = Partial<typeof examplePoint>;

/** For each listed series a row of it, and changes that leave it. */
const rows: readonly (readonly [name: RegExp, row: Change, others: readonly Change[]])[] = [
  [
    /1\.2\.0rc6\.post3/,
    {
      model: "deepseek-ai/DeepSeek-R1",
      system: "b200_sxm",
      engine: "trtllm",
      version: "1.2.0rc6.post3",
      precision: "fp4",
    },
    [{ system: "h200_sxm" }, { engine: "vllm" }, { version: "1.2.0rc6.post2" }, { model: "openai/gpt-oss-120b" }],
  ],
  [
    /1\.1\.0rc2\.post2/,
    {
      model: "deepseek-ai/DeepSeek-R1",
      system: "b200_sxm",
      engine: "trtllm",
      version: "1.1.0rc2.post2",
      measured: "2026-01-14",
    },
    [{ measured: "2025-12-15" }, { measured: null }],
  ],
  [
    /DeepSeek-R1 fp8 TP8/,
    { model: "deepseek-ai/DeepSeek-R1", system: "b200_sxm", engine: "sglang", version: "0.5.9", tp: 8, dp: 1 },
    [{ tp: 4 }, { precision: "fp4" }, { system: "h200_sxm" }, { model: "deepseek-ai/DeepSeek-V3" }],
  ],
  [
    /Qwen3\.5-397B/,
    { model: "Qwen/Qwen3.5-397B-A17B", system: "b200_sxm", engine: "sglang", version: "0.5.9", tp: 4, etp: 4 },
    [{ etp: 1 }, { tp: 8 }, { precision: "bf16" }],
  ],
  [
    /DeepSeek-R1-NVFP4/,
    { model: "nvidia/DeepSeek-R1-NVFP4", engine: "trtllm", version: "1.3.0rc1" },
    [{ model: "deepseek-ai/DeepSeek-R1" }, { version: "1.3.0rc5" }],
  ],
  [
    /DeepSeek-V3\.1-NVFP4/,
    { model: "nvidia/DeepSeek-V3.1-NVFP4", engine: "trtllm", version: "1.3.0rc5" },
    [{ version: "1" }],
  ],
  [
    /gpt-oss-120b, TensorRT-LLM 1\.3\.0rc1, H100/,
    { model: "openai/gpt-oss-120b", system: "h100_sxm", engine: "trtllm", version: "1.3.0rc1" },
    [{ system: "b200_sxm" }],
  ],
  [
    /development build/,
    { model: "openai/gpt-oss-120b", system: "h200_sxm", engine: "trtllm", version: "gpt-oss-dev" },
    [{ engine: "vllm" }],
  ],
  [/single rows/, { engine: "tensorrt_llm", version: "1.2.0rc6.post1" }, [{ version: "1.2.0rc6" }]],
  [
    /prefill about ten times slow/,
    { model: "deepseek-ai/DeepSeek-V3", system: "b300_sxm", engine: "sglang", version: "0.5.10.post1" },
    [{ system: "h200_sxm" }, { version: "0.5.9" }],
  ],
];

test("each listed series takes its rows and no others", () => {
  expect(rows).toHaveLength(listedSeries.length);
  for (const [name, row, others] of rows) {
    expect(listedSeriesOf({ ...examplePoint, ...row })).toMatch(name);
    for (const other of others) expect(listedSeriesOf({ ...examplePoint, ...row, ...other })).toBeNull();
  }
});

test("the list never looks at results or at the place in the file", () => {
  for (const [name, row] of rows) {
    const elsewhere = { ttftMs: null, tpotMs: 1e6, file: "other.csv", line: 99, concurrency: 1, promptTokens: 1 };
    expect(listedSeriesOf({ ...examplePoint, ...row, ...elsewhere })).toMatch(name);
  }
  expect(listedSeriesOf(examplePoint)).toBeNull();
});
