import { describe, expect, it } from "vitest";
import { formatProblem, InfeasibleError, InvalidInputError } from "../../src/core/errors.ts";
import { buildForecast } from "../../src/forecast/build-forecast.ts";
import { comparedMetrics } from "../../src/forecast/compared-metrics.ts";
import { metrics } from "../../src/metrics/metrics.ts";
import { noExpert } from "../../src/policy/placement/placement.ts";
import { forecastPage } from "../../src/report/forecast-page.ts";
import { resolveScenario } from "../../src/resolve/resolve-scenario.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";
import { simulate } from "../../src/sim/simulate.ts";
import { Simulation } from "../../src/sim/simulation.ts";

const noFiles = { readText: () => Promise.reject(new Error("no file was expected")) };
const text = (rest = "") => `version: 1
name: rebalanced
model: { id: qwen3-30b-a3b }
hardware: { system: h100-sxm-8, devicesPerNode: 4 }
engine: { id: vllm, maxModelLen: 4096 }
parallel: { dp: 4, ep: 4 }
traffic: { kind: generated, requests: 8, arrivals: { kind: poisson, requestRate: 50/s }, isl: { kind: fixed, tokens: 100 }, osl: { kind: fixed, tokens: 20 } }
routing: { kind: parametric, skew: 1, reuse: 0.2, rows: 300 }
policy: { placement: { kind: trivial, redundant: 4, rebalance: { kind: vllm, interval: 8, window: 4 } } }
${rest}`;
const resolve = (settings: readonly string[] = []) => {
  const scenario = parseScenario(text(), "t.yaml", { settings: [...settings] });
  return resolveScenario(scenario, noFiles).then((resolved) => ({ scenario, resolved }));
};

async function endOf(...settings: string[]): Promise<string> {
  try {
    await resolve(settings);
    return "";
  } catch (error) {
    if (error instanceof InvalidInputError) return error.problems.map(formatProblem).join("\n");
    if (error instanceof InfeasibleError) return `infeasible: ${error.message}`;
    throw error;
  }
}

