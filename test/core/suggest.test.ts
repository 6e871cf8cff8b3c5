import { describe, expect, test } from "vitest";
import { closest } from "../../src/core/suggest.ts";

const types = [
  "deepseek",
  "deepseek_v2",
  "deepseek_v3",
  "deepseek_v4",
  "gemma4",
  "glm4_moe",
  "granitemoe",
  "granitemoeshared",
  "kimi_k2",
  "llama",
  "llama4",
  "llama_moe",
  "minimax_m2",
  "mistral",
  "mixtral",
  "olmoe",
  "phimoe",
  "qwen2",
  "qwen2_moe",
  "qwen3",
  "qwen3_5_moe",
  "qwen3_moe",
  "qwen3_next",
];
const models = ["mixtral-8x7b", "mixtral-8x22b", "qwen3-30b-a3b", "qwen3-235b-a22b", "gpt-oss-20b", "gpt-oss-120b"];
const systems = ["h100-sxm-8", "h100-pcie", "h200-sxm-8", "gb200-nvl72", "gb300-nvl72", "mi300x-8", "rtx-4090"];
const engines = ["vllm", "vllm-rocm", "sglang", "trtllm"];
const metrics = ["ttft", "tpot", "itl", "e2e", "goodput", "queueTime", "outputThroughput"];
const keys = [
  "maxNumSeqs",
  "maxNumBatchedTokens",
  "enablePrefixCaching",
  "gpuMemoryUtilization",
  "queryHeads",
  "kvHeads",
  "topK",
];
const policies = ["roundRobin", "leastLoaded", "prefixAware", "lru", "lfu", "belady", "contiguous"];
const formats = ["fp32", "fp16", "bf16", "fp8", "fp8_block", "int8", "int4", "mxfp4", "nvfp4"];
const commands = ["run", "plan", "place", "report", "compare"];

describe("meant", () => {
  test.each<[string, string, readonly string[]]>([
    ["plam", "plan", commands],
    ["kimi-k2.5-eagle", "kimi-k2.5-eagle3", ["kimi-k2.5-eagle3", "kimi-k2.5-eagle3-no-thinking"]],
    ["ru", "run", commands],
    ["RPEORT", "report", commands],
    ["comapre", "compare", commands],
    ["mixtrel", "mixtral", types],
    ["Mixtral", "mixtral", types],
    ["glm4_moe_v2", "glm4_moe", types],
    ["deepseek_v4_v2", "deepseek_v4", types],
    ["kimi_k2_5", "kimi_k2", types],
    ["qwen3moe", "qwen3_moe", types],
    ["qwen3-next", "qwen3_next", types],
    ["granitemoesahred", "granitemoeshared", types],
    ["mixtral-8x7", "mixtral-8x7b", models],
    ["mixtral-8x7b-v0.1", "mixtral-8x7b", models],
    ["Qwen3-30B-A3B", "qwen3-30b-a3b", models],
    ["qwen3-30b", "qwen3-30b-a3b", models],
    ["h100_sxm_8", "h100-sxm-8", systems],
    ["gb200", "gb200-nvl72", systems],
    ["vlm", "vllm", engines],
    ["sg-lang", "sglang", engines],
    ["ttf", "ttft", metrics],
    ["tpto", "tpot", metrics],
    ["good_put", "goodput", metrics],
    ["queue_time", "queueTime", metrics],
    ["max_num_seqs", "maxNumSeqs", keys],
    ["max-num-batched-tokens", "maxNumBatchedTokens", keys],
    ["queryHead", "queryHeads", keys],
    ["enablePrefixCachin", "enablePrefixCaching", keys],
    ["round-robin", "roundRobin", policies],
    ["bealdy", "belady", policies],
    ["fp8-block", "fp8_block", formats],
    ["pf8", "fp8", formats],
    ["cvs", "csv", ["counts", "csv"]],
    ["foo", "for", ["slo", "for"]],
  ])("%s is %s", (word, meant, candidates) => {
    expect(closest(word, candidates)).toBe(meant);
  });
});

describe("not meant", () => {
  test.each<[string, readonly string[]]>([
    ["afmoe", types],
    ["granitemoehybrid", types],
    ["kimi_vl", types],
    ["qwen3_omni_moe", types],
    ["qwen4_moe", types],
    ["deepseek_ocr", types],
    ["bailing_moe", types],
    ["exaone_moe", types],
    ["dbrx", types],
    ["gpt-oss-240b", models],
    ["h20-sxm-8", systems],
    ["b200-hgx", systems],
    ["tgi", engines],
    ["lmdeploy", engines],
    ["latency", metrics],
    ["p99", metrics],
    ["tensorParallelSize", keys],
    ["fp9", formats],
    ["e2e.p98", ["e2e.p90", "e2e.p99"]],
    ["int5", formats],
    ["random", policies],
    ["quantisation", commands],
    ["x", commands],
    ["foo", ["slo", "max"]],
    ["qwen3", ["qwen3-30b-a3b", "qwen3-235b-a22b"]],
    ["run", []],
  ])("%s", (word, candidates) => {
    expect(closest(word, candidates)).toBeNull();
  });

  test("a word too long to be a slip", () => {
    expect(closest("r".repeat(1e6), commands)).toBeNull();
  });
});

test("of equally near words the first wins", () => {
  expect(closest("plac", ["plan", "place", "plat"])).toBe("plan");
});
