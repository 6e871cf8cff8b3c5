import { formatNumber } from "../../../core/units.ts";
import { forecastScenario } from "../../../forecast/forecast-scenario.ts";
import { parseScenario } from "../../../scenario/parse-scenario.ts";
import type { Check } from "../check.ts";

const scenario = `version: 1
name: doctor
model: { id: gpt-oss-20b }
hardware: { system: h100-sxm-8, devicesPerNode: 1 }
engine: { id: vllm, maxModelLen: 8192 }
traffic:
  kind: generated
  requests: 20
  arrivals: { kind: poisson, requestRate: 4/s }
  isl: { kind: fixed, tokens: 500 }
  osl: { kind: fixed, tokens: 50 }
routing: { kind: uniform }
`;

/** The main job, on a scenario of 20 requests that needs no file. */
export const forecast: Check = {
  title: "Forecast",
  look: async () => {
    try {
      const { requests, latency } = await forecastScenario(parseScenario(scenario, "doctor.yaml"), {
        readText: () => Promise.reject(new Error("the scenario of the doctor names no file")),
      });
      const tpot = latency.tpot.p50 === null ? "n/a" : `${formatNumber(latency.tpot.p50, 3)} ms`;
      return [{ topic: "forecast", state: "ok", text: `${requests.completed} requests simulated, TPOT p50 ${tpot}` }];
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      return [{ topic: "forecast", state: "problem", text, advice: "install moecast anew, or report it" }];
    }
  },
};
