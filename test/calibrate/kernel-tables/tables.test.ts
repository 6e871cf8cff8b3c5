import { expect, test } from "vitest";
import type { KernelSample } from "../../../src/calibrate/kernel-tables/kernel-sample.ts";
import { KernelTable } from "../../../src/calibrate/kernel-tables/kernel-table.ts";
import type { KernelTableReader } from "../../../src/calibrate/kernel-tables/kernel-table-reader.ts";
import { listedKernel } from "../../../src/calibrate/kernel-tables/listed-kernels.ts";
import { communicationTable, customAllReduceTable } from "../../../src/calibrate/kernel-tables/readers/collective.ts";
import {
  lowLatencyExchangeTable,
  normalExchangeTable,
  nvlinkExchangeTable,
} from "../../../src/calibrate/kernel-tables/readers/exchange.ts";
import {
  expertTable,
  shapedExpertTable,
  wideEpTable,
} from "../../../src/calibrate/kernel-tables/readers/grouped-gemm.ts";
import { ProblemList } from "../../../src/calibrate/measured/problem-list.ts";
import { InvalidInputError } from "../../../src/core/errors.ts";

/** Samples of CSV lines under a header, as a file of that name would give them. */
function read(reader: KernelTableReader, file: string, header: string, ...lines: string[]): KernelSample[] {
  const names = header.split(",");
  const rows = lines.map((line) => Object.fromEntries(line.split(",").map((cell, i) => [names[i] ?? "", cell])));
  const problems = new ProblemList(file);
  const samples = reader.read(new KernelTable(file, rows, problems));
  problems.settle();
  return samples;
}

function problemsOf(reader: KernelTableReader, file: string, header: string, ...lines: string[]) {
  try {
    read(reader, file, header, ...lines);
  } catch (error) {
    if (error instanceof InvalidInputError) return error.problems;
    throw error;
  }
  return [];
}

const condensed = "model,kernel,dtype,tokens,tp,ep,dist,ms";
const file = "/tables/h200_sxm__trtllm-1.3.csv.gz";

test("a row of expert kernels becomes the work of the rank it times", () => {
  const [sample] = read(expertTable, file, condensed, "qwen3_30b_a3b,cutlass,fp8_block,64,2,8,balanced,0.05");
  expect(sample).toMatchObject({ device: "h200-sxm", engine: "tensorrt-llm", version: "1.3", ns: 50_000 });
  expect(sample).toMatchObject({ shape: "qwen3_30b_a3b tp2 ep8", row: 1 });
  expect(sample?.op).toEqual({
    kind: "groupedGemm",
    // 64 tokens x 8 experts over 8 ranks, all 16 experts of a rank touched.
    pairs: 64,
    distinctExperts: 16,
    presentedPairs: 512,
    parametersPerExpert: 3 * 2048 * 384,
    shardWidth: 384,
    valuesPerPair: 2 * 2048 + 3 * 384,
    weightFormat: "fp8_block",
    math: "fp8",
  });
});

test("weight-only formats multiply as bf16", () => {
  const formats = ["int4_wo", "w4a16_mxfp4", "nvfp4"];
  const samples = read(
    expertTable,
    file,
    condensed,
    ...formats.map((dtype) => `kimi_k2,cutlass,${dtype},16,1,1,balanced,0.3`),
  );
  expect(samples.map(({ op }) => (op.kind === "groupedGemm" ? [op.weightFormat, op.math] : []))).toEqual([
    ["int4", "bf16"],
    ["mxfp4", "bf16"],
    ["nvfp4", "fp4"],
  ]);
});

test("of mxfp4 rows with 8-bit and with 16-bit activations those with 8 bits are read", () => {
  const line = (dtype: string, ms: number) => `gptoss_20b,trtllm,${dtype},16,1,1,balanced,${ms}`;
  const samples = read(expertTable, file, condensed, line("w4a16_mxfp4", 0.3), line("w4a8_mxfp4_mxfp8", 0.2));
  expect(samples.map(({ ns }) => ns)).toEqual([200_000]);
});

test("a skewed row is timed on a rank with more pairs than a balanced one", () => {
  const [balanced, skewed] = read(
    expertTable,
    file,
    condensed,
    "minimax_m2,cutlass,fp8_block,2048,1,32,balanced,1",
    "minimax_m2,cutlass,fp8_block,2048,1,32,power_law_1.2,2",
  );
  const pairs = (sample: KernelSample | undefined) => (sample?.op.kind === "groupedGemm" ? sample.op.pairs : NaN);
  expect(pairs(balanced)).toBe((2048 * 8) / 32);
  expect(pairs(skewed)).toBeGreaterThan(1.5 * pairs(balanced));
});

