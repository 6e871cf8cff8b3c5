import type { Forecast } from "../../../src/forecast/forecast.ts";
import { forecastScenario } from "../../../src/forecast/forecast-scenario.ts";
import { parseScenario } from "../../../src/scenario/parse-scenario.ts";

const noFiles = { readText: (path: string) => Promise.reject(new Error(`no file ${path}`)) };

/** A forecast of a scenario's text, with changes tried where asked. */
export const forecastOf = (text: string, settings: readonly string[] = [], advice = false): Promise<Forecast> =>
  forecastScenario(parseScenario(text, "scenarios/advised.yaml", { settings }), { ...noFiles, advice });

/** A scenario of a few requests; `parts` are further top-level keys, `closed` clients keep it busy. */
export const scenarioText = (
  model: string,
  system: string,
  parts: string,
  { requests = 60, closed = 8, isl = 400, osl = 40 } = {},
): string => `version: 1
name: advised
model: ${model}
hardware: { system: ${system} }
${parts}
traffic:
  kind: generated
  requests: ${requests}
  arrivals: { kind: closed, maxConcurrency: ${closed} }
  isl: { kind: lognormal, mean: ${isl}, p50: ${Math.round(isl * 0.7)}, max: ${isl * 5} }
  osl: { kind: lognormal, mean: ${osl}, p50: ${Math.round(osl * 0.8)}, max: ${osl * 4} }
`;

/** Eight data-parallel ranks whose long prompts hold each other up. */
export const longPrompts = scenarioText(
  "{ id: qwen3-235b-a22b, dtypes: { experts: fp8_block, attention: fp8_block } }",
  "h100-sxm-8",
  `engine: { id: vllm, maxModelLen: 40960, maxNumBatchedTokens: 8192, maxNumSeqs: 64 }
parallel: { dp: 8, ep: 8 }
routing: { kind: uniform, popularityCv: 0.5 }`,
  { requests: 130, closed: 64, isl: 6000, osl: 100 },
);

/** One GPU that holds all it needs. */
export const oneDevice = scenarioText(
  "{ id: olmoe-1b-7b }",
  "rtx4090-desktop",
  `engine: { id: vllm, maxModelLen: 4096 }
routing: { kind: uniform, popularityCv: 0.5 }`,
  { closed: 4, isl: 200, osl: 40 },
);

/** Routing of the bundled trace: 32 experts, top-4. */
export const recorded = "routing: { kind: trace, file: traces/mini-moe.safetensors, layerMap: nearest }";

/** Experts of unequal load on four expert ranks, by recorded routing. */
export const skewedExperts = (placement = ""): string =>
  scenarioText(
    "{ id: gpt-oss-20b }",
    "h100-sxm-8",
    `engine: { id: vllm, maxModelLen: 4096 }
parallel: { dp: 4, ep: 4 }
${recorded}
${placement}`,
    { requests: 70, closed: 64, isl: 200, osl: 12 },
  );
