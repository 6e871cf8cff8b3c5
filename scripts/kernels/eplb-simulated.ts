import { powerLawCounts, settle } from "../../src/calibrate/kernel-tables/expert-load.ts";
import { wideEpTable } from "../../src/calibrate/kernel-tables/readers/grouped-gemm.ts";
import { RandomStream } from "../../src/core/random.ts";
import { eplb } from "../../src/policy/placement/eplb.ts";
import { resolveScenario } from "../../src/resolve/resolve-scenario.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";
import type { SimConfig } from "../../src/sim/config.ts";
import { simulate } from "../../src/sim/simulate.ts";
import type { RequestTable } from "../../src/trace/request-table.ts";
import type { RoutingTable } from "../../src/trace/routing-table.ts";
import { benefit, expertRanks, peakProblems, redundancyProblems } from "./eplb-benefit.ts";
import { rowSamples, tableFiles } from "./fitted.ts";
import { median, row } from "./text.ts";

const experts = 256;
const topK = 8;
const alpha = 1.2;
/** Draws of which the median is taken, and tokens of a batch, each of which every tried number of ranks divides or is one token a rank. */
const draws = 5;
const batches = { "<= 256 tokens": [64, 128, 256], ">= 2,048 tokens": [2048, 8192] } as const;
const systems: Readonly<Record<string, string>> = {
  "h100-sxm": "h100-sxm-8",
  "h200-sxm": "h200-sxm-8",
};

/**
 * The same table through the simulator: one step of one MoE layer of DeepSeek-V3 under TensorRT-LLM, whose tokens are drawn by the
 * power law of the table, with experts in contiguous blocks and as EPLB places them for that very draw. Time is that of the slowest
 * rank's experts. Returns what breaks the shape.
 */
export async function checkEplbSimulated(folder: string): Promise<string[]> {
  const problems: string[] = [];
  console.log("\nEPLB benefit through the simulator, 7168/2048/8/256, power_law_1.2, measured | simulated");
  row(["system, physical experts, batch", ...expertRanks.map((ranks) => `EP${ranks}`)], 34, 14);
  for (const file of tableFiles(folder, /__trtllm-.*__wideep_moe_perf\.csv\.gz$/)) {
    const samples = await rowSamples(file, wideEpTable);
    const system = systems[samples[0]?.device ?? ""];
    if (system === undefined) continue;
    const simulated = new Map<string, number[]>();
    for (const physicalExperts of [256, 288])
      for (const [name, tokenCounts] of Object.entries(batches)) {
        const ratios: number[] = [];
        for (const ranks of expertRanks)
          ratios.push(
            physicalExperts % ranks === 0 ? await ratio(system, physicalExperts, ranks, tokenCounts) : Number.NaN,
          );
        const measured = expertRanks.map((ranks) =>
          benefit(
            samples,
            physicalExperts,
            ranks,
            (tokens) => tokenCounts.includes(tokens as never),
            (sample) => sample.ns,
          ),
        );
        row(
          [
            `${samples[0]!.device} ${physicalExperts} ${name}`,
            ...measured.map((value, i) =>
              Number.isNaN(ratios[i]!)
                ? "-"
                : `${Number.isNaN(value) ? "-" : value.toFixed(2)} | ${ratios[i]!.toFixed(2)}`,
            ),
          ],
          34,
          14,
        );
        simulated.set(`${physicalExperts} ${name}`, ratios);
      }
    const of = (key: string) => simulated.get(key) ?? [];
    problems.push(
      ...peakProblems(system, of("256 >= 2,048 tokens")),
      ...redundancyProblems(system, of("256 <= 256 tokens"), of("288 <= 256 tokens")),
    );
  }
  return problems;
}

/** Median over draws and batches of the slowest rank's time without EPLB over that with it. */
async function ratio(
  system: string,
  physicalExperts: number,
  ranks: number,
  tokenCounts: readonly number[],
): Promise<number> {
  const ratios: number[] = [];
  const base = await deployment(system, ranks);
  for (const tokens of tokenCounts)
    for (let draw = 0; draw < draws; draw++) {
      const rng = new RandomStream(draw, `eplb ${tokens}`);
      const counts = powerLawCounts(tokens, experts, topK, alpha, rng);
      settle(counts, tokens, tokens * topK, ranks);
      const config = { ...base, ...batchOf(counts, tokens, ranks) };
      const loads = Float64Array.from(counts);
      const placement = eplb.place({ layers: 1, experts, ranks, nodes: 1, groups: 1, physicalExperts, loads });
      ratios.push(expertNs({ ...config, placement: null }) / expertNs({ ...config, placement }));
    }
  return median(ratios);
}

