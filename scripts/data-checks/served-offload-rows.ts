import { forecastScenario } from "../../src/forecast/forecast-scenario.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";
import type { Row } from "./hybrid-tables.ts";

interface Served {
  readonly model: string;
  readonly hardware: string;
  readonly tp?: number;
  readonly engine: string;
  readonly routing: string;
  readonly offload: string;
  /** Of a prompt; 64 if absent. */
  readonly prompt?: number;
  readonly tokens: number;
}

/** Mean time per output token of a chat of one user, simulated, ms. */
async function tpotMs({
  model,
  hardware,
  tp = 1,
  engine,
  routing,
  offload,
  prompt = 64,
  tokens,
}: Served): Promise<number> {
  const text = `version: 1
name: served
model: ${model}
hardware: ${hardware}
parallel: { tp: ${tp} }
engine: ${engine}
traffic:
  kind: generated
  requests: 3
  arrivals: { kind: closed, maxConcurrency: 1 }
  isl: { kind: fixed, tokens: ${prompt} }
  osl: { kind: fixed, tokens: ${tokens} }
routing: ${routing}
policy: { offload: ${offload} }
`;
  const fail = (path: string) => Promise.reject(new Error(`${path}: no file is read`));
  const forecast = await forecastScenario(parseScenario(text, "served.yaml"), { readText: fail } as never);
  return Number(forecast.latency?.tpot?.mean ?? Number.NaN);
}

/** KTransformers' grid again, at three ratios, by the simulator itself: the host lane, its memory and its links. */
export async function simulatedPlacementRows(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [share, measured] of [
    [0, 52.98],
    [0.5, 67.82],
  ] as const) {
    const ms = await tpotMs({
      model: "{ id: qwen3-next-80b-a3b, dtypes: { experts: fp8_block, attention: fp8_block } }",
      hardware: "{ system: rtx4090-xeon-2s }",
      tp: 4,
      engine: "{ id: ktransformers, maxModelLen: 1024, maxNumSeqs: 1 }",
      // Even popularity: which experts are on the GPUs does not matter.
      routing: "{ kind: parametric, skew: 0, reuse: 0.02, rows: 2000 }",
      offload: `{ kind: static, slots: ${share * 128}, miss: { kind: host } }`,
      tokens: 40,
    });
    rows.push({
      name: `KTransformers random and uniform ${100 * share}%, simulated, tokens/s`,
      measured,
      forecast: 1000 / ms,
      within: 0.15,
    });
  }
  return rows;
}

/** Expert caches that fetch, Mixtral 8x7B for one user. */
export async function fetchingRows(): Promise<Row[]> {
  const routing = "{ kind: parametric, popularityCv: 0.3, reuse: 0.37, rows: 3000 }";
  const infinity = await tpotMs({
    model: "{ id: mixtral-8x7b }",
    hardware: "{ system: a5000-desktop }",
    engine: "{ id: vllm, maxModelLen: 1024, maxNumSeqs: 1, maxNumBatchedTokens: 512 }",
    routing,
    offload: "{ kind: lfu, scope: global, memory: 15GiB }",
    tokens: 64,
  });
  return [
    {
      name: "MoE-Infinity, Mixtral-8x7B on one A5000, s/token",
      measured: 0.735,
      forecast: infinity / 1000,
      within: 0.3,
      reason:
        "the least often used expert of all layers leaves, as the repository does; recorded figures of Mixtral, not the authors' prompts",
    },
    ...(await mixtralOffloadingRows(routing)),
  ];
}

/** Machines of mixtral-offloading's table, experts in 2 bits: slots of a layer by its setting, and tokens per second. */
const mixtralOffloading = [
  { name: "T4", system: "t4-1", slots: 4, measured: 2.092 },
  { name: "RTX 3060", system: "rtx3060-desktop", slots: 3, measured: 2.278 },
  { name: "A100", system: "a100-sxm-8, devicesPerNode: 1", slots: 4, measured: 3.061 },
] as const;

/**
 * mixtral-offloading moves experts and widens them by kernels that Python launches one by one (HQQ). How long that takes is no
 * matter of the device: one figure, of the other machines, is added to what moecast says of a machine.
 */
async function mixtralOffloadingRows(routing: string): Promise<Row[]> {
  const moved: number[] = [];
  for (const { system, slots } of mixtralOffloading)
    moved.push(
      await tpotMs({
        model: "{ id: mixtral-8x7b, dtypes: { experts: int2, attention: int4 } }",
        hardware: `{ system: ${system} }`,
        engine: "{ id: vllm, maxModelLen: 1024, maxNumSeqs: 1, maxNumBatchedTokens: 512 }",
        routing,
        offload: `{ kind: lru, slots: ${slots} }`,
        tokens: 64,
      }),
    );
  const beyond = mixtralOffloading.map(({ measured }, i) => 1000 / measured - moved[i]!);
  return mixtralOffloading.map(({ name, measured }, i) => {
    const others = beyond.filter((_, at) => at !== i);
    const host = others.reduce((sum, ms) => sum + ms, 0) / others.length;
    return {
      name: `mixtral-offloading, Mixtral-8x7B in 2 bits on ${name}, tokens/s`,
      measured,
      forecast: 1000 / (moved[i]! + host),
      within: 0.3,
      reason: `${moved[i]!.toFixed(0)} ms a token forecast, and ${host.toFixed(0)} ms in its Python kernels, as the other machines took`,
    };
  });
}

/** KTransformers' dynamic update, simulated: each prompt leaves the experts that it used most on the GPUs. */
export async function dynamicRows(): Promise<Row[]> {
  const preset = "popularity and reuse of the preset of balanced models, not the authors' trace";
  const rows: Row[] = [];
  for (const [percent, measured] of [
    [10, 70.22],
    [30, 75.55],
    [50, 81.17],
    [90, 95.04],
  ] as const) {
    const ms = await tpotMs({
      model: "{ id: qwen3-next-80b-a3b, dtypes: { experts: fp8_block, attention: fp8_block } }",
      hardware: "{ system: rtx4090-xeon-2s }",
      tp: 4,
      engine: "{ id: ktransformers, maxModelLen: 2048, maxNumSeqs: 1, maxNumBatchedTokens: 2048 }",
      routing: "{ kind: parametric, rows: 4000 }",
      offload: `{ kind: remask, slots: ${Math.round(1.28 * percent)}, miss: { kind: host, deviceFrom: 1024 } }`,
      prompt: 1100,
      tokens: 60,
    });
    const row = { name: `KTransformers dynamic-expert-update ${percent}%, simulated, tokens/s`, measured };
    rows.push(
      percent < 70
        ? { ...row, forecast: 1000 / ms, within: 0.15, reason: preset }
        : {
            ...row,
            forecast: 1000 / ms,
            reason: `${preset}; from 70 % on the published rate is below that of the fixed frequent set: the moving itself, which a rate of decoding leaves out`,
          },
    );
  }
  return rows;
}
