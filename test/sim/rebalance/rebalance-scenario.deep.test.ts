import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { resolveScenario } from "../../../src/resolve/resolve-scenario.ts";
import { parseScenario } from "../../../src/scenario/parse-scenario.ts";
import { simulate } from "../../../src/sim/simulate.ts";

const noFiles = { readText: () => Promise.reject(new Error("no file was expected")) };
const runOf =
  (file: string) =>
  async (...settings: string[]) => {
    const scenario = parseScenario(readFileSync(file, "utf8"), file, { settings });
    const result = simulate((await resolveScenario(scenario, noFiles)).config);
    return { seconds: result.endNs / 1e9, rebalance: result.pools[0]!.rebalance };
  };

test("better balance can be a slower run, because of the migrations", async () => {
  const run = runOf("scenarios/rebalance-migrations.yaml");
  const waits = await run();
  const none = await run("policy.placement.rebalance=null");
  const beside = await run("policy.placement.rebalance.async=true");
  const seldom = await run("policy.placement.rebalance.interval=2000", "policy.placement.rebalance.window=500");
  for (const { rebalance } of [waits, beside, seldom])
    expect(rebalance!.balancednessAfter!).toBeGreaterThan(rebalance!.balancednessBefore! + 0.1);
  expect(waits.seconds).toBeGreaterThan(1.03 * none.seconds);
  expect(beside.seconds).toBeGreaterThan(none.seconds);
  expect(beside.seconds).toBeLessThan(0.98 * waits.seconds);
  expect(seldom.seconds).toBeLessThan(0.97 * waits.seconds);
  expect(waits.rebalance!.stallNs / 1e9).toBeGreaterThan(waits.seconds - none.seconds);
}, 120_000);

test("rebalancing pays where topics drift, and neither without drift, at small batch, nor seldom", async () => {
  const run = runOf("scenarios/rebalance-drift.yaml");
  const never = "policy.placement.rebalance=null";
  const waits = "policy.placement.rebalance={ kind: sglang, interval: 200 }";
  const gain = async (rebalance: string, ...settings: string[]) =>
    1 - (await run(rebalance, ...settings)).seconds / (await run(never, ...settings)).seconds;
  expect(await gain(waits)).toBeGreaterThan(0.004);
  expect(await gain("policy.placement.rebalance={ kind: vllm, interval: 200, window: 200 }")).toBeGreaterThan(0.004);
  expect(await gain("policy.placement.rebalance={ kind: tensorrt-llm }")).toBeGreaterThan(0.01);
  expect(Math.abs(await gain("policy.placement.rebalance={ kind: vllm }"))).toBeLessThan(0.001);
  expect(await gain(waits, "traffic.phases=[{ shares: { science: 1 } }]")).toBeLessThan(0);
  expect(await gain(waits, "hardware.devicesPerNode=4")).toBeLessThan(0);
  const few = [
    "traffic.arrivals.maxConcurrency=64",
    "traffic.requests=600",
    "traffic.phases=[{ requests: 300, shares: { science: 1 } }, { shares: { exams: 1 } }]",
  ];
  expect(await gain(waits, ...few)).toBeLessThan(0);
}, 180_000);