/** Time of the slowest rank's experts, ns. */
function expertNs(config: SimConfig): number {
  const { resources, steps } = simulate(config);
  if (steps !== 1) throw new Error(`the batch takes ${steps} steps`);
  return Math.max(...resources.filter(({ name }) => name.startsWith("experts of rank")).map(({ busyNs }) => busyNs));
}

const known = new Map<string, Promise<SimConfig>>();

/** One layer of DeepSeek-V3 on as many GPUs as expert ranks, each with attention of its own. */
function deployment(system: string, ranks: number): Promise<SimConfig> {
  const key = `${system} ${ranks}`;
  let found = known.get(key);
  if (found === undefined) {
    found = resolveScenario(parseScenario(scenarioText(system, ranks), "eplb.yaml"), {
      readText: () => Promise.reject(new Error("no file is read")),
    }).then(({ config }) => config);
    known.set(key, found);
  }
  return found;
}

const scenarioText = (system: string, ranks: number): string => `
version: 1
name: eplb-grid
warmup: 0
model:
  shape:
    name: one layer of deepseek-v3
    layers: 1
    hiddenSize: 7168
    vocabSize: 1024
    contextTokensMax: 163840
    attention: { kind: mla, queryHeads: 128, kvLoraRank: 512, nopeHeadDim: 128, ropeHeadDim: 64, valueHeadDim: 128, queryLoraRank: 1536 }
    feedForward:
      - { kind: moe, experts: ${experts}, topK: ${topK}, expertWidth: 2048, matrices: 3, router: { scoring: sigmoid } }
    formats: { attention: fp8_block, dense: fp8_block, shared: fp8_block, experts: fp8_block }
hardware: { system: ${system} }
engine: { id: tensorrt-llm, apiServerCount: ${ranks}, maxModelLen: 16384, maxNumBatchedTokens: 16384 }
parallel: { dp: ${ranks}, ep: ${ranks} }
traffic: { kind: generated, requests: 1, isl: { kind: fixed, tokens: 1 }, osl: { kind: fixed, tokens: 1 }, arrivals: { kind: closed, maxConcurrency: 1 } }
routing: { kind: uniform }
`;

/** Requests and routing of one step in which each expert gets its count: one prompt for every rank. */
function batchOf(counts: Uint32Array, tokens: number, ranks: number): Pick<SimConfig, "workload" | "routing"> {
  const origin = { kind: "synthesised" as const, name: "power law", digest: "", sourceRows: tokens, notes: [] };
  const ids = new Uint16Array(tokens * topK);
  const used = new Uint8Array(tokens);
  // Each expert's tokens are neighbours round the batch, so that no token has it twice.
  let at = 0;
  for (const [expert, count] of counts.entries())
    for (let i = 0; i < count; i++, at = (at + 1) % tokens) ids[at * topK + used[at]!++] = expert;
  const requests = Math.min(ranks, tokens);
  const each = tokens / requests;
  const names = Array.from({ length: requests }, (_, i) => `rank ${i}`);
  const starts = Uint32Array.from({ length: requests + 1 }, (_, i) => i * each);
  const table: RoutingTable = {
    experts,
    topK,
    layers: 1,
    rows: tokens,
    ids,
    sequenceStarts: starts,
    domains: names,
    domainStarts: starts,
    modelLayers: [0],
    origin: { ...origin, phase: "mixed" },
  };
  const table1: RequestTable = {
    count: requests,
    arrivalNs: new Float64Array(requests),
    promptTokens: new Uint32Array(requests).fill(each),
    outputTokens: new Uint32Array(requests).fill(1),
    classOf: new Uint16Array(requests),
    classes: ["default"],
    domainOf: Uint16Array.from({ length: requests }, (_, i) => i),
    domains: names,
    prefix: null,
    origin: { kind: "generated", name: "one batch", digest: "", notes: [] },
  };
  return {
    workload: { kind: "closed", requests: table1, concurrency: requests },
    routing: { kind: "replay", table, layerMap: [0], start: "zero" },
  };
}