test("rows of vLLM and SGLang with DeepSeek-V3's grouped router are left out, those of TensorRT-LLM read", () => {
  const line = "dsv3_r1,triton,fp8_block,64,1,1,balanced,1.4";
  expect(read(expertTable, "h200_sxm__sglang-0.5.csv", condensed, line)).toEqual([]);
  expect(read(expertTable, "h200_sxm__vllm-0.9.csv", condensed, line)).toEqual([]);
  expect(read(expertTable, file, condensed, line)).toHaveLength(1);
});

test("of tables from before balanced loads, batches with fewer pairs than experts are read on one rank only", () => {
  const lines = ["64,1,1", "4,1,8", "4,1,1", "64,1,8"].map((cells) => `kimi_k2,cutlass,fp8,${cells},power_law_1.2,0.1`);
  const rowsRead = (...extra: string[]) => read(expertTable, file, condensed, ...lines, ...extra).map(({ row }) => row);
  expect(rowsRead()).toEqual([1, 3, 4]);
  expect(rowsRead("kimi_k2,cutlass,fp8,4,1,8,balanced,0.1")).toEqual([1, 2, 3, 4, 5]);
});

test("bad cells are named with file, row and column, all of them", () => {
  const problems = problemsOf(
    expertTable,
    file,
    condensed,
    "qwen3_30b_a3,cutlass,fp8,64,1,1,balanced,0.05",
    "kimi_k2,cutlass,pf8,64,1,1,balanced,0.05",
    "kimi_k2,cutlass,fp8,64,1,5,balanced,0.05",
    "kimi_k2,cutlass,fp8,64,1,1,zipf,0.05",
    "kimi_k2,cutlass,fp8,64,1,1,balanced,-1",
  );
  expect(problems.map(({ file: from, at }) => `${from}: ${at}`)).toEqual([
    `${file}: row 1, model`,
    `${file}: row 2, dtype`,
    `${file}: row 3, ep`,
    `${file}: row 4, dist`,
    `${file}: row 5, ms`,
  ]);
  expect(problems[0]?.hint).toContain("qwen3_30b_a3b");
  expect(problems[1]?.hint).toContain("fp8");
});

test("a condensed table has to say in its name what was measured", () => {
  const line = "kimi_k2,cutlass,fp8,64,1,1,balanced,0.05";
  expect(problemsOf(expertTable, "experts.csv", condensed, line)[0]?.expected).toContain("<system>__<engine>");
});

const shaped =
  "framework,version,device,op_name,kernel_source,moe_dtype,num_tokens,hidden_size,inter_size,topk,num_experts,moe_tp_size,moe_ep_size,distribution,latency";

test("tables with shapes in columns give the same work as condensed ones", () => {
  const [full] = read(
    shapedExpertTable,
    "moe_perf.csv",
    shaped,
    "TRTLLM,1.3,NVIDIA H200,moe,cutlass,fp8_block,64,2048,768,8,128,2,8,balanced,0.05",
    "TRTLLM,1.3,NVIDIA H200,wideep_moe,cutlass,fp8_block,64,2048,768,8,128,2,8,balanced,0.05",
  );
  const [short] = read(expertTable, file, condensed, "qwen3_30b_a3b,cutlass,fp8_block,64,2,8,balanced,0.05");
  expect(full?.op).toEqual(short?.op);
  expect(full?.device).toBe(short?.device);
});

test("rows with EPLB carry the load after replication and placement", () => {
  const row = (distribution: string, slots: number) =>
    `TRTLLM,1.3,NVIDIA H200,wideep_moe,wideep_compute_cutlass,fp8_block,4096,7168,2048,8,256,1,32,${distribution},1,${slots}`;
  const samples = read(
    wideEpTable,
    "wideep.csv",
    `${shaped},num_slots`,
    row("power_law_1.2", 256),
    row("power_law_1.2_eplb", 256),
    row("power_law_1.2_eplb", 288),
  );
  const pairs = samples.map(({ op }) => (op.kind === "groupedGemm" ? op.pairs : NaN));
  expect(pairs).toEqual(pairs.toSorted((a, b) => b - a));
  expect(pairs.at(-1)).toBeGreaterThanOrEqual((4096 * 8) / 32);
  expect(pairs[0]).toBeGreaterThan(1.3 * (pairs[1] ?? NaN));
});

