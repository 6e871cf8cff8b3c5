import { describe, expect, test } from "vitest";
import { InvalidInputError } from "../../src/core/errors.ts";
import { engineIds } from "../../src/engine/catalogue.ts";
import { exchangeChooser } from "../../src/engine/exchange/choosers.ts";
import {
  all2allBackends,
  alltoallMethods,
  deepepModes,
  moeA2aBackends,
} from "../../src/engine/exchange/exchange-options.ts";
import { resolveScenario } from "../../src/resolve/resolve-scenario.ts";
import { exchangeKeys } from "../../src/scenario/exchange-options.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";
import { minimal, problemsOf } from "../scenario/example.ts";

const noFiles = { readText: () => Promise.reject(new Error("no file was expected")) };

interface Where {
  readonly parallel?: string;
  readonly system?: string;
  readonly model?: string;
}

const resolved = async (engine: string, where: Where = {}) => {
  const { parallel = "{ dp: 16, ep: 16 }", system = "h100-sxm-8", model = "qwen3-30b-a3b" } = where;
  const text = minimal.replace("{ id: vllm }", engine).replace("h100-sxm-8", system).replace("qwen3-30b-a3b", model);
  const { config, ledger } = await resolveScenario(
    parseScenario(`${text}parallel: ${parallel}\n`, "test.yaml"),
    noFiles,
  );
  const line = ledger.find(({ topic }) => topic === "expert exchange");
  return { engine: config.engine, scheduler: config.scheduler, line };
};
const refusal = async (engine: string, where: Where = {}) => {
  try {
    await resolved(engine, where);
  } catch (error) {
    if (error instanceof InvalidInputError) return error.problems;
    throw error;
  }
  return [];
};

describe("without an option an engine exchanges as it does by default", () => {
  test.each([
    ["{ id: vllm }", {}, "allGatherReduceScatter"],
    ["{ id: vllm, version: 0.10.1 }", {}, "broadcastAllReduce"],
    ["{ id: vllm, version: 0.11.0 }", {}, "allGatherReduceScatter"],
    ["{ id: vllm, version: 1.0.0 }", {}, "allGatherReduceScatter"],
    ["{ id: sglang }", {}, "allGatherReduceScatter"],
    ["{ id: tensorrt-llm }", {}, "allGatherReduceScatter"],
    // A rack of one NVLink domain, and more expert ranks than the 8 experts of a token.
    ["{ id: tensorrt-llm }", { system: "gb200-nvl72" }, "nvlink"],
    ["{ id: tensorrt-llm }", { system: "gb200-nvl72", parallel: "{ dp: 8, ep: 8 }" }, "allGatherReduceScatter"],
    ["{ id: sglang }", { system: "gb200-nvl72" }, "allGatherReduceScatter"],
  ])("%s %j", async (engine, where, exchange) => {
    const found = await resolved(engine, where);
    expect(found.engine.expertExchange).toBe(exchange);
    expect(found.engine.overlapsBatches).toBe(false);
    expect(found.line?.fidelity).toBe("assumed");
    expect(found.line?.detail).toContain("by default");
  });

  test("and nothing is said of it where nothing is exchanged", async () => {
    expect((await resolved("{ id: vllm }", { parallel: "{ tp: 2, ep: 2 }" })).line).toBeUndefined();
  });
});

