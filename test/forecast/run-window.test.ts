import { describe, expect, test } from "vitest";
import { RandomStream } from "../../src/core/random.ts";
import { buildForecast } from "../../src/forecast/build-forecast.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";
import type { SimConfig } from "../../src/sim/config.ts";
import { simulate } from "../../src/sim/simulate.ts";
import { minimal } from "../scenario/example.ts";
import { testConfig, testEngine, testNode, testOffload, testRequests } from "../sim/build.ts";
import { resolved } from "./example-forecast.ts";

const price = { usdPerDeviceHour: 3, source: "test", fidelity: "assumed" } as const;

function forecastOf(config: SimConfig) {
  const scenario = parseScenario(`${minimal}slo: { perRequest: { ttft: 20ms } }\n`, "test.yaml");
  return buildForecast(scenario, { ...resolved, price, config }, simulate(config));
}

/** A deployment with every kind of resource: front end, device with power, experts in host memory and on NVMe. */
function config(rows: readonly { at: number; prompt: number; output: number }[], shiftNs: number): SimConfig {
  return testConfig({
    node: testNode({ powerW: 700, idlePowerW: 100 }),
    engine: testEngine({ promptTokenOverheadNs: 10_000, requestOverheadNs: 1_000_000 }),
    replicas: 2,
    offload: testOffload({
      slots: 4,
      hostBytes: 2e6,
      popularity: new Float64Array(32).fill(1),
      logAccessesMax: 5000,
    }),
    workload: { kind: "open", requests: testRequests(rows.map((row) => ({ ...row, at: row.at + shiftNs }))) },
  });
}

function rowsOf(count: number) {
  const rng = new RandomStream(9, "window");
  let at = 0;
  return Array.from({ length: count }, () => {
    at += rng.below(20_000_000);
    return { at, prompt: 1 + rng.below(200), output: 1 + rng.below(20) };
  });
}

describe("the window of a run begins with its first arrival", () => {
  const hourNs = 3.6e12;

  test.each([1, 7_777_777, hourNs])("arrivals that all come %i ns later change no figure", (shiftNs) => {
    const rows = rowsOf(80);
    expect(forecastOf(config(rows, shiftNs))).toEqual(forecastOf(config(rows, 0)));
  });

  test("one late request is paid for from its arrival to its last token", () => {
    const [row] = rowsOf(1);
    const late = forecastOf({ ...config([{ ...row!, prompt: 50, output: 10 }], 100e9), replicas: 1 });
    const e2eS = (late.latency.e2e.mean ?? 0) / 1e3;
    expect(late.throughput.durationS).toBeCloseTo(e2eS, 12);
    expect(late.throughput.outputTokensPerSecond).toBeCloseTo(10 / e2eS, 9);
    expect(late.cost?.usdPerMillionOutputTokens).toBeCloseTo(((3 / 3600) * e2eS * 1e6) / 10, 6);
    expect(late.energy?.averageW).toBeGreaterThan(100);
    const replica = late.resources.find(({ name }) => name === "replica 0");
    expect(replica?.utilisation).toBeGreaterThan(0.5);
    expect(late.series.waiting.length * late.series.intervalS).toBeLessThan(1);
  });
});