describe("policy.placement.rebalance", () => {
  it("is simulated, and the forecast says what it did and what it rests on", async () => {
    const { scenario, resolved } = await resolve();
    const forecast = buildForecast(scenario, resolved, simulate(resolved.config));
    const [only] = forecast.rebalancing!;
    expect(only).toMatchObject({ pool: "", kind: "vllm", skipped: 0 });
    expect(only!.rebalances).toBeGreaterThan(0);
    expect(only!.movedBytes).toBeGreaterThan(0);
    expect(only!.stallShare).toBeCloseTo(forecast.timeShare.rebalance, 12);
    expect(forecast.deployment.placement).toBe("trivial, 4 redundant experts a layer, rebalanced as vllm");
    expect(forecast.ledger.find(({ topic }) => topic === "rebalancing")?.detail).toContain("maps by eplb");
    const page = JSON.stringify(forecastPage(forecast, "standard").sections);
    expect(page).toContain('"title":"Rebalancing"');
    expect(page).toContain('"all","vllm"');
  });

  it("is refused beside several copies of all experts", async () => {
    const end = await endOf("parallel={ dp: 4, ep: 2, edp: 2 }", "engine.startsAnyway=true");
    expect(end).toContain("nothing with parallel.edp above 1");
    expect(end).toContain("policy.placement.rebalance");
  });

  it("of pools is each pool's own, and metrics are those of all pools that rebalance", async () => {
    const pools = (decode: string) => `pools:
  - { name: prompts, role: prefill, policy: { placement: { kind: trivial, rebalance: { kind: sglang, interval: 2 } } } }
  - { name: outputs, role: decode, policy: { placement: { kind: contiguous${decode} } } }
`;
    const run = async (decode: string) => {
      const scenario = parseScenario(text(pools(decode)).replace(/^policy: .*$/m, ""), "t.yaml");
      const resolved = await resolveScenario(scenario, noFiles);
      return buildForecast(scenario, resolved, simulate(resolved.config));
    };
    const both = await run(", rebalance: { kind: tensorrt-llm }");
    const [prompts, outputs] = both.rebalancing!;
    expect([prompts, outputs]).toMatchObject([
      { pool: "prompts", kind: "sglang" },
      { pool: "outputs", kind: "tensorrt-llm" },
    ]);
    for (const pool of [prompts!, outputs!]) expect(pool.movedBytes).toBeGreaterThan(0);
    expect(metrics.rebalances.of(both)).toBe(prompts!.rebalances + outputs!.rebalances);
    expect(metrics.rebalanceBytes.of(both)).toBe(prompts!.movedBytes + outputs!.movedBytes);
    const weighted = prompts!.stallShare * prompts!.stepS + outputs!.stallShare * outputs!.stepS;
    expect(metrics.rebalanceShare.of(both)).toBeCloseTo(weighted / (prompts!.stepS + outputs!.stepS), 12);
    expect(metrics.balancednessBefore.of(both)).toBe(
      Math.min(prompts!.balancednessBefore!, outputs!.balancednessBefore!),
    );
    const one = await run("");
    expect(one.rebalancing!.map(({ pool }) => pool)).toEqual(["prompts"]);
    expect(one.rebalancing![0]!.rebalances).toBe(prompts!.rebalances);
    expect(metrics.rebalanceShare.of(one)).toBeCloseTo(one.rebalancing![0]!.stallShare, 12);
  });

  it("has SLOs and a baseline of its balancedness", async () => {
    const { resolved, scenario } = await resolve([
      "slo={ rebalanceShare: rate<99%, balancednessAfter: value>0.999 }",
      "policy.placement.rebalance.async=false",
    ]);
    const forecast = buildForecast(scenario, resolved, simulate(resolved.config));
    const { balancednessAfter, stallShare } = forecast.rebalancing![0]!;
    expect(forecast.slos).toMatchObject([
      { metric: "rebalanceShare", passed: true, value: expect.closeTo(100 * stallShare, 9) },
      { metric: "balancednessAfter", passed: false, value: balancednessAfter },
    ]);
    const compared = comparedMetrics.find(({ name }) => name === "balancednessAfter")!;
    expect(compared.of(forecast)).toBe(balancednessAfter);
    const still = await resolve(["policy.placement.rebalance=null", "slo={ rebalanceShare: rate<99% }"]);
    const none = buildForecast(still.scenario, still.resolved, simulate(still.resolved.config));
    expect(none.slos[0]).toMatchObject({
      passed: false,
      reason: expect.stringContaining("policy.placement.rebalance"),
    });
    expect([metrics.rebalances.of(none), compared.of(none)]).toEqual([null, null]);
  });

  it("starts as vLLM does: experts in id order, then copies from the first one on", async () => {
    const { resolved } = await resolve();
    const { logicalExperts, physicalExpertsPerRank } = resolved.config.placement!;
    expect(physicalExpertsPerRank).toBe(33);
    expect([...logicalExperts.subarray(0, 132)]).toEqual([...Array(132).keys()].map((slot) => slot % 128));
  });

  it("is refused where it means nothing or is not modelled, each with its place", async () => {
    const refused: readonly (readonly [string, readonly string[]])[] = [
      ["nothing beside uniform routing", ["routing={ kind: uniform }"]],
      ["nothing with parallel.ep 1", ["parallel={ dp: 4, etp: 4 }", "policy.placement.redundant=0"]],
      ["nothing beside policy.offload", ["policy.offload={ kind: lru, slots: 8 }"]],
      ["an algorithm that makes copies, for 4 redundant experts", ["policy.placement.rebalance.policy=lpt"]],
      ["a multiple of 3 nodes", ["policy.placement.nodes=3", "policy.placement.groups=3"]],
      ["eplb", ["policy.placement.rebalance.policy=none"]],
      ["vllm", ["policy.placement.rebalance.kind=other"]],
    ];
    for (const [reason, settings] of refused) {
      const end = await endOf(...settings);
      expect(end, reason).toContain(reason);
      expect(end, reason).toContain("policy.placement");
    }
  });

  it("keeps to the limits and parameters of the placement at the start", async () => {
    const keys =
      "policy.placement={ kind: flashlb, redundant: 4, layersPerUpdate: 3, worsened: 1, twins: false, rankCopies: [30, 34, 34, 34], rankSpeed: [1, 2, 2, 2], rebalance: { kind: vllm, interval: 8, window: 4, policy: flashlb } }";
    const { resolved } = await resolve([keys.replace("redundant: 4", "redundant: 8")]);
    const { limits, values } = resolved.config.rebalance!;
    expect(values).toMatchObject({ layersPerUpdate: 3, worsened: 1 });
    expect(limits).toMatchObject({ twins: false, seed: resolved.config.seed });
    expect([...limits.rankSpeed!]).toEqual([1, 2, 2, 2]);
    expect([...limits.rooms!.subarray(0, 8)]).toEqual([30, 34, 34, 34, 30, 34, 34, 34]);
    const simulation = new Simulation(resolved.config);
    while (!simulation.advance(1000));
    const [own] = simulation.pools[0]!.experts.rebalances;
    expect(own!.rebalances).toBeGreaterThan(0);
    const { logicalExperts } = own!.placement;
    expect(logicalExperts).not.toEqual(resolved.config.placement!.logicalExperts);
    for (let at = 0; at < logicalExperts.length; at += 34)
      expect(logicalExperts.subarray(at, at + 34).filter((expert) => expert !== noExpert).length).toBeLessThanOrEqual(
        [30, 34, 34, 34][(at / 34) % 4]!,
      );
    const other = await resolve(["policy.placement.rankCopies=[33, 33, 33, 33]"]);
    expect(other.resolved.config.rebalance!.values).toBeUndefined();
  });

  it("of TensorRT-LLM needs host memory with room for every expert", async () => {
    const kind = "policy.placement.rebalance={ kind: tensorrt-llm }";
    expect(await endOf(kind)).toBe("");
    const end = await endOf(kind, "hardware.tiers={ ddr: { capacity: 32GB } }");
    expect(end).toContain("infeasible: policy.placement.rebalance copies experts out of host memory");
  });
});