/** Every value of every option beside those that it needs. */
const accepted: readonly (readonly [engine: string, option: string])[] = [
  ...all2allBackends.map((value) => ["vllm", `all2allBackend: ${value}`] as const),
  ["vllm", "all2allBackend: deepep_low_latency, enableDbo: true"],
  ["vllm", "all2allBackend: deepep_high_throughput, enableDbo: true"],
  ["vllm", "all2allBackend: deepep_low_latency, enableDbo: true, dboDecodeTokenThreshold: 64"],
  ["vllm", "all2allBackend: deepep_low_latency, enableDbo: true, dboPrefillTokenThreshold: 64"],
  ...moeA2aBackends.map((value) => ["sglang", `moeA2aBackend: ${value}`] as const),
  ...deepepModes.map((value) => ["sglang", `moeA2aBackend: deepep, deepepMode: ${value}`] as const),
  ["sglang", "moeA2aBackend: deepep, deepepNumMaxDispatchTokensPerRank: 256"],
  ["sglang", "moeA2aBackend: deepep, enableTwoBatchOverlap: true"],
  ["sglang", "moeA2aBackend: deepep, enableSingleBatchOverlap: true"],
  ...alltoallMethods.map((value) => ["tensorrt-llm", `forceAlltoallMethod: ${value}`] as const),
];
/** The same as another value, or as the default. */
const alike = [
  "allgather_reducescatter",
  "flashinfer_nvlink_two_sided",
  "flashinfer_nvlink_one_sided",
  "moeA2aBackend: none",
  "deepepMode: auto",
  "NotEnabled",
  "NVLinkOneSided",
  "NVLinkTwoSided",
];

describe("a stated option is applied, and the ledger names it", () => {
  test.each(accepted)("%s %s", async (id, option) => {
    // Sixteen devices of a rack, so that every library reaches them; nodes of eight, as DeepEP wants them.
    const where = { system: "gb200-nvl72, devicesPerNode: 8" };
    const { line } = await resolved(`{ id: ${id}, ${option} }`, where);
    expect(line?.fidelity).toBe("emulated");
    const value = /: ([\w]+)(?:,|$)/.exec(option)?.[1] ?? "";
    expect(line?.detail).toContain(value);
  });

  test("each value makes a deployment of its own, but for names of one thing", async () => {
    const where = { system: "gb200-nvl72, devicesPerNode: 8" };
    const byEngine = new Map<string, string>();
    for (const [id, option] of accepted) {
      if (alike.some((name) => option.includes(name))) continue;
      const { engine, scheduler } = await resolved(`{ id: ${id}, ${option} }`, where);
      const made = `${id} ${JSON.stringify([engine, scheduler])}`;
      expect(byEngine.get(made), `${option} as ${byEngine.get(made)}`).toBeUndefined();
      byEngine.set(made, option);
    }
  });

  test("modes without captured graphs, thresholds, buffers", async () => {
    expect((await resolved("{ id: sglang, moeA2aBackend: deepep, deepepMode: normal }")).engine.capturesGraphs).toBe(
      false,
    );
    expect((await resolved("{ id: vllm, all2allBackend: deepep_high_throughput }")).engine.capturesGraphs).toBe(false);
    const dbo = await resolved("{ id: vllm, all2allBackend: deepep_low_latency, enableDbo: true }");
    expect(dbo.engine).toMatchObject({ overlapsBatches: true, halvedAbove: { decodes: 32, prompts: 512 } });
    expect(dbo.engine.dispatchTokensMax).toBe(256);
    expect(dbo.engine.halfBatchOrder).toEqual({ decodes: "dualBatch", prompts: "dualBatch" });
    const tbo = await resolved("{ id: sglang, moeA2aBackend: deepep, enableTwoBatchOverlap: true }");
    expect(tbo.engine.halfBatchOrder).toEqual({ decodes: "twoBatchDecodes", prompts: "twoBatchPrompts" });
    expect(
      (await resolved("{ id: vllm, all2allBackend: deepep_low_latency, enableDbo: false }")).engine.overlapsBatches,
    ).toBe(false);
  });

  test("low-latency dispatch limits the sequences of a rank, and prompts too where it is the only mode", async () => {
    const deepep = "id: sglang, moeA2aBackend: deepep";
    expect((await resolved(`{ ${deepep} }`)).scheduler.maxSequences).toBe(128);
    expect((await resolved(`{ ${deepep}, enableTwoBatchOverlap: true }`)).scheduler.maxSequences).toBe(256);
    expect((await resolved(`{ ${deepep} }`, { parallel: "{ tp: 2, dp: 8, ep: 16 }" })).scheduler.maxSequences).toBe(
      256,
    );
    expect((await resolved(`{ ${deepep}, deepepMode: normal }`)).scheduler.maxSequences).toBe(2048);
    const draft = "speculative: { method: ngram, draftTokens: 3, acceptance: 0.5 }";
    expect((await resolved(`{ ${deepep}, ${draft} }`)).scheduler.maxSequences).toBe(32);
    expect((await resolved(`{ ${deepep} }`)).scheduler.maxBatchTokens).toBe(8192);
    expect((await resolved(`{ ${deepep}, deepepMode: low_latency }`)).scheduler.maxBatchTokens).toBe(128);
    expect((await resolved(`{ ${deepep}, maxNumSeqs: 64 }`)).scheduler.maxSequences).toBe(64);
    expect(await refusal(`{ ${deepep}, maxNumSeqs: 129 }`)).toMatchObject([
      { at: "engine.maxNumSeqs", found: 129, hint: expect.stringContaining("deepepNumMaxDispatchTokensPerRank") },
    ]);
    expect(await refusal(`{ ${deepep}, deepepMode: low_latency, maxNumBatchedTokens: 256 }`)).toMatchObject([
      { at: "engine.maxNumBatchedTokens" },
    ]);
  });
});

