import { describe, expect, test } from "vitest";
import type { InvalidInputError } from "../../src/core/errors.ts";
import { canonicalJson } from "../../src/core/json.ts";
import { forecastScenario } from "../../src/forecast/forecast-scenario.ts";
import { readForecast } from "../../src/forecast/read-forecast.ts";
import { terminalSummary } from "../../src/report/terminal.ts";
import { resolveScenario } from "../../src/resolve/resolve-scenario.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";
import { minimal, placeOf, problemsOf } from "../scenario/example.ts";

const noFiles = { readText: () => Promise.reject(new Error("no file was expected")) };
const withScaling = (scaling: string, replicas?: number) =>
  `${minimal}${replicas === undefined ? "" : `parallel: { replicas: ${replicas} }\n`}policy:\n  scaling: { ${scaling} }\n`;
const fixed = (replicas: number) => `${minimal}parallel: { replicas: ${replicas} }\n`;
const resolve = (text: string) => resolveScenario(parseScenario(text, "test.yaml"), noFiles);
const forecast = (text: string) => forecastScenario(parseScenario(text, "test.yaml"), noFiles);

describe("replicas that come and go, in a scenario", () => {
  test("begin with those of the layout, else with the fewest; memory holds the most", async () => {
    const { config } = await resolve(withScaling("kind: load, target: 20, min: 2, max: 8"));
    expect(config.replicas).toBe(8);
    expect(config.scaling).toMatchObject({ atStart: 2, min: 2, everyNs: 15e9 });
    expect(config.scaling!.values).toEqual({ target: 20, measure: "requests", tolerance: 0.1, stabilisation: 300e9 });
    const stated = withScaling("kind: load, target: 20, max: 8, every: 5s, startup: 90s", 3);
    expect((await resolve(stated)).config.scaling).toMatchObject({ atStart: 3, everyNs: 5e9, startupNs: 90e9 });
    expect((await resolve(fixed(3))).config.scaling).toBeUndefined();
  });

  test("load their weights from the disks of their node and start an engine, unless the scenario says how long it takes", async () => {
    const { config, ledger } = await resolve(withScaling("kind: load, target: 20, max: 2"));
    const disk = config.node.tiers.find(({ kind }) => kind === "nvme")!.read;
    const bytes = (config.scaling!.startupNs - 60e9 - disk.latencyNs) * disk.bytesPerSecond * disk.efficiency * 1e-9;
    // 30.5 billion values of two bytes.
    expect(bytes).toBeGreaterThan(60e9);
    expect(bytes).toBeLessThan(62e9);
    expect(ledger.find(({ topic }) => topic === "scaling")!.detail).toContain("of weights from");
  });

  test("scale each pool by its own policy", async () => {
    const pools = `${minimal}pools:
  - { name: a, policy: { scaling: { kind: load, target: 20, max: 3 } } }
  - { name: b, parallel: { replicas: 2 } }
`;
    const { config } = await resolve(pools);
    expect([config.scaling?.atStart, config.otherPools![0]!.scaling]).toEqual([1, undefined]);
    expect((await forecast(pools)).scaling!.map(({ pool, max }) => [pool, max])).toEqual([["a", 3]]);
  });

  test("are refused where their numbers contradict each other, with the place", async () => {
    for (const [keys, at] of [
      ["kind: load, target: 20, min: 3, max: 2", "policy.scaling.max"],
      ["kind: load, target: 0, max: 2", "policy.scaling.target"],
      ["kind: load, target: 5, max: 2, min: 0", "policy.scaling.min"],
      ["kind: load, target: 5, max: 2, startup: -1s", "policy.scaling.startup"],
      ["kind: load, target: 5, max: 2, every: 1ms", "policy.scaling.every"],
      ["kind: load, target: 5", "policy.scaling.max"],
      ["kind: load, target: 5, max: 2, steps: []", "policy.scaling.steps"],
      [
        "kind: schedule, steps: [{ at: 2s, replicas: 1 }, { at: 1s, replicas: 2 }], max: 2",
        "policy.scaling.steps[1].at",
      ],
      ["kind: schedule, steps: [], max: 2", "policy.scaling.steps"],
      ["kind: never, max: 2", "policy.scaling.kind"],
      ["kind: load, measure: busy, target: 80, max: 2", "policy.scaling.target"],
      ["kind: load, measure: kv, target: 1.5, max: 2", "policy.scaling.target"],
    ] as const) {
      const found = problemsOf(withScaling(keys));
      expect(found.map((problem) => problem.at)).toEqual([at]);
    }
    const beyond = withScaling("kind: schedule, steps: [{ at: 0s, replicas: 6 }], max: 4");
    await expect(resolve(beyond)).rejects.toMatchObject({
      problems: [{ at: "policy.scaling", expected: "a schedule of 1 to 4 replicas, as min and max have it", found: 6 }],
    });
    const text = withScaling("kind: load, target: 5, min: 2, max: 3", 5);
    const error: unknown = await resolve(text).catch((thrown: unknown) => thrown);
    expect((error as InvalidInputError).problems).toMatchObject([
      {
        at: "parallel.replicas",
        expected: "2 to 3 replicas at the start, as policy.scaling has it",
        ...placeOf(text, "5 }\n"),
      },
    ]);
  });
});