const nccl = "framework,version,device,op_name,kernel_source,nccl_dtype,num_gpus,message_size,latency";

test("message sizes count elements; an all-to-all keeps a rank's own part", () => {
  const samples = read(
    communicationTable,
    "nccl.csv",
    nccl,
    "TRTLLM,2.29.2,NVIDIA H200,all_reduce,NCCL,half,8,1024,0.018",
    "TRTLLM,2.29.2,NVIDIA H200,all_gather,NCCL,int8,8,1024,0.012",
    "TRTLLM,2.29.2,NVIDIA H200,alltoall,NCCL,half,4,1024,0.009",
  );
  expect(samples.map(({ op }) => op)).toEqual([
    { kind: "allReduce", bytes: 2048, ranks: 8, ranksPerNode: 8 },
    { kind: "allGather", bytes: 1024, ranks: 8, ranksPerNode: 8 },
    { kind: "allToAll", bytes: 1536, ranks: 4, ranksPerNode: 4 },
  ]);
  expect(samples.map(({ engine }) => engine)).toEqual(["nccl", null, null]);
});

const custom = "framework,version,device,op_name,kernel_source,allreduce_dtype,num_gpus,message_size,latency";

test("an engine's all-reduce is that of its CUDA graphs, where the table has any", () => {
  const graph = "vLLM,0.24,NVIDIA H200,all_reduce,vLLM_custom_graph,bfloat16,2,128,0.004";
  const eager = "vLLM,0.24,NVIDIA H200,all_reduce,vLLM_custom_eager,bfloat16,2,128,0.02";
  expect(read(customAllReduceTable, "a.csv", custom, eager, graph).map(({ ns }) => ns)).toEqual([4000]);
  expect(read(customAllReduceTable, "a.csv", custom, eager).map(({ ns }) => ns)).toEqual([20_000]);
});

test("all-reduces of vLLM on GB200 are another kernel than its relatives'", () => {
  const listed = (engine: string, device: string) => {
    const row = `${engine},0.24.0,${device},all_reduce,graph,bfloat16,2,128,0.004`;
    return read(customAllReduceTable, "a.csv", custom, row).map(listedKernel);
  };
  expect(listed("vLLM", "NVIDIA GB200")).toEqual([expect.stringContaining("another all-reduce")]);
  expect(listed("vLLM", "NVIDIA GB300")).toEqual([null]);
  expect(listed("SGLang", "NVIDIA GB200")).toEqual([null]);
});

const deepEp = "framework,version,device,op_name,kernel_source,node_num,hidden_size,num_token,num_topk,num_experts";

test("a DeepEP row is a dispatch in fp8 with its scales and a combine in bf16", () => {
  const samples = read(
    lowLatencyExchangeTable,
    "ll.csv",
    `${deepEp},combine_avg_t_us,dispatch_avg_t_us`,
    "sglang,0.5,NVIDIA H100,ll,deepep,2,7168,128,8,256,186,102",
  );
  expect(samples.map(({ family, ns }) => [family, ns])).toEqual([
    ["dispatchLowLatency", 102_000],
    ["combineLowLatency", 186_000],
  ]);
  expect(samples[0]?.op).toEqual({
    kind: "dispatch",
    library: "deepep",
    mode: "lowLatency",
    tokens: 128,
    hidden: 7168,
    topK: 8,
    experts: 256,
    ranks: 16,
    ranksPerNode: 8,
    bytesPerValue: 1.03125,
  });
});

test("normal mode is read at DeepEP's default of 20 SMs, without the wait for other ranks", () => {
  const samples = read(
    normalExchangeTable,
    "normal.csv",
    `${deepEp},dispatch_sms,dispatch_transmit_us,dispatch_notify_us,combine_sms,combine_transmit_us,combine_notify_us`,
    "sglang,0.5,NVIDIA H200,normal,deepep,1,7168,4096,8,256,20,494,7,20,996,9",
    "sglang,0.5,NVIDIA H200,normal,deepep,1,7168,4096,8,256,4,2056,7,4,3915,9",
  );
  expect(samples.map(({ family, ns }) => [family, ns])).toEqual([
    ["dispatchNormal", 494_000],
    ["combineNormal", 996_000],
  ]);
});

