import { expect, test } from "vitest";
import { fleetLoad } from "../../../src/plan/day/fleet-load.ts";
import { routers } from "../../../src/policy/router/routers.ts";
import type { SimConfig } from "../../../src/sim/config.ts";
import { simulate } from "../../../src/sim/simulate.ts";
import { testConfig, testRequests } from "../../sim/build.ts";

const rows = Array.from({ length: 90 }, (_, i) => ({ at: i * 7e5, prompt: 40 + ((i * 37) % 90), output: 2 + (i % 7) }));
const workload = { kind: "open" as const, requests: testRequests(rows) };
const sum = (values: Iterable<number>) => [...values].reduce((total, each) => total + each, 0);
const windowNs = 5e6;

const { seed: _seed, workload: _workload, warmupRequests: _warmup, ...pool } = testConfig();
const apart: SimConfig = {
  ...testConfig({ workload, replicas: 2, name: "prompts", role: "prefill" }),
  otherPools: [
    { ...pool, name: "more prompts", role: "prefill", replicas: 1 },
    { ...pool, name: "answers", role: "decode", replicas: 2 },
  ],
  handover: {
    reserves: "afterPrefill",
    transfer: "request",
    firstToken: "prefill",
    reservedOutputTokens: 0,
    tokenisesAgain: false,
    localPromptTokens: 0,
    router: routers["round-robin"],
  },
};

test("the load of a pool is all tokens of its requests, and the time that they stay", () => {
  const config = testConfig({ workload, replicas: 3 });
  const run = simulate(config);
  const [load] = fleetLoad(config, run, windowNs);
  const { arrivalNs, lastTokenNs, scheduledNs } = run.requests;
  expect(load!.replicas).toBe(3);
  expect((sum(load!.tokensPerSecond) * windowNs) / 1e9).toBeCloseTo(
    sum(rows.map(({ prompt, output }) => prompt + output)),
    6,
  );
  expect(load!.peakTokensPerSecond).toBe(Math.max(...load!.tokensPerSecond));
  // In one window as long as the run, what is there on average is Little's law.
  const [whole] = fleetLoad(config, run, run.endNs);
  expect(whole!.peakRequests * run.endNs).toBeCloseTo(sum(arrivalNs.map((at, i) => lastTokenNs[i]! - at)), 3);
  expect(whole!.peakWaiting * run.endNs).toBeCloseTo(sum(arrivalNs.map((at, i) => scheduledNs[i]! - at)), 3);
  expect(load!.peakRequests).toBeGreaterThanOrEqual(whole!.peakRequests);
  expect(load!.peakKvUse).toBeGreaterThan(0);
});

test("pools that prefill share the prompts by their devices, and the decode pool has all tokens", () => {
  const run = simulate(apart);
  const [prompts, more, answers] = fleetLoad(apart, run, windowNs).map(
    ({ tokensPerSecond }) => (sum(tokensPerSecond) * windowNs) / 1e9,
  );
  const promptTokens = sum(rows.map(({ prompt }) => prompt));
  expect(prompts).toBeCloseTo((promptTokens * 2) / 3, 6);
  expect(more).toBeCloseTo(promptTokens / 3, 6);
  expect(answers).toBeCloseTo(sum(rows.map(({ prompt, output }) => prompt + output)), 6);
});

test("nothing is the load of nobody", () => {
  const config = testConfig({ workload: { kind: "open", requests: testRequests([]) } });
  expect(fleetLoad(config, simulate(config), windowNs)[0]).toMatchObject({ peakTokensPerSecond: 0, peakRequests: 0 });
});