describe("the forecast of replicas that come and go", () => {
  test("has the figures of a fixed pool where all are on", async () => {
    const { deployment, scaling, ledger, laws, bands, ...rest } = await forecast(
      withScaling("kind: schedule, steps: [{ at: 0s, replicas: 2 }], min: 2, max: 2"),
    );
    const still = await forecast(fixed(2));
    const { deployment: fixedDeployment, ledger: _ledger, laws: _laws, bands: _bands, ...expected } = still;
    expect({ ...rest, inputs: [], stated: {}, accuracy: [] }).toEqual({
      ...expected,
      inputs: [],
      stated: {},
      accuracy: [],
    });
    expect(deployment).toEqual({ ...fixedDeployment, meanDevicesOn: 2 });
    expect(scaling).toMatchObject([{ pool: "", policy: "schedule", min: 2, max: 2, mean: 2, most: 2, starts: 0 }]);
    expect(bands!.unvalidated).toContain("replicas that come and go");
    expect(Object.keys(laws)).toContain("replica-state");
    expect(ledger.map(({ topic }) => topic)).toContain("scaling");
    expect(Object.keys(still)).not.toContain("scaling");
    expect(Object.keys(still.deployment)).not.toContain("meanDevicesOn");
  });

  test("counts devices that are off neither as cost nor as energy nor per device", async () => {
    const small = await forecast(fixed(1));
    const scaled = await forecast(withScaling("kind: schedule, steps: [{ at: 0s, replicas: 1 }], max: 4"));
    expect(scaled.deployment.devices).toBe(4);
    expect(scaled.cost!.usdPerHour).toBe(small.cost!.usdPerHour);
    expect(scaled.energy!.averageW).toBeCloseTo(small.energy!.averageW, 9);
    expect(scaled.throughput).toEqual(small.throughput);
  });

  test("bills a replica from its start on, and half of the run for half of it", async () => {
    const late = "kind: schedule, steps: [{ at: 10s, replicas: 2 }], every: 1s, startup: 4s, max: 2";
    const scaled = await forecast(withScaling(late));
    const { durationS } = scaled.throughput;
    const [pool] = scaled.scaling!;
    expect(pool!.mean).toBeCloseTo(2 - 10 / durationS, 9);
    expect(pool!.meanByState.starting).toBeCloseTo(4 / durationS, 9);
    const one = (await forecast(fixed(1))).cost!;
    expect(scaled.cost!.usdPerHour).toBeCloseTo(one.usdPerHour * pool!.mean, 9);
    expect(pool!.starts).toBe(1);
  });

  test("is printed and read back", async () => {
    const scaled = await forecast(withScaling("kind: load, target: 2, max: 3, every: 1s, startup: 1s"));
    const text = terminalSummary(scaled);
    expect(text).toContain("up to 3 replicas");
    expect(text).toMatch(/Replicas .*\n.*pool.*\n\s+all\s+load\s+1 to 3/);
    expect(readForecast(canonicalJson(scaled), "result.json")).toEqual(JSON.parse(canonicalJson(scaled)));
  });
});
