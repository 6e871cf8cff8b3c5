import { describe, expect, test } from "vitest";
import { RandomStream } from "../../src/core/random.ts";
import { Resource } from "../../src/core/resource.ts";
import { batchMeans } from "../../src/core/statistics.ts";
import { simulate } from "../../src/sim/simulate.ts";
import { testConfig, testEngine, testNode, testRequests } from "./build.ts";

const stepNs = 1_000_000;

/** A device so fast that a step takes its fixed overhead only, and an engine that serves one request per step. */
function constantStep(maxSequences: number) {
  const base = testConfig();
  return {
    ...base,
    node: testNode({ peak: { bf16: 1e30 }, memoryBytesPerSecond: 1e30, memoryBytes: 1e12 }),
    engine: testEngine({ stepOverheadNs: stepNs, sequenceOverheadNs: 0, kernelOverheadNs: 0 }),
    scheduler: { ...base.scheduler, maxSequences, maxBatchTokens: 1 << 20 },
  };
}

function poisson(n: number, ratePerNs: number, seed: number, output = 1) {
  const rng = new RandomStream(seed, "arrivals");
  let at = 0;
  return testRequests(
    Array.from({ length: n }, () => {
      at += rng.exponential(1 / ratePerNs);
      return { at: Math.round(at), prompt: 1, output };
    }),
  );
}

describe("the simulator degenerates to closed forms", () => {
  for (const rho of [0.5, 0.8]) {
    test(`one sequence, one token, constant step: the D/1 recursion request by request at utilisation ${rho}`, () => {
      const requests = poisson(10_000, rho / stepNs, 1);
      const { requests: rows } = simulate({ ...constantStep(1), workload: { kind: "open", requests } });
      let freeNs = 0;
      for (let i = 0; i < rows.count; i++) {
        freeNs = Math.max(freeNs, requests.arrivalNs[i]! - requests.arrivalNs[0]!) + stepNs;
        if (rows.lastTokenNs[i] !== freeNs) expect([i, rows.lastTokenNs[i]]).toEqual([i, freeNs]);
      }
      expect(rows.lastTokenNs[rows.count - 1]).toBe(freeNs);
    });

    test(`and with Poisson arrivals that recursion is M/D/1 at utilisation ${rho}`, () => {
      // Time in system S + rho S / (2 (1 - rho)).
      const exact = 1 + rho / (2 * (1 - rho));
      const means = Float64Array.from({ length: 20 }, (_, seed) => {
        const rng = new RandomStream(seed + 1, "arrivals");
        let at = 0;
        let sum = 0;
        const customers = 200_000;
        const server = new Resource();
        for (let i = 0; i < customers; i++) {
          at += rng.exponential(1 / rho);
          sum += server.demand(at, 1, 0) - at;
        }
        return sum / customers;
      });
      const { mean, halfWidth } = batchMeans(means, means.length);
      expect(Math.abs(mean / exact - 1)).toBeLessThan(0.02);
      // The 99 % interval from the 95 % one: t(0.995, 19) / t(0.975, 19) = 2.861 / 2.093.
      expect(Math.abs(mean - exact)).toBeLessThan(halfWidth * (2.861 / 2.093));
    });
  }

  test("unlimited batches with a constant step: nobody waits more than one step (M/D/infinity in slots)", () => {
    const requests = poisson(20_000, 3 / stepNs, 7);
    const { requests: rows } = simulate({ ...constantStep(4096), workload: { kind: "open", requests } });
    let sum = 0;
    let worst = 0;
    for (let i = 0; i < rows.count; i++) {
      const inSystem = rows.lastTokenNs[i]! - rows.arrivalNs[i]!;
      sum += inSystem;
      worst = Math.max(worst, inSystem);
    }
    expect(worst).toBeLessThanOrEqual(2 * stepNs);
    // A request that finds a step in progress waits half of it on average. At three arrivals a step nearly all do.
    expect(sum / rows.count / stepNs).toBeGreaterThan(1.4);
    expect(sum / rows.count / stepNs).toBeLessThan(1.5);
  });

  test("Little's law: mean running and waiting requests equal throughput times time in system", () => {
    const requests = poisson(20_000, 0.7 / stepNs, 3);
    const result = simulate({ ...constantStep(1), workload: { kind: "open", requests } });
    const { waiting, running, intervalNs } = result.series;
    let inSystemNs = 0;
    for (let i = 0; i < waiting.length; i++) inSystemNs += (waiting[i]! + running[i]!) * intervalNs;
    let sojournNs = 0;
    const { lastTokenNs, arrivalNs, count } = result.requests;
    for (let i = 0; i < count; i++) sojournNs += lastTokenNs[i]! - arrivalNs[i]!;
    expect(Math.abs(inSystemNs / sojournNs - 1)).toBeLessThan(1e-9);
  });
});
