import { expect, test } from "vitest";
import { forecastScenario } from "../../src/forecast/forecast-scenario.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";

const noFiles = { readText: (path: string) => Promise.reject(new Error(`no file ${path}`)) };
const lengths = "isl: { kind: fixed, tokens: 200 }, osl: { kind: fixed, tokens: 8 }";
const text = `version: 1
name: figures of models in turn
model: { id: gpt-oss-20b }
hardware: { system: rtx4090-desktop }
engine: { id: llama.cpp, maxModelLen: 4096, maxNumSeqs: 4, maxNumBatchedTokens: 512 }
traffic:
  kind: generated
  requests: 24
  arrivals: { kind: closed, maxConcurrency: 3 }
  classes: [{ name: a, share: 0.5, ${lengths} }, { name: b, share: 0.5, ${lengths} }]
routing: { kind: uniform }
cost: { usdPerDeviceHour: 3.6 }
pools: [{ name: a, serves: [a], variants: 3 }, { name: b, serves: [b], variants: 2 }]
modelCache: { kvMemory: 1GiB }
`;

test("what models share counts once: devices, their price, their power, their time", async () => {
  const forecast = await forecastScenario(parseScenario(text, "t.yaml", {}), { ...noFiles, advice: false });
  const { throughput, deployment, cost, energy, pools, resources, modelCache } = forecast;
  const { durationS, outputTokensPerSecond } = throughput;
  expect(deployment.devices).toBe(1);
  expect(pools!.map(({ devices }) => devices)).toEqual([1, 1]);
  expect(throughput.outputTokensPerSecondPerDevice).toBe(outputTokensPerSecond);
  // A thousandth of a dollar a second.
  expect(cost!.usdPerMillionOutputTokens).toBeCloseTo(1000 / outputTokensPerSecond, 6);
  const busyOf = (name: string) => resources.find((each) => each.name === name)!.utilisation;
  const busy = pools!.reduce((sum, { utilisation }) => sum + utilisation, 0);
  expect(busyOf("devices")).toBeCloseTo(busy, 9);
  expect(busyOf("loading models")).toBeCloseTo(modelCache!.loadNs / 1e9 / durationS, 6);
  expect(busy + modelCache!.stallNs / 1e9 / durationS).toBeLessThanOrEqual(1 + 1e-9);
  expect(energy!.averageW).toBeCloseTo(450 * busy + 68 * (1 - busy), 3);
});