describe("DeepEP runs", () => {
  test.each([
    ["a100-sxm-8", "{ dp: 8, ep: 8 }", "normal"],
    ["h100-nvl-2", "{ dp: 2, ep: 2 }", "auto"],
    ["h20-8", "{ dp: 16, ep: 16 }", "auto"],
    ["gb200-nvl72", "{ dp: 8, ep: 8 }", "auto"],
  ])("on %s %s %s", async (system, parallel, mode) => {
    expect(await refusal(`{ id: sglang, moeA2aBackend: deepep, deepepMode: ${mode} }`, { system, parallel })).toEqual(
      [],
    );
  });
});

describe("refused are", () => {
  test("options of other engines, each with what the engine has instead", async () => {
    const problems = await refusal("{ id: vllm, moeA2aBackend: deepep, enableTwoBatchOverlap: true }");
    expect(problems.map(({ at }) => at)).toEqual(["engine.moeA2aBackend", "engine.enableTwoBatchOverlap"]);
    expect(problems[0]?.hint).toBe(
      "an option of sglang; vLLM has all2allBackend, enableDbo, dboDecodeTokenThreshold, dboPrefillTokenThreshold",
    );
    expect(problems[0]?.line).toBe(5);
    expect(await refusal("{ id: llama.cpp, enableDbo: true }", { parallel: "{}" })).toHaveLength(1);
  });

  test.each(engineIds)("every option that %s does not have", async (id) => {
    const values: Record<string, string> = {
      all2allBackend: "naive",
      moeA2aBackend: "deepep",
      deepepMode: "auto",
      forceAlltoallMethod: "DeepEP",
    };
    for (const key of exchangeKeys) {
      if (exchangeChooser(id)?.keys.includes(key) === true) continue;
      const value = values[key] ?? (key.startsWith("enable") ? "true" : "64");
      const system = id.endsWith("-rocm") ? "mi300x-8" : id.endsWith("-ascend") ? "cloudmatrix-384" : "h100-sxm-8";
      const problems = await refusal(`{ id: ${id}, ${key}: ${value} }`, { parallel: "{}", system });
      expect(problems.map(({ at }) => at)).toEqual([`engine.${key}`]);
    }
  });

  test.each([
    ["{ id: vllm, enableDbo: true }", "engine.enableDbo"],
    ["{ id: vllm, all2allBackend: naive, enableDbo: true }", "engine.enableDbo"],
    ["{ id: vllm, all2allBackend: deepep_low_latency, dboDecodeTokenThreshold: 64 }", "engine.dboDecodeTokenThreshold"],
    ["{ id: vllm, all2allBackend: flashinfer_all2allv }", "engine.all2allBackend"],
    ["{ id: sglang, enableTwoBatchOverlap: true }", "engine.enableTwoBatchOverlap"],
    ["{ id: sglang, moeA2aBackend: none, deepepMode: normal }", "engine.deepepMode"],
    ["{ id: sglang, enableSingleBatchOverlap: true }", "engine.enableSingleBatchOverlap"],
    [
      "{ id: sglang, moeA2aBackend: deepep, deepepMode: normal, enableSingleBatchOverlap: true }",
      "engine.enableSingleBatchOverlap",
    ],
    [
      "{ id: sglang, moeA2aBackend: deepep, enableTwoBatchOverlap: true, enableSingleBatchOverlap: true }",
      "engine.enableSingleBatchOverlap",
    ],
    ["{ id: tensorrt-llm, forceAlltoallMethod: NVLinkOneSided }", "engine.forceAlltoallMethod"],
  ])("what the engine does not combine: %s", async (engine, at) => {
    expect((await refusal(engine)).map((problem) => problem.at)).toEqual([at]);
  });

  test("TensorRT-LLM's DeepEP on other numbers of devices than it runs on", async () => {
    const problems = await refusal("{ id: tensorrt-llm, forceAlltoallMethod: DeepEP }", {
      parallel: "{ dp: 24, ep: 24 }",
    });
    expect(problems.map(({ at }) => at)).toEqual(["engine.forceAlltoallMethod"]);
  });

  test("options where nothing is exchanged: one data-parallel rank, no experts", async () => {
    const tensorParallel = { parallel: "{ tp: 4, ep: 4 }" };
    const problems = await refusal("{ id: sglang, moeA2aBackend: deepep }", tensorParallel);
    expect(problems).toMatchObject([
      { at: "engine.moeA2aBackend", expected: expect.stringContaining("parallel.dp or parallel.cp above 1") },
    ]);
  });

  test("libraries whose devices hold slices of experts", async () => {
    const where = { parallel: "{ dp: 16, ep: 8, etp: 2 }" };
    const problems = await refusal("{ id: sglang, moeA2aBackend: deepep }", where);
    expect(problems).toMatchObject([
      { at: "engine.moeA2aBackend", expected: expect.stringContaining("parallel.ep 16") },
    ]);
  });

  test.each([
    ["rtx-pro-6000-2", "{ dp: 2, ep: 2 }", "auto", "NVLink between the 2 devices of a node, NVIDIA RTX PRO 6000"],
    ["h100-pcie-8", "{ dp: 4, ep: 4 }", "low_latency", "NVLink"],
    ["h100-nvl-2", "{ dp: 4, ep: 4 }", "normal", "has it between 2"],
    ["a100-sxm-8", "{ dp: 4, ep: 4 }", "auto", "Ampere in its normal mode inside a node only"],
    ["a100-sxm-8", "{ dp: 16, ep: 16 }", "normal", "Ampere"],
    ["h100-sxm-8", "{ dp: 3, ep: 3 }", "normal", "2, 4 or 8 devices"],
    ["h100-sxm-8", "{ dp: 12, ep: 12 }", "low_latency", "whole nodes of 8, here 12"],
  ])("DeepEP on hardware and sizes that lack it: %s %s %s", async (system, parallel, mode, expected) => {
    const problems = await refusal(`{ id: sglang, moeA2aBackend: deepep, deepepMode: ${mode} }`, { system, parallel });
    expect(problems).toMatchObject([{ at: "engine.moeA2aBackend", found: "deepep", line: 5 }]);
    expect(problems[0]?.expected).toContain(expected);
  });

  test("libraries of another platform", async () => {
    const where = { system: "tpu-v7x-4", parallel: "{ dp: 4, ep: 4 }" };
    const [problem] = await refusal("{ id: vllm, all2allBackend: deepep_low_latency }", where);
    expect(problem?.at).toBe("engine.all2allBackend");
    expect(problem?.expected).toContain("needs CUDA");
    expect(await refusal("{ id: vllm, all2allBackend: allgather_reducescatter }", where)).toEqual([]);
  });

  test("flags that a scenario says elsewhere, with the place", () => {
    const hint = (key: string) => problemsOf(minimal.replace("{ id: vllm }", `{ id: sglang, ${key}: 8 }`))[0]?.hint;
    expect(hint("epNumRedundantExperts")).toContain("policy.placement");
    expect(hint("tokenizerWorkerNum")).toBe("said by engine.apiServerCount");
    expect(hint("maxRunningRequests")).toContain("engine.maxNumSeqs");
    expect(hint("moeA2aBackends")).toBe("did you mean moeA2aBackend?");
  });
});
