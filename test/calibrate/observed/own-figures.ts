import { observationOf } from "../../../src/calibrate/observed/observe-deployment.ts";
import { engineIds } from "../../../src/engine/catalogue.ts";
import type { Forecast } from "../../../src/forecast/forecast.ts";
import { forecastScenario } from "../../../src/forecast/forecast-scenario.ts";
import { parseScenario, type Scenario } from "../../../src/scenario/parse-scenario.ts";

const noFiles = { readText: () => Promise.reject(new Error("no file was expected")) };

/** A deployment of the catalogue: model, system, engine, and its mapping as a scenario writes it. */
export type Deployment = readonly [model: string, system: string, engine: string, parallel: string];

/** Every engine of the catalogue, and models of every kind of attention and layout. */
export const deployments: readonly Deployment[] = [
  ["qwen3-30b-a3b", "h100-sxm-8", "vllm", "{ tp: 2, etp: 2 }"],
  ["deepseek-v3", "h200-sxm-8", "sglang", "{ dp: 8, ep: 8 }"],
  ["gpt-oss-120b", "b200-sxm-8", "tensorrt-llm", "{ tp: 2, ep: 2 }"],
  ["olmoe-1b-7b", "mac-m2-ultra", "llama.cpp", "{ tp: 1 }"],
  ["qwen3-30b-a3b", "rtx4090-xeon-2s", "ktransformers", "{ tp: 4, etp: 4 }"],
  ["qwen3-235b-a22b", "mi300x-8", "sglang-rocm", "{ tp: 8, ep: 8 }"],
  ["mixtral-8x7b", "mi300x-8", "vllm-rocm", "{ tp: 4, etp: 4 }"],
  ["pangu-pro-moe", "ascend-800i-a2-8", "vllm-ascend", "{ tp: 4, ep: 4 }"],
];
export const enginesWithout = engineIds.filter((id) => !deployments.some(([, , engine]) => engine === id));

/** A closed loop, its requests a small multiple of its clients. */
export interface Loop {
  readonly clients: number;
  readonly requests: number;
  readonly isl: string;
  readonly osl: string;
}
export const loops: readonly Loop[] = [
  // Fixed lengths: all clients stay in step, every wave is a burst.
  { clients: 8, requests: 16, isl: "{ kind: fixed, tokens: 512 }", osl: "{ kind: fixed, tokens: 64 }" },
  {
    clients: 4,
    requests: 40,
    isl: "{ kind: uniform, low: 819, high: 1024 }",
    osl: "{ kind: uniform, low: 102, high: 128 }",
  },
  {
    clients: 16,
    requests: 80,
    isl: "{ kind: lognormal, mean: 500, p50: 400, max: 2048 }",
    osl: "{ kind: lognormal, mean: 30, p50: 20, max: 128 }",
  },
];

export function scenarioOf([model, system, engine, parallel]: Deployment, loop: Loop): Scenario {
  const { clients, requests, isl, osl } = loop;
  const text = `version: 1
name: own-figures
model: { id: ${model} }
hardware: { system: ${system} }
engine: { id: ${engine}, maxNumSeqs: 64 }
parallel: ${parallel}
traffic:
  kind: generated
  requests: ${requests}
  arrivals: { kind: closed, maxConcurrency: ${clients} }
  isl: ${isl}
  osl: ${osl}
routing: { kind: uniform }
`;
  return parseScenario(text, "own.yaml");
}

export interface Figures {
  readonly tpotMs: number;
  readonly ttftMs: number;
}

export const figuresOf = ({ latency }: Forecast): Figures => ({
  tpotMs: latency.tpot.mean ?? Number.NaN,
  ttftMs: latency.ttft.mean ?? Number.NaN,
});

/** The result that a load generator would write of the figures of a run. */
export function resultOf({ requests, latency }: Forecast, loop: Loop, figures: Figures): string {
  const counted = requests.completed - requests.warmup;
  return JSON.stringify({
    completed: counted,
    max_concurrency: loop.clients,
    mean_ttft_ms: figures.ttftMs,
    mean_tpot_ms: figures.tpotMs,
    p99_ttft_ms: latency.ttft.max,
  });
}

export const forecast = (scenario: Scenario, observed?: string): Promise<Forecast> =>
  forecastScenario(scenario, {
    ...noFiles,
    ...(observed === undefined ? {} : { observed: observationOf(observed, "own.json") }),
  });

/** How far a forecast is from figures, as ratios. */
export function ratiosTo(wanted: Figures, document: Forecast): Figures {
  const { tpotMs, ttftMs } = figuresOf(document);
  return { tpotMs: tpotMs / wanted.tpotMs, ttftMs: ttftMs / wanted.ttftMs };
}
