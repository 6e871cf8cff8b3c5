import { expect } from "vitest";
import { runsOn } from "../../src/engine/platforms.ts";
import { forecastScenario } from "../../src/forecast/forecast-scenario.ts";
import { deviceProfileNamed, systemProfileNamed } from "../../src/hardware/named-profiles.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";

const noFiles = { readText: () => Promise.reject(new Error("no file was expected")) };

/** A few short requests to OLMoE in 4 bits, which fits every device, spread over `devices` of a system. */
const scenario = (system: string, engine: string, devices: number): string => `version: 1
name: every-system
model: { id: olmoe-1b-7b, dtypes: { experts: int4 } }
hardware: { system: ${system} }
engine: { id: ${engine}, maxModelLen: 1024, maxNumSeqs: 4, maxNumBatchedTokens: 512 }
parallel: { dp: ${devices} }
traffic:
  kind: generated
  requests: 12
  arrivals: { kind: closed, maxConcurrency: 4 }
  isl: { kind: fixed, tokens: 200 }
  osl: { kind: fixed, tokens: 20 }
routing: { kind: uniform }
`;

/** A system on one device, on all of a node with experts spread over them, and on two nodes where a link joins them. */
export function layoutsOf(system: string): readonly number[] {
  const { device, devicesPerNode } = systemProfileNamed(system);
  const nodes = deviceProfileNamed(device).scaleOut === null ? 1 : 2;
  return [...new Set([1, devicesPerNode.value, nodes * devicesPerNode.value])];
}

/** Expects a finite forecast of a system on `devices`. */
export async function forecastsFinitely(system: string, devices: number): Promise<void> {
  const { name, platform } = deviceProfileNamed(systemProfileNamed(system).device);
  const local = devices === 1 && runsOn("llama.cpp", { name, platform, computeCapability: null });
  const text = scenario(system, local ? "llama.cpp" : "vllm", devices);
  const { latency, requests } = await forecastScenario(parseScenario(text, "test.yaml"), noFiles);
  expect(requests.completed).toBe(12);
  for (const times of [latency.ttft, latency.tpot, latency.e2e]) {
    expect(times?.mean).toBeGreaterThan(0);
    expect(times?.mean).toBeLessThan(60_000);
  }
}
