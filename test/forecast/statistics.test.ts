import { describe, expect, test } from "vitest";
import { latencyStats } from "../../src/forecast/latency-stats.ts";
import { throughputOf } from "../../src/forecast/throughput.ts";
import { goodputOf } from "../../src/metrics/goodput.ts";
import { ascending, fakeRun } from "./fake-run.ts";

const keepsUp = { verdict: "stable" } as const;

describe("latency statistics", () => {
  test("follow the definitions of TTFT, TPOT, E2E and queueing", () => {
    const run = fakeRun([{ arrivalMs: 1000, queueMs: 3, ttftMs: 20, e2eMs: 110, outputTokens: 10 }]);
    const { ttft, tpot, e2e, queue, itl } = latencyStats(run, keepsUp, null);
    expect([queue.mean, ttft.mean, e2e.mean, tpot.mean]).toEqual([3, 20, 110, 10]);
    expect(itl.n).toBe(9);
  });

  test("leave out the warm-up, and requests that did not complete", () => {
    const run = fakeRun(
      [
        { arrivalMs: 0, e2eMs: 9000 },
        { arrivalMs: 1, e2eMs: 50 },
        { arrivalMs: 2, status: "rejected" },
        { arrivalMs: 3, status: "waiting" },
      ],
      {},
      1,
    );
    expect(latencyStats(run, keepsUp, null).e2e).toMatchObject({ n: 1, mean: 50, max: 50 });
  });

  test("have no TPOT for a single output token", () => {
    expect(latencyStats(fakeRun([{ arrivalMs: 0, outputTokens: 1 }]), keepsUp, null).tpot).toMatchObject({
      n: 0,
      mean: null,
    });
  });

  test("are exact type-7 percentiles; those with fewer than ten samples beyond them come with their interval", () => {
    const { e2e } = latencyStats(fakeRun(ascending(1001)), keepsUp, null);
    expect(e2e.p50).toBe(501);
    expect(e2e.p90).toBe(901);
    expect(e2e.p95).toBe(951);
    expect(e2e.p99).toBeCloseTo(991, 9);
    // 0.999^1001 = 0.37: no sample need be beyond p99.9. At most five are, with a probability of 0.98 (Poisson of 1).
    expect(e2e.p999).toBeCloseTo(1000, 9);
    expect(e2e.intervals).toEqual({ p999: { lowMs: 1001 - 3, highMs: null } });
  });

  test("know of a handful of samples what their ranks say", () => {
    const few = latencyStats(fakeRun(ascending(19)), keepsUp, null).e2e;
    expect(few).toMatchObject({ p50: 10, mean: 10, max: 19 });
    // Binomial(19, 1/2): P(K <= 4) = 0.0096, P(K <= 5) = 0.032: the fifth and the fifteenth.
    expect(few.intervals.p50).toEqual({ lowMs: 5, highMs: 15 });
    expect(few.intervals.p99).toMatchObject({ highMs: null });
    expect(latencyStats(fakeRun(ascending(2)), keepsUp, null).e2e.intervals.p50).toEqual({ lowMs: 0, highMs: null });
  });

  test("carry a half-width only where batch means have one", () => {
    const half = (count: number) => latencyStats(fakeRun(ascending(count)), keepsUp, null).e2e.meanHalfWidth;
    expect(half(5)).toBeNull();
    expect(half(200)).toBeGreaterThan(0);
  });

  test("are all null for an overloaded deployment, with the number of samples kept", () => {
    const { e2e } = latencyStats(fakeRun(ascending(2000)), { verdict: "overloaded" }, null);
    const { n, intervals, ...rest } = e2e;
    expect(intervals).toEqual({});
    expect(n).toBe(2000);
    expect(new Set(Object.values(rest))).toEqual(new Set([null]));
  });
});

describe("goodput", () => {
  const run = fakeRun([
    { arrivalMs: 0, ttftMs: 10, e2eMs: 100 },
    { arrivalMs: 0, ttftMs: 11, e2eMs: 100 },
    { arrivalMs: 0, ttftMs: 10, e2eMs: 101 },
    { arrivalMs: 0, ttftMs: 10, e2eMs: 99, outputTokens: 1 },
  ]);

  test("counts requests that meet every limit, the limit itself included", () => {
    expect(goodputOf(run, { ttft: 10e6, e2e: 100e6 }, null)).toEqual({ samples: 4, good: 2 });
    expect(goodputOf(run, { ttft: 10e6 }, null)).toEqual({ samples: 4, good: 3 });
  });

  test("never grows when a limit is added", () => {
    const loose = goodputOf(run, { ttft: 10e6 }, null)?.good ?? 0;
    expect(goodputOf(run, { ttft: 10e6, tpot: 1 }, null)?.good).toBeLessThanOrEqual(loose);
  });

  test("holds no TPOT against a single output token", () => {
    expect(goodputOf(run, { tpot: 1 }, null)?.good).toBe(1);
  });

  test("does not exist without limits", () => {
    expect(goodputOf(run, null, null)).toBeNull();
  });
});

describe("throughput", () => {
  test("is counts over the whole span", () => {
    const run = fakeRun([
      { arrivalMs: 0, e2eMs: 500, outputTokens: 30 },
      { arrivalMs: 500, e2eMs: 1500, outputTokens: 10 },
      { arrivalMs: 600, status: "rejected", outputTokens: 0 },
    ]);
    expect(throughputOf(run, 4)).toMatchObject({
      durationS: 2,
      requestsPerSecond: 1,
      outputTokensPerSecond: 20,
      outputTokensPerSecondPerDevice: 5,
      totalTokensPerSecond: 40,
      // 60 prompt tokens and 40 outputs, two of which came with the last step of their prompt; 100 steps.
      meanBatchTokens: 0.98,
    });
  });

  test("of a run in which nothing happened is zero, not NaN", () => {
    const nothing = throughputOf(fakeRun([], { steps: 0 }), 1);
    for (const value of Object.values(nothing)) expect(value).toBe(0);
  });
});
