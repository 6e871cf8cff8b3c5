import { describe, expect, test } from "vitest";
import {
  loopRequests,
  meanLength,
  replicaLoop,
  type StatedLoop,
} from "../../../src/calibrate/observed/observed-workload.ts";
import { resolveScenario } from "../../../src/resolve/resolve-scenario.ts";
import { parseScenario } from "../../../src/scenario/parse-scenario.ts";
import { simulate } from "../../../src/sim/simulate.ts";
import { minimal } from "../../scenario/example.ts";

const noFiles = { readText: () => Promise.reject(new Error("no file was expected")) };
const configOf = async (arrivals: string) =>
  (
    await resolveScenario(
      parseScenario(
        minimal
          .replace("{ kind: poisson, requestRate: 5/s }", arrivals)
          .replace("isl: { kind: fixed, tokens: 100 }", "isl: { kind: uniform, low: 80, high: 100 }"),
        "t.yaml",
      ),
      noFiles,
    )
  ).config;
const closed = await configOf("{ kind: closed, maxConcurrency: 10 }");
const open = await configOf("{ kind: poisson, requestRate: 5/s }");
const stated = (parts: Partial<StatedLoop>): StatedLoop => ({
  promptTokens: 100,
  outputTokens: 10,
  lengths: "longest",
  clients: 10,
  requests: null,
  ...parts,
});

describe("requests of a measured loop beside a scenario whose traffic is one", () => {
  test("are the scenario's own for its own load, warm-up included, whichever way the lengths are stated", () => {
    const mean = meanLength(closed.workload.requests.promptTokens);
    for (const load of [stated({}), stated({ lengths: "mean", promptTokens: mean }), stated({ requests: 95 })]) {
      const { workload, warmupRequests } = loopRequests(closed, load);
      expect(workload.requests).toBe(closed.workload.requests);
      expect(warmupRequests).toBe(closed.warmupRequests);
    }
  });

  test("are as many per client for other clients, and as many as are stated", () => {
    expect(loopRequests(closed, stated({ clients: 40 })).workload.requests.count).toBe(400);
    const { workload, warmupRequests } = loopRequests(closed, stated({ clients: 40, requests: 380 }));
    expect(workload.requests.count).toBe(400);
    expect(warmupRequests).toBe(20);
  });

  test("keep the spread of lengths at others", () => {
    const { promptTokens } = loopRequests(closed, stated({ promptTokens: 1000 })).workload.requests;
    expect(meanLength(promptTokens) / meanLength(closed.workload.requests.promptTokens)).toBeCloseTo(10, 1);
    expect(Math.max(...promptTokens)).toBeLessThanOrEqual(1000);
    expect(Math.min(...promptTokens)).toBeGreaterThanOrEqual(790);
  });

  test("do not send a shared prefix a second time", () => {
    const { workload } = closed;
    const prefix = { blockTokens: 16, offsets: new Uint32Array(101), ids: new Uint32Array(0) };
    const shared = { ...closed, workload: { ...workload, requests: { ...workload.requests, prefix } } };
    expect(loopRequests(shared, stated({ clients: 40 })).workload.requests.count).toBe(100);
    expect(loopRequests(shared, stated({ promptTokens: 500 })).workload.requests.prefix).toBeNull();
  });
});

describe("requests of a measured loop beside other traffic", () => {
  test("are ten per client unless it states them, drawn as benchmarks draw them", () => {
    const { workload, warmupRequests } = loopRequests(open, stated({}));
    expect(workload.requests.count).toBe(100);
    expect(warmupRequests).toBe(0);
    expect(Math.min(...workload.requests.promptTokens)).toBeGreaterThanOrEqual(80);
    expect(loopRequests(open, stated({ requests: 30 })).workload.requests.count).toBe(30);
  });
});

test("one replica of a deployment whose replicas come and go is up from the start to the end", async () => {
  const clients = "{ kind: closed, maxConcurrency: 10 }";
  const text = minimal.replace("{ kind: poisson, requestRate: 5/s }", clients);
  const scaled = `${text}policy: { scaling: { kind: load, target: 2, min: 2, max: 4 } }\n`;
  const of = async (scenario: string) => (await resolveScenario(parseScenario(scenario, "t.yaml"), noFiles)).config;
  const loop = replicaLoop(await of(scaled), closed.workload.requests, 40);
  expect(loop.scaling).toBeUndefined();
  expect(simulate(loop).endNs).toBe(simulate(replicaLoop(await of(text), closed.workload.requests, 10)).endNs);
});