test("of TensorRT-LLM's NVLink all-to-all the one-sided kernels at full precision are read", () => {
  const header =
    "framework,version,device,op_name,kernel_source,moe_dtype,num_tokens,hidden_size,topk,num_experts,moe_ep_size,distribution,latency";
  const line = (op: string, kernel: string) =>
    `TRTLLM,1.2,NVIDIA GB200,${op},${kernel},nvfp4,128,7168,8,256,16,balanced,0.02`;
  const samples = read(
    nvlinkExchangeTable,
    "nvlink.csv",
    header,
    line("alltoall_dispatch", "NVLinkOneSided"),
    line("alltoall_dispatch", "NVLinkTwoSided"),
    line("alltoall_prepare", "NVLinkTwoSided"),
    line("alltoall_combine", "NVLinkOneSided"),
    line("alltoall_combine_low_precision", "NVLinkTwoSided"),
  );
  expect(samples.map(({ op }) => op)).toMatchObject([
    { kind: "dispatch", library: "nvlink", ranks: 16, ranksPerNode: 16, bytesPerValue: 0.5625 },
    { kind: "combine", bytesPerValue: 2 },
  ]);
});

test("experts of SGLang whose tokens DeepEP sent are kernels of their own, read where the load is even", () => {
  const header =
    "framework,version,device,op_name,kernel_source,moe_dtype,num_tokens,hidden_size,inter_size,topk,num_experts,moe_tp_size,moe_ep_size,distribution,latency";
  const line = (op: string, tokens: number, load: string) =>
    `SGLang,0.5.10,NVIDIA H100 80GB HBM3,${op},deepepmoe,fp8_block,${tokens},7168,2048,8,256,1,32,${load},0.5`;
  const samples = read(
    shapedExpertTable,
    "wideep.csv",
    header,
    line("moe_context", 16384, "uniform"),
    // Fewer than 256 rows of an expert.
    line("moe_context", 4096, "uniform"),
    line("moe_context", 16384, "power_law_1.2"),
    line("moe_generation", 4096, "uniform"),
    line("moe_generation", 4096, "power_law_1.2"),
  );
  expect(samples.map(({ family }) => family)).toEqual(["sentExpertsContiguous", "sentExpertsMasked"]);
  expect(samples[0]?.op).toMatchObject({
    sent: "contiguous",
    pairs: 4096,
    distinctExperts: 8,
    presentedPairs: 131_072,
  });
  expect(samples[1]?.op).toMatchObject({ sent: "masked", pairs: 1024, distinctExperts: 8 });
});

test("series spoiled by a kernel choice are told by engine, model and format alone", () => {
  const sample = (line: string, name = file) => read(expertTable, name, condensed, line)[0] as KernelSample;
  expect(listedKernel(sample("llama4_scout,cutlass,bfloat16,1,1,1,balanced,9"))).not.toBeNull();
  expect(listedKernel(sample("llama4_scout,cutlass,fp8_block,1,1,1,balanced,9"))).toBeNull();
  expect(listedKernel(sample("mixtral_8x7b,cutlass,bfloat16,1,1,1,balanced,9"))).toBeNull();
  expect(listedKernel(sample("llama4_scout,triton,bfloat16,1,1,1,balanced,9", "h200_sxm__vllm-1.csv"))).toBeNull();
  const slow = "mixtral_8x7b,vllm_modeloptfp8moe_flashinfer_cutlass_flashinferexperts,fp8,1,1,1,balanced,9";
  expect(listedKernel(sample(slow, "h200_sxm__vllm-1.csv"))).not.toBeNull();
  expect(listedKernel(sample(slow, "rtx_pro_6000_server__vllm-1.csv"))).toBeNull();
  const widened = "gptoss_20b,sglang_fused_moe_triton,w4a16_mxfp4,1,1,1,balanced,9";
  expect(listedKernel(sample(widened, "h100_sxm__sglang-1.csv"))).not.toBeNull();
  for (const other of ["moe_torch_flow_cutlass,nvfp4", "deepgemm,fp8_block"]) {
    const row = `qwen3_235b,${other},1,8,1,balanced,9`;
    expect(listedKernel(sample(row, "b200_sxm__trtllm-1.csv"))).toContain("another back end");
    expect(listedKernel(sample(row, "h200_sxm__trtllm-1.csv"))).toBeNull();
    expect(listedKernel(sample(row, "b200_sxm__sglang-1.csv"))).toBeNull();
  }
});
