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
  readonly tokens: number;
}

/** Mean time per output token of a chat of one user, simulated, ms. */
async function tpotMs({ model, hardware, tp = 1, engine, routing, offload, tokens }: Served): Promise<number> {
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
  isl: { kind: fixed, tokens: 64 }
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
  const t4 = await tpotMs({
    model: "{ id: mixtral-8x7b, dtypes: { experts: int2, attention: int4 } }",
    hardware: "{ system: t4-1 }",
    engine: "{ id: vllm, maxModelLen: 1024, maxNumSeqs: 1, maxNumBatchedTokens: 512 }",
    routing,
    offload: "{ kind: lru, slots: 4 }",
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
    {
      name: "mixtral-offloading, Mixtral-8x7B in 2 bits on T4, tokens/s",
      measured: 2.092,
      forecast: 1000 / t4,
      reason: "its kernels widen weights in Python (HQQ): what moves is a quarter of the time",
    },
  ];
}
