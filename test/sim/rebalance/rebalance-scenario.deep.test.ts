import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { resolveScenario } from "../../../src/resolve/resolve-scenario.ts";
import { parseScenario } from "../../../src/scenario/parse-scenario.ts";
import { simulate } from "../../../src/sim/simulate.ts";

const file = "scenarios/rebalance-migrations.yaml";
const noFiles = { readText: () => Promise.reject(new Error("no file was expected")) };
const run = async (...settings: string[]) => {
  const scenario = parseScenario(readFileSync(file, "utf8"), file, { settings });
  const result = simulate((await resolveScenario(scenario, noFiles)).config);
  return { seconds: result.endNs / 1e9, rebalance: result.pools[0]!.rebalance };
};

test("better balance can be a slower run, because of the migrations", async () => {
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
