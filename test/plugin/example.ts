import type { Forecast } from "../../src/forecast/forecast.ts";
import { forecastScenario } from "../../src/forecast/forecast-scenario.ts";
import type { Plugin } from "../../src/plugin/plugin.ts";
import { pluginTables } from "../../src/plugin/plugin-tables.ts";
import { parseScenario, type Scenario } from "../../src/scenario/parse-scenario.ts";

const noFiles = { readText: () => Promise.reject(new Error("no files")) };

/** A short run of Mixtral whose experts are cached on one device. */
export const offloaded = `version: 1
name: plugged
model: { id: mixtral-8x7b, dtypes: { experts: int4 } }
hardware: { system: rtx4090-desktop }
engine: { id: vllm, maxModelLen: 2048, maxNumSeqs: 4 }
traffic: { kind: generated, requests: 12, arrivals: { kind: poisson, requestRate: 1/s }, isl: { kind: fixed, tokens: 60 }, osl: { kind: fixed, tokens: 20 } }
routing: { kind: parametric, skew: 0.5, rows: 2000 }
policy: { offload: { kind: lru, slots: 4, hostMemory: 10GiB } }
`;

/** The same over eight ranks of four replicas. */
export const spread = `version: 1
name: spread
model: { id: qwen3-30b-a3b }
hardware: { system: h100-sxm-8 }
engine: { id: vllm, maxNumSeqs: 16 }
parallel: { tp: 1, dp: 2, ep: 2, replicas: 3 }
traffic: { kind: generated, requests: 40, arrivals: { kind: poisson, requestRate: 20/s }, isl: { kind: fixed, tokens: 100 }, osl: { kind: fixed, tokens: 10 } }
routing: { kind: parametric, skew: 0.5, rows: 1000 }
policy: { placement: { kind: contiguous }, router: round-robin }
`;

export const scenarioWith = (
  text: string,
  plugins: readonly Plugin[],
  settings: readonly string[] = [],
  limitMs?: number,
): Scenario =>
  parseScenario(text, "plugged.yaml", {
    settings,
    policies: pluginTables(
      plugins.map((plugin) => ({ plugin })),
      limitMs,
    ),
  });

export const runWith = (...given: Parameters<typeof scenarioWith>): Promise<Forecast> =>
  forecastScenario(scenarioWith(...given), noFiles);
